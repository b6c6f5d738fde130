/** A Data-Security SA of a member: its two ends, and the IVs with a Sender-ID in front (RFC 9838 section 2.5). */
import type { DirectionKeys } from "../crypto/keys.ts";
import type { Random } from "../crypto/types.ts";
import { InboundSa } from "../esp/inbound.ts";
import { OutboundSa } from "../esp/outbound.ts";
import { readU32 } from "../wire/bytes.ts";
import type { PlannedData } from "./member-policy.ts";
import type { DataSa, HeldRekey } from "./member-types.ts";

interface Making {
  KEYMAT: Uint8Array;
  keys: DirectionKeys;
  directions: { inbound: boolean; outbound: boolean };
  /** Replays are told by their numbers. Several senders do not share theirs: then nothing can be said (RFC 9827). */
  ordered: boolean;
  random: Random;
  /** Milliseconds. */
  activeAt: number;
}

export function dataSa(planned: PlannedData, making: Making): DataSa {
  const { KEYMAT, keys, directions, ordered, random, activeAt } = making;
  const parameters = { spi: readU32(planned.spi, 0), transforms: planned.suite, keys, esn: false };
  const sa: DataSa = { planned, KEYMAT, activeAt, state: "installed", ivs: 0n, cancel: [] };
  if (directions.inbound) sa.inbound = new InboundSa({ ...parameters, window: { enabled: ordered } });
  if (!directions.outbound) return sa;
  sa.outbound = new OutboundSa({ ...parameters, random });
  sa.outbound.mayWrap = !ordered;
  return sa;
}

/** The SA comes again with the same key: numbers, IVs and the replay window go on. */
export function goOn(sa: DataSa, before: DataSa): void {
  if (sa.inbound && before.inbound) sa.inbound = before.inbound;
  if (sa.outbound && before.outbound) sa.outbound = before.outbound;
  sa.ivs = before.ivs;
  sa.activeAt = before.activeAt;
}

/** Takes the ends away, and with them the keys. */
export function withdraw(sa: DataSa | HeldRekey): void {
  if (!("KEYMAT" in sa)) return;
  sa.inbound = undefined;
  sa.outbound = undefined;
}

/**
 * The next IV of a sender: Sender-ID in so many bits at the top, a counter in the others. Undefined when there are no
 * more: the next one would have the Sender-ID of somebody else.
 */
export function senderIv(
  sa: DataSa,
  id: number,
  bits: number,
  place: "top" | "bottom" = "top",
): Uint8Array | undefined {
  const { ivLength } = sa.planned.suite.encr;
  const size = BigInt(8 * ivLength);
  const counter = ++sa.ivs;
  if (counter >> (size - BigInt(bits)) !== 0n) return undefined;
  const value =
    place === "top"
      ? (BigInt(id) << (size - BigInt(bits))) | counter
      : (counter << BigInt(bits)) | BigInt(id);
  const iv = new Uint8Array(ivLength);
  for (let at = 0; at < ivLength; at++) iv[ivLength - 1 - at] = Number((value >> BigInt(8 * at)) & 255n);
  return iv;
}
