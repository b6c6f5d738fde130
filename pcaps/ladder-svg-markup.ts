/** Elements of SVG, escaped by construction. */
import { asEscape, withEntities } from "./inert-text.ts";

/** Markup that is well-formed: made by {@link element} alone. */
export class Svg {
  readonly text: string;
  constructor(name: string, attributes: Attributes, children: readonly Child[]) {
    const open = Object.entries(attributes).map(([key, value]) => attribute(key, value));
    const inside = children.map(childText).join("");
    this.text = inside === "" ? `<${name}${open.join("")}/>` : `<${name}${open.join("")}>${inside}</${name}>`;
  }
}

/** An attribute that is not set is left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;
export type Child = Svg | string | false | undefined;

/** Names are those of this program; values and text may be anyone's. */
export const element = (name: string, attributes: Attributes, ...children: Child[]): Svg =>
  new Svg(name, attributes, children);

function attribute(key: string, value: string | number | undefined): string {
  if (value === undefined) return "";
  const text = typeof value === "number" ? String(Math.round(value * 100) / 100) : escaped(value);
  return ` ${key}="${text}"`;
}

const childText = (child: Child): string =>
  child instanceof Svg ? child.text : typeof child === "string" ? escaped(child) : "";

/** Newlines are left: they stand between the lines of tooltips. */
const escaped = (text: string): string =>
  text
    .split("\n")
    .map((line) => withEntities(inert(line)))
    .join("\n");

/** Most text is plain, and looking at its letters one by one would be most of the work. */
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * A text in a line in which nothing is invisible, reorders what follows, or is forbidden in XML: control and format
 * characters, surrogates, and what has no meaning yet are shown as `\u{1b}`.
 */
const inert = (text: string): string =>
  PLAIN.test(text) ? text : text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, asEscape);

/** No longer than `most` characters, the last of which tells that it was cut. */
export function cut(text: string, most: number): string {
  // What is far too long is not looked at letter by letter.
  const plain = inert(text.slice(0, 4 * most));
  if (PLAIN.test(plain)) return plain.length <= most ? plain : `${plain.slice(0, most - 1)}…`;
  const letters = [...plain];
  return letters.length <= most ? letters.join("") : `${letters.slice(0, most - 1).join("")}…`;
}
