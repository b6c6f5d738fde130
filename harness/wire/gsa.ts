/** The Group Security Association payload (RFC 9838 section 4.4). */
import { readU16, view, type Writer } from "./bytes.ts";
import { note, type ReadContext } from "./context.ts";
import type { GroupWidePolicy, GsaPayload, GsaPolicy } from "./group-types.ts";
import { keepTrailing, MORE_TRANSFORMS, readTransform, writeTransform } from "./sa.ts";
import {
  readReservedOne,
  readSubstructures,
  readTail,
  SUBSTRUCTURE_HEADER,
  spiEnd,
  writeSubstructure,
} from "./substructures.ts";
import { readSelector, SELECTOR_HEADER, writeSelector } from "./ts.ts";
import type { TrafficSelector, Transform } from "./types.ts";

const TRANSFORM_HEADER = 8;

/** The body of a GSA payload; undefined (with a finding) when a length in it leads outside its container. */
export function readGsa(
  context: ReadContext,
  type: number,
  start: number,
  end: number,
): GsaPayload | undefined {
  const list = readSubstructures(context, "GSA > policy", start, end, readPolicy);
  if (list === undefined) return undefined;
  const payload: GsaPayload = { kind: "GSA", type, policies: list.items };
  if (list.rest < end) payload.trailing = keepTrailing(context, "GSA", list.rest, end);
  if (list.items.length === 0) note(context, start, "GSA", "no policy");
  return payload;
}

function readPolicy(
  context: ReadContext,
  name: string,
  start: number,
  end: number,
): GsaPolicy | GroupWidePolicy | undefined {
  const protocolId = context.bytes[start]!;
  if (protocolId !== 0) return readSaPolicy(context, name, protocolId, start, end);
  const policy: GroupWidePolicy = { kind: "group-wide", attributes: [] };
  return readReservedOne(context, name, policy, start, end);
}

function readSaPolicy(
  context: ReadContext,
  name: string,
  protocolId: number,
  start: number,
  end: number,
): GsaPolicy | undefined {
  const sourceAt = spiEnd(context, name, start, end);
  if (sourceAt === undefined) return undefined;
  const source = readPolicySelector(context, `${name} > source TS`, sourceAt, end);
  if (source === undefined) return undefined;
  const destination = readPolicySelector(context, `${name} > destination TS`, source.next, end);
  if (destination === undefined) return undefined;
  const transforms: Transform[] = [];
  const attributesAt = readTransforms(context, name, transforms, destination.next, end);
  if (attributesAt === undefined) return undefined;
  const policy: GsaPolicy = {
    kind: "SA",
    protocolId,
    spi: view(context.bytes, start + SUBSTRUCTURE_HEADER, sourceAt),
    source: source.selector,
    destination: destination.selector,
    transforms,
    attributes: [],
  };
  return readTail(context, name, policy, attributesAt, end) ? policy : undefined;
}

function readPolicySelector(
  context: ReadContext,
  name: string,
  start: number,
  end: number,
): { selector: TrafficSelector; next: number } | undefined {
  const length = end - start < SELECTOR_HEADER ? 0 : readU16(context.bytes, start + 2);
  if (length < SELECTOR_HEADER || length > end - start) {
    note(context, start, `${name} > length`, `${length} does not fit, ${end - start} octets are left`);
    return undefined;
  }
  const next = start + length;
  return { selector: readSelector(context, name, start, next), next };
}

/**
 * Reads up to the transform that is marked as the last, behind which the attributes begin: here nothing else says
 * so. Undefined (with a finding) where none is.
 */
function readTransforms(
  context: ReadContext,
  policy: string,
  into: Transform[],
  start: number,
  end: number,
): number | undefined {
  const { bytes } = context;
  let at = start;
  // A policy that ends here has no transform at all, which is for its reader to judge.
  while (at < end) {
    const name = `${policy} > transform ${into.length + 1}`;
    const length = end - at < TRANSFORM_HEADER ? 0 : readU16(bytes, at + 2);
    if (length < TRANSFORM_HEADER || length > end - at) {
      note(context, at, `${name} > length`, `${length} does not fit, ${end - at} octets are left`);
      return undefined;
    }
    const transform = readTransform(context, name, at, at + length);
    if (transform === undefined) return undefined;
    const last = bytes[at]!;
    into.push(transform);
    if (last === 0) return at + length;
    if (last !== MORE_TRANSFORMS) {
      transform.last = last;
      note(context, at, `${name} > last`, `Last Substruc is ${last}, neither 3 nor 0`);
    }
    at += length;
  }
  if (into.length === 0) return at;
  note(context, at, `${policy} > transforms`, "no transform is marked as the last");
  return undefined;
}

export function writeGsa(out: Writer, payload: GsaPayload): void {
  for (const policy of payload.policies) {
    if (policy.kind === "SA") writeSaPolicy(out, policy);
    else writeSubstructure(out, 0, policy.reserved ?? 0, policy, () => {});
  }
  if (payload.trailing !== undefined) out.put(payload.trailing);
}

function writeSaPolicy(out: Writer, policy: GsaPolicy): void {
  const { spi, source, destination, transforms } = policy;
  writeSubstructure(out, policy.protocolId, policy.spiSize ?? spi.length, policy, () => {
    out.put(spi);
    writeSelector(out, source);
    writeSelector(out, destination);
    for (let i = 0; i < transforms.length; i++) {
      writeTransform(out, transforms[i]!, i + 1 < transforms.length ? MORE_TRANSFORMS : 0);
    }
  });
}
