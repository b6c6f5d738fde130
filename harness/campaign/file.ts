/** The file of a campaign: peers x documents x roles x parameters. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { isDefinitionFile } from "../../peers/external.ts";
import { parseYaml, readText } from "../run/yaml-file.ts";

/** A part of a cell's name, which is a folder on any file system and in any artefact. */
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, "must be letters, digits, dots and hyphens");

const isNumber = (value: unknown): boolean => typeof value === "number";
const text = z.preprocess((value) => (isNumber(value) ? String(value) : value), z.string().min(1));
const texts = z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(text).min(1));

const ROLES = ["initiator", "responder", "both"] as const;

const documentSchema = z.strictObject({
  /** `rfc7296`, a part of it as `rfc7296/2.8`, or one revision as `esp-ping@E3`. */
  name: text,
  /** Only these. Not set: all. */
  sections: texts.optional(),
  /** Names, or `all`. Not set: the newest. */
  revisions: texts.optional(),
});

const parametersSchema = z.strictObject({
  /** Results of different parameters are not merged, but stand side by side in the site. */
  name: label.default("plain"),
  seed: text.default("1"),
  ...{ variant: text.optional(), lie: text.optional(), grep: text.optional() },
  /** A file, seen from that of the campaign, or `none`. Not set: each peer's own. */
  baseline: text.optional(),
  /** Hard end of one test, in seconds, and of a cell, in minutes. */
  "test-limit": z.int().min(1).max(20_000).default(120),
  limit: z.int().min(1).max(20_000).default(120),
});

const excludeSchema = z.strictObject({
  ...{ peer: texts.optional(), document: texts.optional() },
  ...{ role: texts.optional(), parameters: texts.optional() },
});

const schema = z.strictObject({
  /** As `--peer` has them; definition files are seen from the folder of the campaign. */
  peers: z.array(text).min(1).default(["builtin"]),
  /** Not set: all. */
  documents: z
    .array(z.preprocess((value) => (typeof value === "string" ? { name: value } : value), documentSchema))
    .min(1)
    .optional(),
  /** The role the peer plays. */
  roles: z.array(z.enum(ROLES)).min(1).default(["both"]),
  parameters: z
    .array(parametersSchema)
    .min(1)
    .default([parametersSchema.parse({})]),
  /** Combinations that are left out: those in which all that an entry names agrees. */
  exclude: z.array(excludeSchema).default([]),
  /** How long cells took, which shards are balanced by. */
  durations: text.default("durations.json"),
});

export type Parameters = z.infer<typeof parametersSchema>;
export type DocumentChoice = z.infer<typeof documentSchema>;
export type Exclusion = z.infer<typeof excludeSchema>;

/** A campaign as its file has it; paths are whole. */
export interface CampaignFile extends z.infer<typeof schema> {
  /** As the user named it. */
  path: string;
}

const FIELDS: Record<string, string[]> = {
  documents: Object.keys(documentSchema.shape),
  parameters: Object.keys(parametersSchema.shape),
  exclude: Object.keys(excludeSchema.shape),
};

/** @throws FileError naming the field, and the nearest for one that does not exist */
export const readCampaign = (path: string): CampaignFile => parseCampaign(readText(path, path), path);

/** @throws FileError */
export function parseCampaign(yaml: string, path: string): CampaignFile {
  const fieldsAt = ([first]: readonly PropertyKey[]) =>
    (first === undefined ? undefined : FIELDS[String(first)]) ?? Object.keys(schema.shape);
  const campaign = parseYaml(yaml, path, schema, fieldsAt);
  const at = (file: string) => resolve(dirname(path), file);
  return {
    ...campaign,
    path,
    peers: campaign.peers.map((peer) => (isDefinitionFile(peer) ? at(peer) : peer)),
    parameters: campaign.parameters.map((one) =>
      one.baseline === undefined || one.baseline === "none" ? one : { ...one, baseline: at(one.baseline) },
    ),
    durations: at(campaign.durations),
  };
}
