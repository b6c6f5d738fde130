/** Peers that options or definition files of the user name. */
import { resolve } from "node:path";
import { addressPeer } from "../../peers/address/address-peer.ts";
import type { Means } from "../../peers/address/means.ts";
import {
  chosenExternal,
  type ExternalDefinition,
  isDefinitionFile,
  readExternal,
} from "../../peers/external.ts";
import type { DialFlags } from "../dial/wishes.ts";
import { type External, wayOf } from "../run/external.ts";
import { UsageError } from "../run/usage-error.ts";
import { boxOf } from "./boxes.ts";
import { wholeNumber } from "./numbers.ts";

/** How a peer at an address is made to do something. */
export interface MeansFlags {
  hook?: string;
  command?: string;
  prompt?: true;
  promptLimit: string;
}

/** By what the user calls them; peers of this program are not among them. @throws UsageError, LabError */
export async function externalsOf(
  specs: readonly string[],
  flags: DialFlags & MeansFlags,
): Promise<Map<string, External>> {
  const externals = new Map<string, External>();
  for (const spec of specs) {
    const chosen = addressPeer(spec);
    if (chosen) externals.set(spec, { chosen, way: { box: await at(spec, flags, process.cwd()) } });
    else if (isDefinitionFile(spec)) externals.set(spec, await defined(readExternal(spec), flags));
  }
  if (externals.size > 0) return externals;
  const idle = (["hook", "command", "prompt"] as const).find((name) => flags[name] !== undefined);
  if (idle) throw new UsageError(`--${idle}: is for a peer at an address`);
  return externals;
}

/** The same for what runs none of them: as plans have them, without a secret or a way to any. @throws UsageError */
export function externalsNamed(specs: readonly string[]): Map<string, External> {
  const files = specs.filter(isDefinitionFile);
  return new Map(files.map((spec) => [spec, { chosen: chosenExternal(readExternal(spec)), way: {} }]));
}

async function at(address: string, flags: DialFlags & MeansFlags, folder: string) {
  const means = meansOf(flags, folder);
  return { ...(await boxOf(address, flags)), ...(means && { means }) };
}

async function defined(definition: ExternalDefinition, flags: MeansFlags): Promise<External> {
  const chosen = chosenExternal(definition);
  const { folder, address } = definition;
  if (address === undefined) return { chosen, way: wayOf(definition) };
  return { chosen, way: { box: await at(address, flagsOf(definition, flags), folder) } };
}

/** The fields of a definition as the options that they stand for. */
function flagsOf(definition: ExternalDefinition, { promptLimit }: MeansFlags): DialFlags & MeansFlags {
  const { folder, psk, id, encap, mode, ike, esp, hook, command, prompt } = definition;
  const text = (name: "port" | "nat-port" | "local-port") =>
    definition[name] === undefined ? undefined : String(definition[name]);
  const [file, port, localPort] = [definition["psk-file"], text("port"), text("local-port")];
  const [localAddress, remoteId] = [definition["local-address"], definition["remote-id"]];
  return {
    ...(psk !== undefined && { psk }),
    ...(file !== undefined && { pskFile: resolve(folder, file) }),
    ...(id !== undefined && { localId: id }),
    ...(remoteId !== undefined && { remoteId }),
    ...(port !== undefined && { port }),
    ...(localPort !== undefined && { localPort }),
    ...(localAddress !== undefined && { localAddress }),
    ...{ natPort: text("nat-port") ?? "4500", encap: encap ?? "auto", mode: mode ?? "tunnel" },
    ...{ ike: ike ?? [], esp: esp ?? [], ppk: [], promptLimit },
    ...{ localTs: definition["local-ts"] ?? [], remoteTs: definition["remote-ts"] ?? [] },
    ...(hook !== undefined && { hook }),
    ...(command !== undefined && { command }),
    ...(prompt && { prompt }),
  };
}

/** @throws UsageError */
function meansOf({ hook, command, prompt, promptLimit }: MeansFlags, folder: string): Means | undefined {
  if ([hook, command, prompt].filter((given) => given !== undefined).length > 1)
    throw new UsageError("one of --hook, --command and --prompt");
  if (hook !== undefined) return { kind: "hook", url: webAddress(hook) };
  if (command !== undefined) return { kind: "command", command, folder };
  const limitMs = wholeNumber("--prompt-limit", promptLimit) * 1_000;
  return prompt ? { kind: "prompt", limitMs } : undefined;
}

function webAddress(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  // fetch takes none, and its error would repeat them.
  if (url && url.username + url.password !== "")
    throw new UsageError("--hook: user and password cannot be in the URL; a query can hold a token");
  if (url && /^https?:$/.test(url.protocol)) return given;
  throw new UsageError(`--hook ${given}: must be an http or https URL`);
}
