/** Views as lines for a terminal and as JSON lines. */
import {
  fieldsOfNodes,
  labelsOf,
  nodeOfPayload,
  nodesOfFields,
  PATH_SEPARATOR,
} from "../harness/wire/fields.ts";
import { ascii } from "./inert-text.ts";
import type { FieldTree, View } from "./view.ts";

/** As in `   12    0.012345  192.0.2.1:500 > 192.0.2.2:500  IKE_SA_INIT request 0: SA KE No (note)`, with a newline. */
export function showLine(view: View, startMs: number): string {
  const { at, timeMs, source = "", destination = "", text, note } = view;
  const time = ((timeMs - startMs) / 1000).toFixed(6);
  const remark = note === undefined ? "" : ` (${note})`;
  return `${String(at).padStart(6)} ${time.padStart(11)}  ${ascii(`${source} > ${destination}  ${text}${remark}`)}\n`;
}

/** Every field of a view in a line of its own, under its line. */
export function showFields(view: View): string {
  const lines = [
    ...(view.header ? fieldsOfNodes(nodesOfFields(view.header), "header") : []).map(fieldText),
    ...treeLines(view.clear, ""),
    ...treeLines(view.inner ?? [], view.kind === "ike" ? `SK${PATH_SEPARATOR}` : ""),
    ...(view.findings ?? []).map(
      ({ offset, inside, field, reason }) =>
        `! octet ${offset}${inside ? " inside" : ""}: ${field}: ${reason}`,
    ),
  ];
  return lines.map((line) => `${" ".repeat(20)}${ascii(line)}\n`).join("");
}

/** A payload without fields is told as well. */
function treeLines(trees: readonly FieldTree[], above: string): string[] {
  const nodes = trees.map(nodeOfPayload);
  const labels = labelsOf(nodes);
  const fields = fieldsOfNodes(nodes, above.replace(PATH_SEPARATOR, ""));
  return nodes.flatMap((_, at) => {
    const label = `${above}${labels[at]}`;
    const own = fields.filter(({ path }) => path === label || path.startsWith(`${label}${PATH_SEPARATOR}`));
    return own.length > 0 ? own.map(fieldText) : [label];
  });
}

const fieldText = ({ path, value }: { path: string; value: string }): string => `${path}: ${value}`;

/** A view as a line of JSON, with a newline. */
export const showJson = (view: View): string => `${JSON.stringify(view)}\n`;
