/** HTML that cannot be injected into: the `html` tag escapes every value that is not itself made by it. */
import { escapeMarkup } from "../text.ts";

const made = Symbol("markup");

/** A piece of HTML made by {@link html}. */
export interface Markup {
  readonly [made]: string;
}

/** What may stand in a template: text and numbers are escaped, lists are joined, `undefined` and `false` vanish. */
export type Fragment = string | number | Markup | undefined | false | readonly Fragment[];

export function html(strings: TemplateStringsArray, ...values: Fragment[]): Markup {
  const text = strings.reduce((sum, part, index) => sum + render(values[index - 1]) + part);
  return { [made]: text };
}

/** Text that is part of the program and must stand unescaped: style sheets and scripts. */
export function trusted(text: string): Markup {
  return { [made]: text };
}

export function render(value: Fragment): string {
  if (value === undefined || value === false) return "";
  if (typeof value === "string") return escapeMarkup(value);
  if (typeof value === "number") return String(value);
  if (made in value) return value[made];
  return value.map(render).join("");
}
