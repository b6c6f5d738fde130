/** The requirements of the documents: `suites/<document>/requirements.yaml`. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { PeerRole } from "../../peers/contract.ts";
import type { Level } from "../../reports/results.ts";
import { suitesFolder } from "./suites.ts";
import { parseYaml, readText } from "./yaml-file.ts";

export const ROLES = ["initiator", "responder"] as const satisfies readonly PeerRole[];

/** Strongest first. `stmt` is a statement without key word. */
export const LEVELS = [
  "MUST",
  "MUST NOT",
  "SHOULD",
  "SHOULD NOT",
  "MAY",
  "stmt",
] as const satisfies readonly Level[];

const roleSchema = z.enum(ROLES);
const text = z.string().regex(/\S/, "must not be empty");

const requirementSchema = z
  .strictObject({
    section: text,
    level: z.enum(LEVELS),
    /** Whom the text binds, in its own words: a sender, the initiator of an exchange, the side behind a NAT. */
    who: text,
    /** The roles in which a peer can come to be bound. Either end may begin an exchange once the IKE SA is up. */
    roles: z.array(roleSchema).min(1, "must name a role"),
    /** The requirement in our own words. */
    text,
    /** What a tester does and sees; absent where he can see nothing in any role. */
    observed: text.optional(),
    /** Why a tester on the wire cannot see it: in none of the roles, or in those named. */
    untestable: z.union([text, z.partialRecord(roleSchema, text)]).optional(),
  })
  .superRefine((requirement, context) => {
    for (const [field, problem] of contradictions(requirement))
      context.addIssue({ code: "custom", path: [field], message: problem });
  });
export type Requirement = z.infer<typeof requirementSchema>;

type Said = Pick<Requirement, "roles" | "observed" | "untestable">;

/** What cannot be said together, by field. */
function contradictions({ roles, observed, untestable }: Said): [field: string, problem: string][] {
  const excepted = typeof untestable === "object" ? ROLES.filter((role) => role in untestable) : [];
  const nowhere = typeof untestable === "string";
  const checks: [string, boolean, string][] = [
    ["roles", new Set(roles).size < roles.length, "names a role twice"],
    ["untestable", excepted.some((role) => !roles.includes(role)), "names a role that is not in roles"],
    [
      "untestable",
      roles.every((role) => excepted.includes(role)),
      "must be one reason if it is for all roles",
    ],
    ["observed", !nowhere && observed === undefined, "is missing where untestable is"],
    ["observed", nowhere && observed !== undefined, "cannot be beside untestable"],
  ];
  return checks.flatMap(([field, wrong, problem]) => (wrong ? [[field, problem]] : []));
}

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

/** The catalogues of these documents. @throws FileError */
export const catalogues = (names: readonly string[] = documents()): Catalogue[] =>
  names.flatMap((name) => catalogue(name) ?? []);

function load(document: string): Catalogue | undefined {
  const file = join(suitesFolder, document, "requirements.yaml");
  if (!existsSync(file)) return undefined;
  const name = `suites/${document}/requirements.yaml`;
  return parseCatalogue(readText(file, name), name);
}

/** Reads the text of a requirements file; `file` is its name in errors. @throws FileError */
export const parseCatalogue = (yaml: string, file: string): Catalogue =>
  parseYaml(yaml, file, catalogueSchema, ({ length }) =>
    Object.keys(length === 0 ? catalogueSchema.shape : requirementSchema.shape),
  );

/** Whether the text binds a peer in this role. */
export const binds = (requirement: Requirement, role: PeerRole): boolean => requirement.roles.includes(role);

/** Why a tester cannot see whether a peer in this role conforms; undefined if he can. */
export const untestableIn = ({ untestable }: Requirement, role: PeerRole): string | undefined =>
  typeof untestable === "string" ? untestable : untestable?.[role];

export const isTestable = (requirement: Requirement, role: PeerRole): boolean =>
  binds(requirement, role) && untestableIn(requirement, role) === undefined;

/** The strongest level among the requirements. */
export function levelOf(document: string, ids: string[]): Level {
  const known = catalogue(document)?.requirements ?? {};
  const levels = ids.map((id) => known[id]?.level ?? "stmt");
  return LEVELS.find((level) => levels.includes(level)) ?? "stmt";
}
