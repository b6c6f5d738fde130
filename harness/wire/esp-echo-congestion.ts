/** The congestion-control payload of RFC 9347 section 6.1.2, which serves as an echo where it has no data blocks. */
import { concat, readU16, readU32, u16, u32, view } from "./bytes.ts";
import type { EchoError } from "./esp-echo.ts";
import type { Finding } from "./types.ts";

/** Times are in microseconds, and saturate at the width of their field. */
export interface CongestionPayload {
  subType: number;
  /** 0x02: probe of the path MTU; 0x01: CE marks went into the loss event rate; the rest is reserved. */
  flags: number;
  blockOffset: number;
  lossEventRate: number;
  /** 22 bits. */
  rtt: number;
  /** 21 bits each. */
  echoDelay: number;
  transmitDelay: number;
  /** What the other end is to send back in its TEcho. */
  tval: number;
  techo: number;
  /** Data blocks: none on an SA that was not set up for AGGFRAG. */
  blocks: Uint8Array;
}

export const CONGESTION_HEADER = 24;
export const CONGESTION_SUBTYPE = 1;

const MASK_21 = (1 << 21) - 1;
const MASK_22 = (1 << 22) - 1;

/** Reads the payload; findings say what of it is no echo. */
export function decodeCongestion(
  bytes: Uint8Array,
): (CongestionPayload & { findings: Finding[] }) | EchoError {
  if (bytes.length < CONGESTION_HEADER) {
    const [field, reason] = ["congestion header", `${bytes.length} octets, ${CONGESTION_HEADER} are needed`];
    return { error: `${field}: ${reason}`, findings: [{ offset: bytes.length, field, reason }] };
  }
  const times = (BigInt(readU32(bytes, 8)) << 32n) | BigInt(readU32(bytes, 12));
  const blocks = view(bytes, CONGESTION_HEADER, bytes.length);
  return {
    ...{ subType: bytes[0] ?? 0, flags: bytes[1] ?? 0, blockOffset: readU16(bytes, 2) },
    lossEventRate: readU32(bytes, 4),
    rtt: Number(times >> 42n),
    echoDelay: Number((times >> 21n) & BigInt(MASK_21)),
    transmitDelay: Number(times & BigInt(MASK_21)),
    ...{ tval: readU32(bytes, 16), techo: readU32(bytes, 20), blocks },
    findings: findingsOf(bytes, blocks),
  };
}

function findingsOf(bytes: Uint8Array, blocks: Uint8Array): Finding[] {
  const [subType = 0, flags = 0] = bytes;
  const checks: [wrong: boolean, offset: number, field: string, reason: string][] = [
    [subType !== CONGESTION_SUBTYPE, 0, "Sub-Type", `${subType}, not ${CONGESTION_SUBTYPE}`],
    [(flags & 0xfc) !== 0, 1, "Reserved", "not zero"],
    [blocks.length > 0, CONGESTION_HEADER, "DataBlocks", `${blocks.length} octets in an echo`],
  ];
  return checks.flatMap(([wrong, offset, field, reason]) => (wrong ? [{ offset, field, reason }] : []));
}

/** The inverse of {@link decodeCongestion}. */
export function encodeCongestion(payload: CongestionPayload): Uint8Array {
  const { subType, flags, blockOffset, lossEventRate, tval, techo, blocks } = payload;
  const times =
    (BigInt(Math.min(payload.rtt, MASK_22)) << 42n) |
    (BigInt(Math.min(payload.echoDelay, MASK_21)) << 21n) |
    BigInt(Math.min(payload.transmitDelay, MASK_21));
  const high = Number(times >> 32n);
  const low = Number(times & 0xffffffffn);
  const front = concat(Uint8Array.of(subType, flags), u16(blockOffset), u32(lossEventRate));
  return concat(front, u32(high), u32(low), u32(tval), u32(techo), blocks);
}
