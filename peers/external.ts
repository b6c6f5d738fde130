/** Definitions of peers that are not of this program: a file of a user's names an image, an address, or a program. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { FileError, parseYaml, readText } from "../harness/run/yaml-file.ts";
import type { ChosenPeer } from "./definition.ts";

const several = z.union([z.string(), z.array(z.string()).min(1)]).transform((given) => [given].flat());
const port = z.int().min(0).max(65_535);

const schema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens"),
  /** Names its baseline, `baselines/<name>@<version>.yaml`. */
  version: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.]*$/, "must be letters, digits and dots")
    .default("unknown"),
  /** A driver, seen from the folder of the file: it speaks the verbs of the contract on its standard input and output. */
  program: several.optional(),
  /** Of a program. `loopback`: both ends are on 127.0.0.1 and need no root. */
  network: z.enum(["namespace", "loopback"]).optional(),
  /** A container's image; `driver` is the command in it that speaks the verbs. */
  image: z.string().min(1).optional(),
  driver: several.optional(),
  /** Where it is there already; the fields below are the options of `bakeoff run` for it. */
  address: z.string().optional(),
  ...{ psk: z.string().optional(), "psk-file": z.string().optional() },
  ...{ id: z.string().optional(), "remote-id": z.string().optional() },
  ...{ port: port.optional(), "nat-port": port.optional() },
  ...{ "local-address": z.string().optional(), "local-port": port.optional() },
  ...{ encap: z.string().optional(), mode: z.string().optional() },
  ...{ ike: several.optional(), esp: several.optional() },
  ...{ "local-ts": several.optional(), "remote-ts": several.optional() },
  /** How it is made to begin. */
  ...{ hook: z.string().optional(), command: z.string().optional(), prompt: z.literal(true).optional() },
});
type Definition = z.infer<typeof schema>;

const KINDS = ["program", "image", "address"] as const;
const OF: Record<(typeof KINDS)[number], readonly (keyof Definition)[]> = {
  program: ["network"],
  image: ["driver"],
  address: [
    ...(["psk", "psk-file", "id", "remote-id", "port", "nat-port", "local-address", "local-port"] as const),
    ...(["encap", "mode", "ike", "esp", "local-ts", "remote-ts", "hook", "command", "prompt"] as const),
  ],
};

/** One definition; its programs and files are seen from `folder`. */
export interface ExternalDefinition extends Definition {
  /** Its own name, as it was given. */
  file: string;
  folder: string;
  kind: (typeof KINDS)[number];
}

/** Whether a user's `--peer` names such a file. */
export const isDefinitionFile = (spec: string): boolean => /\.ya?ml$/.test(spec);

/** @throws FileError naming the field */
export function readExternal(path: string): ExternalDefinition {
  return parseExternal(readText(path, path), path);
}

/** @throws FileError naming the field */
export function parseExternal(text: string, path: string): ExternalDefinition {
  const definition = parseYaml(text, path, schema, () => Object.keys(schema.shape));
  const given = KINDS.filter((name) => definition[name] !== undefined);
  const [kind] = given;
  if (!kind || given.length > 1)
    throw new FileError(path, kind ? String(given[1]) : "document", `needs one of ${KINDS.join(", ")}`);
  for (const other of KINDS)
    for (const field of other === kind ? [] : OF[other])
      if (definition[field] !== undefined) throw new FileError(path, field, `is for a peer with ${other}`);
  return { ...definition, kind, file: path, folder: dirname(resolve(path)) };
}

/** As plans and reports have it. */
export function chosenExternal({ name, version, kind, network, file }: ExternalDefinition): ChosenPeer {
  const runtime = {
    program: network === "loopback" ? ("process" as const) : ("netns" as const),
    ...{ image: "docker" as const, address: "address" as const },
  }[kind];
  const its = { version };
  const definition = { name, versions: [its], runtimes: [runtime] };
  return { definition, version: its, runtime, external: true, file };
}
