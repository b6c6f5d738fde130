/** Where tests and requirements come from: files of the suites, and texts that can be linked to. */
import { documentLabel, type Level, type TestResult } from "./results.ts";

/** Where a test is written. */
export interface Place {
  /** From the root of the project, with forward slashes: `suites/rfc7296/2.8-rekeying.suite.ts`. */
  file: string;
  /** Counted from 1; absent when it is not known. */
  line?: number;
}

export interface Origins {
  /** By test id. */
  places?: ReadonlyMap<string, Place>;
  /** By {@link documentLabel}: the text that it stands for, as in `rfc9838` or `draft-ietf-ipsecme-ikev2-mlkem`. */
  texts?: ReadonlyMap<string, string>;
  /** The requirements of documents, by id. */
  catalogues?: readonly {
    document: string;
    title: string;
    requirements: Readonly<Record<string, { section: string; level: Level; text: string }>>;
  }[];
}

const RFC_EDITOR = "https://www.rfc-editor.org/rfc";
const DATATRACKER = "https://datatracker.ietf.org/doc/html";

/** `2.15`, or of another RFC as in `7296-2.15`, `7296.2.15`, `7296 2.15`; the first where several are named. */
const SECTION = /^(?:(?<rfc>\d{4,5})(?:[-. ]|$))?(?<number>\d+(?:\.\d+)*|[A-Z](?:\.\d+)*)?(?=$|[ ,/])/;

/**
 * The address of a section: an RFC's at the RFC Editor, a draft's at the datatracker. Undefined for a document whose
 * text is not known; without its section where that is none of the text's numbers.
 */
export function sectionLink(
  { document, revision, section }: Pick<TestResult, "document" | "revision" | "section">,
  texts: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  const { rfc, number } = SECTION.exec(section)?.groups ?? {};
  const text = rfc === undefined ? textOf(document, revision, texts) : `rfc${rfc}`;
  if (text === undefined) return undefined;
  const page = `${text.startsWith("rfc") ? RFC_EDITOR : DATATRACKER}/${text}`;
  if (number === undefined) return page;
  return `${page}#${/^\d/.test(number) ? "section" : "appendix"}-${number}`;
}

function textOf(document: string, revision: string, texts: ReadonlyMap<string, string>): string | undefined {
  const named = texts.get(documentLabel({ document, revision })) ?? document;
  return /^(?:rfc\d+|draft-[a-z0-9-]+)$/.test(named) ? named : undefined;
}
