/** The page of a result: what the test is, what was asked and seen, the messages, and the evidence. */
import { outcomeOf, standingOf, type TestResult, verdictMeaning } from "../results.ts";
import { formatDuration } from "../text.ts";
import { differenceText } from "./divergence.ts";
import type { Brought, EvidenceFile } from "./evidence.ts";
import type { Pictures } from "./ladders.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import type { DocumentPart, Entry, Site } from "./model.ts";
import { encode, hrefFrom, type Page } from "./page.ts";
import { badge, prose, standingText } from "./parts.ts";

/** What a page shows beside the result itself. */
export interface TestMaterial {
  part: DocumentPart;
  brought: Brought;
  /** Of the second try. */
  again?: Brought;
  pictures?: Pictures;
}

export function testPage(entry: Entry, site: Site, material: TestMaterial): Page {
  const { test, subject, place } = entry;
  const path = `${place}.html`;
  const { part } = material;
  const to = (target: string) => hrefFrom(path, target);
  return {
    path,
    title: `${test.verdict}: ${test.title} (${subject.label} as ${test.role})`,
    wide: true,
    trail: [
      { text: "Overview", path: "index.html" },
      { text: part.label, path: `documents/${part.slug}.html` },
      { text: test.title },
    ],
    body: html`<h1 class="title">${test.title}</h1>
<p class="soft"><code>${test.id}</code> on <a href="${to(`peers/${subject.slug}.html`)}">${subject.label}</a> as ${test.role}</p>
${verdictCard(entry, material, to)}
<div class="columns">
<section>${documentation(site, test)}${requirements(entry, part, to)}</section>
<section>${baseline(test)}${elsewhere(entry, site, to)}</section>
</div>
${messages(material.pictures, to)}
${evidence(material, to)}`,
  };
}

type LinkTo = (path: string) => string;

function verdictCard({ test, subject }: Entry, { part }: TestMaterial, to: LinkTo): Markup {
  const { verdict, reason, lie, provisional, section, durationMs } = test;
  return html`<section class="verdict t-${verdict}" aria-label="Verdict">
<p class="big">${badge(verdict)} <span>${reason}</span></p>
<p class="soft">${verdictMeaning(verdict)}</p>
${lie !== undefined && html`<p><b>Planted bug:</b> <a href="${to(`peers/${subject.slug}.html`)}">the peer was told to lie</a>, <code>${lie}</code>.</p>`}
${contrast(test)}
<p class="facts-line"><span>${standingText(test)}</span><span><a href="${to(`documents/${part.slug}.html`)}">${part.label}</a>${section !== "" && `, section ${section}`}</span><span>${test.level === "stmt" ? "statement" : test.level}</span><span>took ${formatDuration(durationMs)}</span></p>
${provisional !== undefined && html`<p class="soft">Provisional, our own definition: ${provisional}</p>`}</section>`;
}

/** What was asked and what came, side by side, where there is something to contrast. */
function contrast({ verdict, expected, actual }: TestResult): Fragment {
  if (expected === "" || actual === "" || outcomeOf(verdict) === "passed") return undefined;
  return html`<div class="two"><div class="box"><h2>expected</h2><p>${expected}</p></div><div class="box seen"><h2>seen</h2><p>${actual}</p></div></div>`;
}

function documentation({ extras }: Site, { id }: TestResult): Fragment {
  const text = extras.documentation?.get(id);
  return (
    text !== undefined &&
    text.trim() !== "" &&
    html`<h2>What the test does</h2><div class="prose">${prose(text)}</div>`
  );
}

function requirements({ test }: Entry, part: DocumentPart, to: LinkTo): Markup {
  const items = test.requirements.map((id) => {
    const known = part.catalogue?.requirements[id];
    const level = known && (known.level === "stmt" ? "statement" : known.level);
    return html`<li><a href="${to(`documents/${part.slug}.html`)}#${encode(id)}"><code>${id}</code></a>${known && html` <span class="level">${level}</span> <span class="soft">section ${known.section}, ${known.who}</span><br>${known.text}`}</li>
`;
  });
  return html`<h2>Requirements</h2><ul class="plain">${items}</ul>`;
}

