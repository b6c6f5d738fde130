/** Values as TypeScript literals, laid out as the formatter of this project does. */

const WIDTH = 110;
/** Below that a field's name and colon leave its value nothing to win by a line of its own. */
const SHORT = 3;
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/**
 * The literal of plain data, to stand in a line that is `column` wide already and whose own indentation is `indent`;
 * `after` is what follows it in its last line. What is not set is left out.
 */
export function literal(value: unknown, indent: number, column: number, after = 1): string {
  const flat = flatLiteral(value);
  if (typeof value !== "object" || value === null) return flat;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const parts: [head: string, item: unknown][] = Array.isArray(value)
    ? value.map((item: unknown) => ["", item])
    : entriesOf(value).map(([key, item]) => [`${keyOf(key)}:`, item]);
  if (parts.length === 0 || (!mustBreak(value) && column + flat.length + after <= WIDTH)) return flat;
  const inner = indent + 2;
  const pad = " ".repeat(inner);
  const lines = parts.map(([head, item]) => `${pad}${head}${valueAfter(head, item, inner)},`);
  return `${open}\n${lines.join("\n")}\n${" ".repeat(indent)}${close}`;
}

/** What follows the name and colon of a field, or nothing in a list; text that is too long for that has a line of its own. */
export function valueAfter(head: string, value: unknown, indent: number): string {
  if (head === "") return literal(value, indent, indent);
  const column = indent + head.length + 1;
  const text = literal(value, indent, column);
  const fits = typeof value !== "string" || head.length <= SHORT || column + text.length + 1 <= WIDTH;
  return fits ? ` ${text}` : `\n${" ".repeat(indent + 2)}${text}`;
}

function flatLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flatLiteral).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = entriesOf(value).map(([key, item]) => `${keyOf(key)}: ${flatLiteral(item)}`);
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  return typeof value === "string" ? quoted(value) : String(value);
}

/** Several objects of several fields, one below the other, are easier to read; the formatter sees to it. */
function mustBreak(value: unknown): boolean {
  if (!Array.isArray(value))
    return typeof value === "object" && value !== null && Object.values(value).some(mustBreak);
  const items: unknown[] = value;
  const many =
    items.length > 1 &&
    (items.every((item) => isObject(item) && entriesOf(item).length > 1) ||
      items.every((item) => Array.isArray(item) && item.length > 1));
  return many || items.some(mustBreak);
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const entriesOf = (value: object): [string, unknown][] =>
  Object.entries(value).filter(([, item]) => item !== undefined);

const keyOf = (key: string): string => (NAME.test(key) ? key : quoted(key));

/** In the quotes of which there are fewer in the text. */
export function quoted(text: string): string {
  const double = JSON.stringify(text).replace(
    /[\u007f-\u00a0\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
    escaped,
  );
  const count = (mark: string) => text.split(mark).length - 1;
  if (count('"') <= count("'")) return double;
  return `'${double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
