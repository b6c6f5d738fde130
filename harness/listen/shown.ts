/** Views as pages show them: labelled text, bounded whatever came. */

import type { FieldTree, View } from "../../pcaps/view.ts";
import { printable } from "../../reports/text.ts";
import type { Tree } from "../wire/text.ts";
import type { ShownField } from "./types.ts";

const MOST_FIELDS = 400;
const MOST_TEXT = 400;
const MOST_DEPTH = 8;

/** At most so many characters, none of which a terminal obeys. */
export function cut(text: string, most = MOST_TEXT): string {
  const safe = printable(text);
  return safe.length > most ? `${safe.slice(0, most)}...` : safe;
}

/** The payloads of a view, those inside of SK in it. */
export function shownPayloads({ clear, inner }: View): ShownField[] {
  const room = { left: MOST_FIELDS };
  const outside = clear.map((tree) => payloadField(tree, room));
  if (!inner) return outside;
  return [...outside, { label: "SK", fields: inner.map((tree) => payloadField(tree, room)) }];
}

function payloadField(tree: FieldTree, room: { left: number }): ShownField {
  const { kind, ...rest } = tree;
  return { label: typeof kind === "string" ? cut(kind, 80) : "payload", ...content(rest, room, 1) };
}

function content(tree: Tree, room: { left: number }, depth: number): Omit<ShownField, "label"> {
  if (typeof tree !== "object" || tree === null) return { text: cut(String(tree)) };
  const entries = Array.isArray(tree)
    ? tree.map((value, index): [string, Tree] => [String(index + 1), value])
    : Object.entries(tree);
  if (depth > MOST_DEPTH) return { text: `${entries.length} more fields` };
  const fields: ShownField[] = [];
  for (const [label, value] of entries) {
    if (room.left <= 0) {
      fields.push({ label: "...", text: `${entries.length - fields.length} more` });
      break;
    }
    room.left -= 1;
    fields.push({ label: cut(label, 80), ...content(value, room, depth + 1) });
  }
  return { fields };
}
