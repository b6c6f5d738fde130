/**
 * What a suite pins: a document, its revisions and its code points. One file per document, in this folder; none imports
 * a registry, for the registries take their entries from here.
 */
import type { RegistryEntry } from "../registry/registry.ts";

/**
 * `assigned`: by IANA. `requested`: the text asks for this value, or prototypes use it. `private use`: our choice
 * until there is a number.
 */
export type RegistryState = "assigned" | "requested" | "private use";

export interface CodePoint extends RegistryEntry {
  state: RegistryState;
}

export type CodePointTables = { readonly [registry: string]: readonly CodePoint[] };

/** A revision that differs from others on the wire. */
export interface Revision {
  /** As a user types it behind `--revision`: `M`, `01`. */
  name: string;
  /** The texts that it stands for. */
  text: string;
}

export interface DocumentFacts {
  /** The folder in `suites`. */
  name: string;
  title: string;
  /** The text by its own name, as in `rfc9838`, where neither `name` nor a revision says it. */
  text?: string;
  /** Newest first; the first is the default. Empty for a text with one form only. */
  revisions: readonly Revision[];
  /** What of it is our own definition, because no text could be read. Absent: nothing. */
  provisional?: string;
  /**
   * The numbers that it defines, by the constant that holds their registry: `NOTIFY`, `EXCHANGE`. The registries in
   * `harness/wire/registry` take them from here.
   */
  codePoints: CodePointTables;
}
