/** Names that a newcomer gives to documents, tests and lies. */
import { UsageError } from "../run/usage-error.ts";

/** An option or argument, as it is said in an error. */
type Field = string;

function checked(field: Field, given: string, pattern: RegExp, must: string): string {
  if (!pattern.test(given)) throw new UsageError(`${field} ${JSON.stringify(given)}: must be ${must}`);
  return given;
}

const MOST = 60;

/** `rfc9999`, or the name of a draft without its revision. @throws UsageError */
export function documentName(given: string): string {
  const [, draft, revision] = /^(draft-.+)-(\d\d)$/.exec(given) ?? [];
  if (draft !== undefined)
    throw new UsageError(`name "${given}": the revision is apart: ${draft} --revision ${revision}`);
  if (given.length > MOST) throw new UsageError(`name "${given}": must have ${MOST} characters at most`);
  const must = "rfcNUMBER, or draft-NAME in lower-case letters, digits and hyphens";
  return checked("name", given, /^(rfc[1-9]\d{0,4}|draft(-[a-z0-9]+)+)$/, must);
}

/** Of a draft, as a user types it behind `--revision DOCUMENT=`; undefined for an RFC. @throws UsageError */
export function revisionName(document: string, given: string | undefined): string | undefined {
  if (document.startsWith("draft-"))
    return checked("--revision", given ?? "00", /^\d\d$/, "two digits, as in 00");
  if (given !== undefined) throw new UsageError(`--revision ${given}: an RFC has none`);
  return undefined;
}

/** One line that stands in YAML and in TypeScript between double quotes. @throws UsageError */
export const titleText = (given: string): string =>
  checked(
    "--title",
    given,
    /^[^"\\\p{C}\p{Zl}\p{Zp}]*[^"\\\p{C}\p{Z}][^"\\\p{C}\p{Zl}\p{Zp}]*$/u,
    "one line of text without quotation marks",
  );

/** Of a test or a lie. @throws UsageError naming the field */
export function sentence(field: Field, given: string): string {
  if (given.length > MOST) throw new UsageError(`${field} "${given}": must have ${MOST} characters at most`);
  const must = "words in lower case with hyphens between them, as in sends-a-nonce";
  return checked(field, given, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, must);
}

/** Of a document, as it begins the name of a suite file: `2.8`, or `4303.3.4.3` in another one. @throws UsageError */
export const sectionName = (given: string): string =>
  checked("section", given, /^[0-9A-Za-z]+(\.[0-9A-Za-z]+)*$/, "as in 2.8");

/** What rows of a document begin with: `FOO-BAR` of draft-foo-bar and of draft-ietf-ipsecme-foo-bar. */
export const rowPrefix = (document: string): string =>
  document.replace(/^draft-(ietf-[a-z0-9]+-(?=.))?/, "").toUpperCase();

/** `breaksFooBar01` of `breaks-foo-bar-01`. */
export const camelCase = (name: string): string =>
  name.replace(/-([a-z0-9])/g, (_, first: string) => first.toUpperCase());
