/** Events as markup: a card for each dial with its ladder, what was decoded, and its verdicts. */
import { type Fragment, html, type Markup, render } from "../../../reports/site/markup.ts";
import { badge } from "../../../reports/site/parts.ts";
import { brief } from "../../../reports/text.ts";
import type { SessionEvent, ShownField } from "../types.ts";

/** The lists of a card. */
const PLACES = ["course", "ladder", "verdicts"] as const;
export type Place = (typeof PLACES)[number];

type Of<Kind extends SessionEvent["kind"]> = Extract<SessionEvent, { kind: Kind }>;

/** Letters of a value that are shown, fields of a message, and how deep they go. */
const MOST_TEXT = 240;
const MOST_FIELDS = 600;
const MOST_DEPTH = 12;

export const placeOf = ({ kind }: SessionEvent): Place =>
  kind === "message" ? "ladder" : kind === "verdict" ? "verdicts" : "course";

/** An item of the list that it belongs to. */
export function eventMarkup(event: SessionEvent): Markup {
  switch (event.kind) {
    case "dial":
      return dialItem(event);
    case "message":
      return messageItem(event);
    case "verdict":
      return verdictItem(event);
    case "note":
      return html`<li>${time(event.at)} ${brief(event.text, 1000)}</li>`;
  }
}

/** `20:15:03.042` of UTC. */
export function time(at: number): Markup {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(11, 23)}</time>`;
}

const BEGUN = { participant: "dialled from", us: "dialled back to" } as const;
const WHAT = { begun: "", established: "established", refused: "refused", ended: "ended" } as const;

function dialItem({ at, what, by, source, test, lie, reason }: Of<"dial">): Markup {
  const where = source.host.includes(":")
    ? `[${source.host}]:${source.port}`
    : `${source.host}:${source.port}`;
  const said = what === "begun" ? `${BEGUN[by]} ${where}` : WHAT[what];
  return html`<li>${time(at)} <b>${said}</b>${test !== undefined && html`, plays <code>${test}</code>`}${lie !== undefined && html`, is told the lie <code>${lie}</code>`}${reason !== undefined && html`: ${brief(reason, 1000)}`}</li>`;
}

function messageItem({ at, direction, line, payloads }: Of<"message">): Markup {
  const arrow =
    direction === "in"
      ? html`<span class="way in" title="from you to us"><span aria-hidden="true">→</span><span class="sr">from you:</span></span>`
      : html`<span class="way out" title="from us to you"><span aria-hidden="true">←</span><span class="sr">from us:</span></span>`;
  const summary = html`${time(at)} ${arrow} <code>${brief(line, 1000)}</code>`;
  if (payloads.length === 0) return html`<li class="${direction}"><p class="bare">${summary}</p></li>`;
  const room = { left: MOST_FIELDS };
  return html`<li class="${direction}"><details><summary>${summary}</summary>${fieldList(payloads, room, MOST_DEPTH)}${room.left === 0 && html`<p class="soft">There are more fields; all are in the files below.</p>`}</details></li>`;
}

/** @param room how many fields may still be shown */
function fieldList(fields: readonly ShownField[], room: { left: number }, depth: number): Fragment {
  const shown: Markup[] = [];
  for (const { label, text, fields: inner = [] } of fields) {
    if (room.left === 0) break;
    room.left--;
    const below = inner.length > 0 && (depth > 1 ? fieldList(inner, room, depth - 1) : html` …`);
    shown.push(
      html`<li>${brief(label, MOST_TEXT)}${text !== undefined && html`: <code>${brief(text, MOST_TEXT)}</code>`}${below}</li>`,
    );
  }
  return html`<ul class="fields">${shown}</ul>`;
}

/** `linked`: with the way to its dial. */
export const verdictItem = ({ of, id, verdict, reason, dial }: Of<"verdict">, linked = false): Markup =>
  html`<li>${badge(verdict)} <code>${id}</code>${of === "test" && html` <span class="mark">test</span>`}${linked && dial !== undefined && html` <a href="#dial-${dial}">dial ${dial}</a>`}${(of === "requirement" || verdict !== "pass") && reason !== "" && html`<br>${brief(reason, 2000)}`}</li>`;

/** Dials of a session begin at 1; what belongs to none stands in card 0. */
export const dialOf = ({ dial }: SessionEvent): number => dial ?? 0;

/** The card of a dial, with what is known of it. */
export function dialCard(dial: number, events: readonly SessionEvent[]): Markup {
  const [course, ladder, verdicts] = PLACES.map((place) =>
    events.filter((event) => placeOf(event) === place).map(eventMarkup),
  );
  return html`<article class="card pad dial" id="dial-${dial}" aria-label="${cardName(dial)}">
<h3>${cardName(dial)}</h3>
<ul class="plain course">${course}</ul>
<div class="columns"><section><h4>Messages</h4><ol class="plain ladder">${ladder}</ol></section>
<section><h4>Verdicts</h4><ul class="plain verdicts">${verdicts}</ul></section></div>
</article>
`;
}

const cardName = (dial: number): string => (dial === 0 ? "The session" : `Dial ${dial}`);

/** Events of a session as cards, the newest dial first. */
export function dialCards(events: readonly SessionEvent[]): Markup[] {
  const dials = new Map<number, SessionEvent[]>();
  for (const event of events) {
    const of = dials.get(dialOf(event));
    if (of) of.push(event);
    else dials.set(dialOf(event), [event]);
  }
  return [...dials].sort(([a], [b]) => b - a).map(([dial, of]) => dialCard(dial, of));
}

/** What the page's script needs to put an event in its place. `card`: for a dial that the page does not have. */
export const eventForPage = (event: SessionEvent): string =>
  JSON.stringify({
    dial: dialOf(event),
    place: placeOf(event),
    item: render(eventMarkup(event)),
    card: render(dialCard(dialOf(event), [])),
  });
