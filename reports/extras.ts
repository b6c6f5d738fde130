/** What a report tells beyond the results. */
import type { Origins } from "./origins.ts";
import type { Level, TestResult } from "./results.ts";

export type Role = TestResult["role"];

/** A row of a document's catalogue, `suites/<document>/requirements.yaml`. */
export interface CatalogueEntry {
  section: string;
  level: Level;
  /** Whom the text binds, in its own words. */
  who: string;
  /** The roles in which a peer can come to be bound. */
  roles: readonly Role[];
  /** The requirement in our own words. */
  text: string;
  /** What a tester does and sees. */
  observed?: string | undefined;
  /** Why a tester on the wire cannot see it: in none of the roles, or in those named. */
  untestable?: string | Partial<Record<Role, string>> | undefined;
}

export interface DocumentCatalogue {
  document: string;
  title: string;
  /** By id, in the order of the text. */
  requirements: Readonly<Record<string, CatalogueEntry>>;
}

export interface Extras extends Origins {
  /** Doc comment by test id. */
  documentation?: ReadonlyMap<string, string>;
  /** Without the catalogue of a document its page knows requirements by id only, and has no scores. */
  catalogues?: readonly DocumentCatalogue[];
}
