/** The requirements of the documents: `suites/<document>/requirements.yaml`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Level } from "../../reports/results.ts";
import { suitesFolder } from "./suites.ts";
import { parseYaml } from "./yaml-file.ts";

const requirementSchema = z.strictObject({
  section: z.string(),
  level: z.enum(["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stmt"]),
  who: z.string(),
  text: z.string(),
  /** How a tester sees it; `untestable` gives the reason why he cannot. */
  observed: z.string().optional(),
  untestable: z
    .union([z.string(), z.partialRecord(z.enum(["initiator", "responder"]), z.string())])
    .optional(),
  /** The roles of the peer in which the text binds it. */
  roles: z.array(z.enum(["initiator", "responder"])).optional(),
});
export type Requirement = z.infer<typeof requirementSchema>;

const catalogueSchema = z.strictObject({
  document: z.string(),
  title: z.string(),
  requirements: z.record(z.string(), requirementSchema),
});
export type Catalogue = z.infer<typeof catalogueSchema>;

const loaded = new Map<string, Catalogue | undefined>();

/** Names of all documents that have a catalogue. */
export const documents = (): string[] =>
  readdirSync(suitesFolder)
    .filter((name) => existsSync(join(suitesFolder, name, "requirements.yaml")))
    .sort();

/** The catalogue of a document; undefined if it has none. @throws FileError */
export function catalogue(document: string): Catalogue | undefined {
  if (!loaded.has(document)) loaded.set(document, load(document));
  return loaded.get(document);
}

function load(document: string): Catalogue | undefined {
  const file = join(suitesFolder, document, "requirements.yaml");
  if (!existsSync(file)) return undefined;
  return parseYaml(
    readFileSync(file, "utf8"),
    `suites/${document}/requirements.yaml`,
    catalogueSchema,
    ({ length }) => Object.keys(length === 0 ? catalogueSchema.shape : requirementSchema.shape),
  );
}

const STRENGTH: Level[] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stmt"];

/** The strongest level among the requirements. */
export function levelOf(document: string, ids: string[]): Level {
  const known = catalogue(document)?.requirements ?? {};
  const levels = ids.map((id) => known[id]?.level ?? "stmt");
  return STRENGTH.find((level) => levels.includes(level)) ?? "stmt";
}
