/** Whom a campaign may be played against: peers of the lab, and addresses that somebody answers for. */
import { statSync } from "node:fs";
import { z } from "zod";
import { UsageError } from "../../harness/run/usage-error.ts";
import { FileError, parseYaml } from "../../harness/run/yaml-file.ts";
import { parseAddress } from "../../harness/wire/ip.ts";
import { fileReason, readTextFile } from "../../pcaps/text-file.ts";

const targetSchema = z.strictObject({
  address: z.string().refine((given) => parseAddress(given) !== undefined, "must be an IPv4 or IPv6 address"),
  owner: z.string().trim().min(1, "must name who answers for it").max(200),
  /** The last day on which it may be a target, UTC. */
  until: z.iso.date().optional(),
});
export type Target = z.infer<typeof targetSchema>;

const targetsSchema = z.array(targetSchema).max(10_000);

const MOST_OCTETS = 1_048_576;
const OTHERS_MAY_WRITE = 0o002;

/** Whether `--peer` names an address and no peer of the lab. */
export const isAddress = (peer: string): boolean => parseAddress(peer) !== undefined;

/**
 * The entry that allows an address as a target.
 * @throws UsageError that says why it is none
 */
export function allowedTarget(address: string, file: string | undefined, today = new Date()): Target {
  const octets = parseAddress(address);
  if (!octets) throw new UsageError(`--peer ${address}: must be an address`);
  const kind = nobodysKind(octets);
  if (kind !== undefined) throw new UsageError(`--peer ${address}: ${kind} is no target`);
  if (file === undefined)
    throw new UsageError(`--peer ${address}: an address is a target only where --targets FILE lists it`);
  const target = readTargets(file).find((one) => equal(parseAddress(one.address), octets));
  if (!target) throw new UsageError(`--peer ${address}: ${file} does not list it as a target`);
  if (target.until !== undefined && target.until < today.toISOString().slice(0, 10))
    throw new UsageError(`--peer ${address}: was a target until ${target.until} only, says ${file}`);
  return target;
}

/** @throws UsageError */
function readTargets(file: string): Target[] {
  try {
    if ((statSync(file).mode & OTHERS_MAY_WRITE) !== 0)
      throw new UsageError(`--targets ${file}: everybody may write it; run: chmod o-w on it`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--targets ${file}: ${fileReason(error)}`);
  }
  const text = readTextFile(file, { most: MOST_OCTETS });
  if (typeof text !== "string") throw new FileError(file, "document", text.reason);
  return parseYaml(text, file, targetsSchema, () => Object.keys(targetSchema.shape));
}

const equal = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

/** Addresses that are no one host's. */
function nobodysKind(octets: Uint8Array): string | undefined {
  const [first = 0] = octets;
  const v4 = octets.length === 4 ? octets : mapped(octets);
  if (octets.every((octet) => octet === 0)) return "the unspecified address";
  if (!v4) return first === 0xff ? "a multicast address" : undefined;
  if (v4[0] === 0) return "an address of this network";
  if (v4.every((octet) => octet === 255)) return "the broadcast address";
  const high = v4[0] ?? 0;
  if (high >= 224 && high < 240) return "a multicast address";
  return high >= 240 ? "a reserved address" : undefined;
}

/** The IPv4 address in an IPv4-mapped one (RFC 4291 section 2.5.5.2). */
function mapped(octets: Uint8Array): Uint8Array | undefined {
  const prefix = octets.subarray(0, 12);
  const isMapped = prefix.every((octet, i) => octet === (i < 10 ? 0 : 0xff));
  return isMapped ? octets.subarray(12) : undefined;
}
