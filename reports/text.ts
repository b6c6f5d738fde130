/** What all report formats share in treating text that a peer or a test wrote. */
import { asEscape, withEntities } from "../pcaps/inert-text.ts";
import type { Withheld } from "./results.ts";

/** Control characters but tab and newline, bidirectional controls, lone surrogates and U+FFFE/FFFF. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Cs}/gu;

/**
 * Text as a reader may see it safely: what would be invisible, reorder the line or make a document ill-formed is
 * shown as `\u{1b}`. Tab and newline stay; CR LF becomes a newline.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(UNPRINTABLE, (c) => (c === "\n" || c === "\t" ? c : asEscape(c)));
}

/** As one line: `printable`, and every run of white space a single space. */
export const oneLine = (text: string): string =>
  printable(text)
    .replace(/[\s\u2028\u2029]+/g, " ")
    .trim();

/** One line of at most `most` characters; what was cut off is told by its number. */
export function brief(text: string, most: number): string {
  const characters = [...oneLine(text)];
  const rest = characters.length - most;
  return rest <= 0 ? characters.join("") : `${characters.slice(0, most).join("")} (${rest} more characters)`;
}

/** For element content and quoted attribute values of HTML and XML. */
export const escapeMarkup = (text: string): string => withEntities(printable(text));

/** A path relative to OUT as a link: every segment encoded, so that no scheme and no host can be in it. */
export function linkTo(path: string): string {
  return (
    "./" +
    path
      .split("/")
      .map((segment) => encodeURIComponent(printable(segment)))
      .join("/")
  );
}

/** `1.2 s`, `340 ms`, `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `1 test`, `2 tests`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `libreswan@5.2:uml: 9 tests withheld by baselines/libreswan@5.2.yaml`. */
export const withheldText = ({ peer, file, tests }: Withheld): string =>
  `${peer}: ${plural(tests, "test")} withheld by ${file}`;
