/** What `bakeoff pcap lint` prints of a capture: how much could be read, then the findings, sender by sender. */
import { plural } from "../../reports/text.ts";
import { oneLine, type painter } from "./output.ts";
import type { Judged, Linted, Readable, WireFinding } from "./pcap-lint.ts";
import { faultLines } from "./pcap-source.ts";

type Paint = ReturnType<typeof painter>;

export function lintText(linted: Linted, paint: Paint): string {
  const { file, findings, more, wire } = linted;
  const lines = [`${paint("bold", oneLine(file))}: ${readableText(linted)}`];
  for (const sender of new Set(findings.map(senderOf))) {
    const own = findings.filter((finding) => senderOf(finding) === sender);
    lines.push(`  ${sender}: ${countText(own)}`);
    for (const finding of own) lines.push(`    ${findingText(finding, paint)}`);
  }
  if (findings.length === 0) lines.push("  no findings");
  if (more > 0) lines.push(`  ${more} more findings are not listed`);
  for (const finding of wire ?? []) lines.push(`  ${wireText(finding)}`);
  for (const line of faultLines(linted)) lines.push(`  ${line}`);
  return `${lines.join("\n")}\n`;
}

function readableText({ readable: { ike, esp } }: Linted): string {
  const part = (word: string, { seen, opened, closed, waiting, broken }: Readable): string =>
    [
      ...(seen > 0 ? [plural(seen, word)] : []),
      ...(opened > 0 ? [`${opened} opened`] : []),
      ...(closed > 0 ? [`${closed} closed for want of keys`] : []),
      ...(waiting > 0 ? [`${plural(waiting, "fragment")} without the rest`] : []),
      ...(broken > 0 ? [`${broken} that the keys do not open`] : []),
    ].join(", ");
  return (
    [part("message", ike), part("ESP packet", esp)].filter((text) => text !== "").join("; ") ||
    "no IKE and no ESP in it"
  );
}

const senderOf = ({ sender, role }: Judged): string =>
  role === undefined ? oneLine(sender.host) : `${oneLine(sender.host)} (${role})`;

function countText(findings: readonly Judged[]): string {
  const musts = findings.filter(({ level }) => level.startsWith("MUST")).length;
  return `${plural(findings.length, "finding")}, ${musts} against a MUST`;
}

/** As in `packet 4, octet 40 in SK, SA > proposal 1`. */
const placeText = ({
  packet,
  offset,
  inside,
  field,
}: Pick<Judged, "packet" | "offset" | "inside" | "field">): string =>
  [
    `packet ${packet}`,
    ...(offset === undefined ? [] : [`octet ${offset}${inside ? " in SK" : ""}`]),
    ...(field === undefined ? [] : [oneLine(field)]),
  ].join(", ");

function findingText(finding: Judged, paint: Paint): string {
  const { document, requirement, section, level, rule, reason } = finding;
  const shown = paint(level.startsWith("MUST") ? "red" : "yellow", level === "stmt" ? "statement" : level);
  return `${requirement} ${shown} (${document} section ${section}) ${rule}: ${placeText(finding)}: ${oneLine(reason)}`;
}

const wireText = (finding: WireFinding): string =>
  `decoder: ${placeText(finding)}: ${oneLine(finding.reason)}`;
