/** Texts and addresses as SARIF 2.1.0 wants them. */
import { brief, linkTo } from "./text.ts";

/** Messages are shown in lists; the evidence has the rest. */
const LONGEST = 1_000;

/** `linkTo` keeps a step in front, which a base needs as little as a reader. */
export const uriOf = (path: string): string => linkTo(path).slice("./".length);

/** Brackets would be links in a message, and braces its arguments (SARIF 3.11.5 and 3.11.6). */
export const message = (text: string): { text: string } => ({
  text: brief(text, LONGEST)
    .replace(/[\\[\]]/g, "\\$&")
    .replace(/[{}]/g, "$&$&"),
});
