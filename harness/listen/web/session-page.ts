/** A participant's page: what to configure, what has come of it, and what this end can do besides. */
import { type Fragment, html, type Markup, render } from "../../../reports/site/markup.ts";
import { BY_URGENCY, badge } from "../../../reports/site/parts.ts";
import { plural } from "../../../reports/text.ts";
import type { Hub, ListedLie, SessionEvent, SessionView } from "../types.ts";
import { dialCards, verdictItem } from "./events-view.ts";
import { page } from "./layout.ts";
import type { Reply } from "./reply.ts";
import { CONNECTION, ipsecConf, swanctlConf } from "./snippets.ts";

/** Events on a page that was just opened; all of them are in a file. */
const MOST_EVENTS = 400;

export function sessionPage(hub: Hub, session: SessionView): Reply {
  const all = hub.events(session.id, 0);
  const events = all.slice(-MOST_EVENTS);
  const last = all.at(-1)?.seq ?? 0;
  const base = `/s/${session.id}`;
  return page({
    title: `${session.name}: ipsec-bakeoff`,
    live: true,
    body: html`<h1>${session.name}</h1>
<p class="soft">Keep the address of this page: who has it has the session. <span id="live" hidden>It fills by itself.</span><noscript>Load it again to see more.</noscript></p>
${parts(hub, session).map(({ id, markup }) => html`<div id="${id}">${markup}</div>\n`)}
${setup(session)}
${lieForm(hub, session)}
<h2>Dials</h2>
${all.length > events.length && html`<p class="soft">Of ${all.length} events, the last ${events.length}.</p>`}
<div id="dials" data-events="${base}/events?for=page&amp;after=${last}">${dialCards(events)}</div>
<p id="none" class="none soft"${all.length > 0 && html` hidden`}>Nothing has come yet.</p>`,
  });
}

/** Pieces that change while the page is open, each in the element of its id. */
function parts(hub: Hub, session: SessionView): { id: string; markup: Markup }[] {
  return [
    { id: "state", markup: html`${stateCard(session)}${files(session.id, hub.files(session.id))}` },
    { id: "found", markup: html`${found(hub.events(session.id, 0))}` },
    { id: "back", markup: html`${dialBack(session)}` },
  ];
}

/** The pieces for the page's script: markup by id. Undefined when the session is gone. */
export function stateForPage(hub: Hub, id: string): string | undefined {
  const session = hub.view(id);
  if (!session) return undefined;
  return JSON.stringify(
    Object.fromEntries(parts(hub, session).map((part) => [part.id, render(part.markup)])),
  );
}

const STATES = {
  waiting: "Nobody has dialled yet",
  dialling: "A dial is under way",
  idle: "The last dial has ended",
} as const;

function stateCard({ state, dials, verdicts, queued, documents, lie }: SessionView): Markup {
  const counts = BY_URGENCY.flatMap((verdict) => {
    const count = verdicts[verdict] ?? 0;
    return count === 0 ? [] : [html`<li>${badge(verdict)} <b class="figure">${count}</b></li>`];
  });
  const [next] = queued;
  return html`<section class="card pad" aria-label="How it stands"><p role="status"><b>${STATES[state]}</b>, ${plural(dials, "dial")}.</p>
${counts.length > 0 && html`<ul class="plain counts">${counts}</ul>`}
${documents.length > 0 && html`<p class="soft">${next === undefined ? html`All tests of ${documents.join(", ")} were played.` : html`${plural(queued.length, "test")} of ${documents.join(", ")} to come; the next dial plays <code>${next}</code>.`}</p>`}
${lie !== undefined && html`<p class="note">The next dial is told a lie: <code>${lie}</code></p>`}</section>`;
}

/** Results that are listed. */
const MOST_FOUND = 300;

/** Verdicts of all dials, but for those that linting found nothing; what asks for a look comes first. */
function found(events: readonly SessionEvent[]): Fragment {
  const verdicts = events
    .filter((event) => event.kind === "verdict")
    .filter(({ of, verdict }) => of === "test" || verdict !== "pass");
  if (verdicts.length === 0) return undefined;
  const sorted = BY_URGENCY.flatMap((name) => verdicts.filter(({ verdict }) => verdict === name));
  const rest = sorted.length - MOST_FOUND;
  return html`<details class="card pad kept"${verdicts.length <= 12 && html` open`}><summary><b>Results until now</b></summary><ul class="plain verdicts">${sorted
    .slice(0, MOST_FOUND)
    .map((event) =>
      verdictItem(event, true),
    )}</ul>${rest > 0 && html`<p class="soft">and ${rest} more</p>`}</details>`;
}

