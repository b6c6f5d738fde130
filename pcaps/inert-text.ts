/** Text that anyone may have written, made inert: escapes, entities, and lines of plain columns. */

/** As in `\u{1b}`: a character that is told, not shown. */
export const asEscape = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For element content and quoted attribute values of HTML and XML. */
export const withEntities = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

/** Columns are only counted right in ASCII; everything else is shown as an escape. */
export const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/gu, asEscape);

/** Lines of at most `width` characters, cut at spaces where there are any; none for an empty text. */
export function wrap(text: string, width: number): string[] {
  const words = text.split(" ").flatMap((word) => word.match(new RegExp(`.{1,${width}}`, "g")) ?? []);
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