/** What the baseline says, and what a second try found. */
function baseline({ again, baseline: said, ...test }: TestResult): Fragment {
  const known = said?.known;
  return [
    said &&
      html`<h2>Baseline</h2><dl><dt>expects</dt><dd>${badge(said.expected)}${standingOf({ ...test, baseline: said }) !== "expected" && html` <b>${said.deviation}</b>`}</dd>
${known && html`<dt>why</dt><dd>${known.why}</dd><dt>evidence</dt><dd>${known.evidence}</dd><dt>text</dt><dd>${known.section}</dd><dt>at fault</dt><dd>${known.fault}</dd><dt>look again by</dt><dd><time datetime="${known.expires}">${known.expires}</time></dd>`}</dl>`,
    again && html`<h2>Tried again, alone</h2><p>${badge(again.verdict)} ${again.reason}</p>`,
  ];
}

function elsewhere(entry: Entry, { byId }: Site, to: LinkTo): Fragment {
  const others = (byId.get(entry.test.id) ?? []).filter((other) => other !== entry);
  if (others.length === 0) return undefined;
  const items = others.map(
    ({ test, subject, place }) =>
      html`<li>${badge(test.verdict)} <a href="${to(`${place}.html`)}">${subject.label} as ${test.role}</a>${test.verdict !== "pass" && html` <span class="soft">${test.reason}</span>`}</li>
`,
  );
  return html`<h2>The same test elsewhere</h2><ul class="plain">${items}</ul>`;
}

function messages(pictures: Pictures | undefined, to: LinkTo): Fragment {
  if (!pictures) return undefined;
  const { own, twin, divergence } = pictures;
  if (!twin)
    return html`<section class="messages"><h2>Messages</h2>${figure(own, "Messages of this result")}</section>`;
  const { label } = twin.entry.subject;
  const { role, verdict } = twin.entry.test;
  return html`<section class="messages"><h2>Messages, beside those of a peer that passed</h2>
<p>Left this result; right <a href="${to(`${twin.entry.place}.html`)}">${label} as ${role}</a>, the nearest that ended ${verdict}.</p>
${differences(divergence)}
<div class="twins">${figure(own, "Messages of this result")}${figure(twin.picture, `Messages of ${label}`)}</div></section>`;
}

/** A picture that scrolls by itself where it does not fit. */
const figure = (picture: Fragment, label: string): Markup =>
  html`<div class="figure-frame" tabindex="0" role="region" aria-label="${label}">${picture}</div>`;

/** More are in the comparison of the captures. */
const LISTED = 25;

function differences(divergence: Pictures["divergence"]): Fragment {
  if (!divergence) return html`<p>By meaning, the two do not differ.</p>`;
  const { first, differences: all } = divergence;
  const rest = all.length - LISTED;
  return html`<p class="divergence">First difference: <code>${differenceText(first)}</code></p>
${all.length > 1 && html`<details><summary>All ${all.length} differences by meaning</summary><ol>${all.slice(0, LISTED).map((one) => html`<li><code>${differenceText(one)}</code></li>`)}</ol>${rest > 0 && html`<p class="soft">and ${rest} more: compare the captures with <code>bakeoff pcap diff</code></p>`}</details>`}`;
}

function evidence({ brought, again }: TestMaterial, to: LinkTo): Fragment {
  const rows = (files: readonly EvidenceFile[], when: string) =>
    files.map(
      ({ says, path, octets }) =>
        html`<li><a href="${to(path)}">${says}</a> <span class="soft">${sizeText(octets)}${when}</span></li>
`,
    );
  const all = [...rows(brought.files, ""), ...rows(again?.files ?? [], ", of the second try")];
  const lost = [...brought.lost, ...(again?.lost ?? [])];
  if (all.length + lost.length === 0) return undefined;
  return html`<section><h2>Evidence</h2><ul class="files">${all}</ul>
${lost.length > 0 && html`<p class="note">Named in the results, but not in the folder: ${lost.join(", ")}.</p>`}
${brought.keys !== undefined && html`<p class="soft">Decrypted in Wireshark, from the folder with the capture: <code>WIRESHARK_CONFIG_DIR=keys wireshark capture.pcap</code></p>`}</section>`;
}

function sizeText(octets: number): string {
  if (octets < 1024) return `${octets} octets`;
  return octets < 1_048_576 ? `${(octets / 1024).toFixed(1)} KiB` : `${(octets / 1_048_576).toFixed(1)} MiB`;
}
