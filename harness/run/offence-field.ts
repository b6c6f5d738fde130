/** From the lint's names of fields to those of a message's tree, in which ladders and comparisons speak. */
import { readParts } from "../lint/parts.ts";
import type { LintFinding, Seen } from "../lint/types.ts";
import { type FieldNode, labelsOf, nodeOfPayload, PATH_SEPARATOR } from "../wire/fields.ts";
import { payloadToTree } from "../wire/text.ts";

/** Where the lint has other words. */
const WORDS: { readonly [word: string]: string } = {
  "auth method": "method",
  "key exchange method": "group",
  "key exchange data": "data",
  "authentication data": "data",
  "spi size": "SPI size",
  "message id": "message ID",
  "protocol id": "protocol ID",
  critical: "critical bit",
  protocol: "protocol ID",
  "responder SPI": "SPI of responder",
  "initiator SPI": "SPI of initiator",
};

/** The path of the finding's field: as far down as the tree goes; `SK > ...` for what is inside. */
export function fieldOf(seen: Seen, { field, offset, inside }: LintFinding): string | undefined {
  if (field === undefined || seen.kind !== "ike") return field;
  const [payload, ...steps] = field.split(PATH_SEPARATOR);
  if (payload === "header")
    return [payload, ...steps.map((step) => WORDS[step] ?? step)].join(PATH_SEPARATOR);
  const { clear, content } = readParts(seen);
  const parts = (inside ? content : clear) ?? [];
  const at = parts.findLastIndex((part) => part.field === payload && part.at <= (offset ?? Infinity));
  const nodes = parts.map((part) => nodeOfPayload(payloadToTree(part.payload)));
  const node = nodes[at];
  if (!node) return field;
  const path = [labelsOf(nodes)[at], ...pathBelow(node, steps)].join(PATH_SEPARATOR);
  return inside ? `SK${PATH_SEPARATOR}${path}` : path;
}

function pathBelow(node: FieldNode, [step, ...steps]: readonly string[]): string[] {
  if (step === undefined) return [];
  const { children } = node;
  const labels = labelsOf(children);
  const at = childAt(children, labels, step);
  return at < 0 ? [] : [labels[at]!, ...pathBelow(children[at]!, steps)];
}

/** `transform 2` is the second, whatever its label. */
function childAt(children: readonly FieldNode[], labels: readonly string[], step: string): number {
  const numbered = /^(transform|policy) (\d+)$/.exec(step);
  if (!numbered) return labels.indexOf(WORDS[step] ?? step);
  const places = children.flatMap(({ name }, at) => (name.startsWith(`${numbered[1]} `) ? [at] : []));
  return places[Number(numbered[2]) - 1] ?? -1;
}
