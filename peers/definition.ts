/** The peers this program knows: `peers/<name>/peer.yaml`, and how a user names one of them. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { nearest } from "../harness/run/nearest.ts";
import { FileError, parseYaml, readText } from "../harness/run/yaml-file.ts";
import { type CodePointOverrides, codePointNames } from "../harness/wire/documents/code-point.ts";
import type { PeerDefinition, PeerVersion, RuntimeName } from "./contract.ts";

const runtime = z.enum(["memory", "process", "netns", "uml", "docker", "address"]);
const name = z.string().regex(/^[a-z][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens");
const packages = z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be the name of a Debian package"));

/** By the names of the documents' code points. */
const codePoints = z.record(z.string(), z.int().min(0)).superRefine((numbers, context) => {
  const known = codePointNames();
  for (const given of Object.keys(numbers)) {
    if (known.includes(given)) continue;
    const message = `no document has this code point, nearest: ${nearest(given, known)}`;
    context.addIssue({ code: "custom", path: [given], message });
  }
});

const versionSchema = z.strictObject({
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.]*$/, "must be letters, digits and dots"),
  suite: name.optional(),
  runtimes: z.array(runtime).min(1).optional(),
  codePoints: codePoints.optional(),
});

const definitionSchema = z.strictObject({
  name,
  versions: z.array(versionSchema).min(1),
  runtimes: z.array(runtime).min(1),
  packages: packages.optional(),
  codePoints: codePoints.optional(),
});

/** A NAME[@VERSION][:RUNTIME] that names no peer: which part is wrong and the valid name nearest to it. */
export class PeerNameError extends Error {
  readonly part: "name" | "version" | "runtime";
  readonly nearest: string | undefined;

  constructor(part: "name" | "version" | "runtime", given: string, of: string, valid: string[]) {
    const close = nearest(given, valid);
    super(
      `unknown peer ${part} "${given}"${of}, nearest: ${close ?? "none"} (there ${valid.length === 1 ? "is" : "are"} ${valid.join(", ")})`,
    );
    this.name = "PeerNameError";
    this.part = part;
    this.nearest = close;
  }
}

/** One peer as a lane runs it. */
export interface ChosenPeer {
  definition: PeerDefinition;
  version: PeerVersion;
  runtime: RuntimeName;
  /** It is none of this program's own: `peers/external.ts`. */
  external?: true;
  /** The definition file that names it, if one does. */
  file?: string;
}

/**
 * Reads one definition from YAML text.
 * @throws FileError naming the field
 */
export function parseDefinition(text: string, file: string): PeerDefinition {
  return parseYaml(text, file, definitionSchema, ([first]) =>
    Object.keys(first === "versions" ? versionSchema.shape : definitionSchema.shape),
  );
}

/**
 * Every definition below `folder`, sorted by name.
 * @throws FileError for the first that is wrong
 */
export function loadDefinitions(folder: string = import.meta.dirname): PeerDefinition[] {
  const definitions: PeerDefinition[] = [];
  for (const entry of readdirSync(folder).sort()) {
    const file = join(folder, entry, "peer.yaml");
    if (!existsSync(file)) continue;
    const name = `peers/${entry}/peer.yaml`;
    const definition = parseDefinition(readText(file, name), name);
    if (definition.name !== entry) {
      throw new FileError(name, "name", `must be the name of its folder, ${entry}`);
    }
    definitions.push(definition);
  }
  return definitions;
}

/** Runtimes of one version, best first. */
export function runtimesOf(definition: PeerDefinition, version: PeerVersion): RuntimeName[] {
  return version.runtimes ?? definition.runtimes;
}

/** Numbers that a peer uses in place of those of the documents. */
export const codePointsOf = ({ definition, version }: ChosenPeer): CodePointOverrides => ({
  ...definition.codePoints,
  ...version.codePoints,
});

/**
 * The peer that `NAME[@VERSION][:RUNTIME]` names; the newest version and the best runtime where left out, or
 * `$BAKEOFF_RUNTIME` where it has that.
 * A longer version (`6.1.0`) names the one it begins with.
 * @throws PeerNameError with the nearest valid name
 */
export function findPeer(spec: string, definitions: PeerDefinition[] = loadDefinitions()): ChosenPeer {
  const parts = /^(?<name>[^@:]*)(@(?<version>[^:]*))?(:(?<runtime>.*))?$/s.exec(spec)?.groups;
  const wanted = parts?.name ?? spec;
  const versionWanted = parts?.version;
  const runtimeWanted = parts?.runtime;
  const definition = definitions.find((candidate) => candidate.name === wanted);
  if (!definition)
    throw new PeerNameError(
      "name",
      wanted,
      "",
      definitions.map((candidate) => candidate.name),
    );
  const version =
    versionWanted === undefined
      ? definition.versions[0]!
      : definition.versions.find(
          (v) => versionWanted === v.version || versionWanted.startsWith(`${v.version}.`),
        );
  if (!version) {
    throw new PeerNameError(
      "version",
      versionWanted!,
      ` of ${wanted}`,
      definition.versions.map((v) => v.version),
    );
  }
  const runtimes = runtimesOf(definition, version);
  const usual = runtimes.find((r) => r === process.env.BAKEOFF_RUNTIME) ?? runtimes[0]!;
  const chosen = runtimeWanted === undefined ? usual : runtimes.find((r) => r === runtimeWanted);
  if (!chosen)
    throw new PeerNameError("runtime", runtimeWanted!, ` of ${wanted}@${version.version}`, runtimes);
  return { definition, version, runtime: chosen };
}

/** The full name of a chosen peer, `strongswan@6.1:netns`; of one that is not of this program, its name or address. */
export function peerName(peer: ChosenPeer): string {
  const { definition, version, runtime, external } = peer;
  return external ? definition.name : `${definition.name}@${version.version}:${runtime}`;
}