/** A path below a session; its segments are the hub's, but may hold anything. */
const pathOf = (id: string, name: string): string =>
  `/s/${id}/files/${name.split("/").map(encodeURIComponent).join("/")}`;

function files(id: string, names: readonly string[]): Fragment {
  if (names.length === 0) return undefined;
  const keys = names.some((name) => name.startsWith("keys/"));
  return html`<details class="kept"><summary>${plural(names.length, "file")}: capture, keys and more</summary><ul class="files">${names.map(
    (name) => html`<li><a href="${pathOf(id, name)}">${name}</a></li>\n`,
  )}</ul>${keys && html`<p class="soft">Decrypted in Wireshark, with the key files in a folder keys beside the capture: <code>WIRESHARK_CONFIG_DIR=keys wireshark capture.pcap</code></p>`}</details>`;
}

function setup(session: SessionView): Markup {
  const { endpoint, identity, peerIdentity, secret, proposals, networks, dials } = session;
  const rows = [
    ["our address", endpoint.host],
    ["our port for IKE", `${endpoint.ikePort}`],
    ["our port with the non-ESP marker, and for ESP in UDP", `${endpoint.natPort}`],
    ["your identity (ID_FQDN)", identity],
    ["our identity (ID_FQDN)", peerIdentity],
    ["pre-shared key of both", secret],
    ["IKE proposals", proposals.ike.join(", ")],
    ["ESP proposals", proposals.esp.join(", ")],
    ["your networks", networks.participant.join(", ")],
    ["our networks", networks.ours.join(", ")],
  ] as const;
  return html`<details class="card pad setup"${dials === 0 && html` open`}><summary><b>What to configure</b></summary>
<dl>${rows.map(([what, value]) => html`<dt>${what}</dt><dd><code>${value}</code></dd>\n`)}</dl>
${snippet("strongSwan", "swanctl.conf", swanctlConf(session), `swanctl --load-all && swanctl --initiate --child ${CONNECTION}`)}
${snippet("libreswan", "ipsec.conf and ipsec.secrets", ipsecConf(session), `ipsec add ${CONNECTION} && ipsec up ${CONNECTION}`)}
</details>`;
}

const snippet = (daemon: string, file: string, text: string, dial: string): Markup =>
  html`<details><summary>${daemon}: ${file}</summary><pre tabindex="0" role="region" aria-label="${file} for ${daemon}">${text}</pre><p>Dial: <code>${dial}</code></p></details>`;

function lieForm(hub: Hub, { id, lie }: SessionView): Fragment {
  if (hub.lies().length === 0) return undefined;
  return html`<form class="card pad act" method="post" action="/s/${id}/lie"><a href="/s/${id}/lies">Choose a lie</a> that this end tells your next dial${lie !== undefined && html`, or <button type="submit">tell it the truth</button>`}.</form>`;
}

/** All lies, each with its button. */
export function liesPage(hub: Hub, { id, name, lie: chosen }: SessionView): Reply {
  const row = ({ name: lie, what }: ListedLie) =>
    html`<li><button type="submit" name="name" value="${lie}">${lie}</button>${lie === chosen && html` <b>chosen</b>`}<br>${what}</li>\n`;
  return page({
    title: `Lies for ${name}: ipsec-bakeoff`,
    body: html`<h1>Choose a lie</h1>
<p class="prose">Each is one way in which an implementation can be wrong. The next dial of <a href="/s/${id}">${name}</a> is told the one that you choose; the dial after it is told the truth.</p>
<form class="card pad" method="post" action="/s/${id}/lie"><ul class="plain lies">${hub.lies().map(row)}</ul></form>`,
  });
}

/** Places that are offered; a box dials from one or two. */
const MOST_BACK = 3;

/** Only to where a dial has come from is there a way back. */
function dialBack({ id, dialled }: SessionView): Fragment {
  if (dialled.length === 0) return undefined;
  const places = dialled.slice(-MOST_BACK).reverse();
  return html`<section class="card pad back" aria-label="Dial back">${places.map(
    ({ host, port }) =>
      html`<form method="post" action="/s/${id}/dial-back"><input type="hidden" name="host" value="${host}"><input type="hidden" name="port" value="${port}"><button type="submit">Dial me back at <code>${host} port ${port}</code></button></form>\n`,
  )}</section>`;
}

/** The session for programs: what is known of it, its files, and its events. */
export const sessionJson = (hub: Hub, session: SessionView): string => {
  const events: SessionEvent[] = hub.events(session.id, 0);
  return `${JSON.stringify({ ...session, files: hub.files(session.id), events })}\n`;
};
