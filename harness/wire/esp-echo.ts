/** The payload of ESP echo packets ("ESP ping") in all revisions that differ on the wire. No keys and no trailer here. */
import { concat, EMPTY, readU16, readU32, u16, u32, view } from "./bytes.ts";
import { type CodePointOverrides, codePointOf } from "./documents/code-point.ts";
import type { Finding } from "./types.ts";

/** By the names of `documents/esp-ping.ts`. */
export type EchoRevision = "M" | "E3" | "E2" | "K" | "C" | "C0";

/** What an echo looks like in one revision, and what a request in it asks for. */
export interface EchoForm {
  /** `fixed`: 12 octets; `short`: 8, and 4 more when R is set; `bare`: Identifier and Sequence Number; `none`: nothing at all. */
  header: "fixed" | "short" | "bare" | "none";
  /** The bit R in the flags octet. */
  replyFlag: number;
  /** True: R = 0 asks for no reply. False: it leaves the way of the reply to the responder. */
  oneWay: boolean;
  nextHeader: number;
  /** Whether packets on the SPIs 7 and 8 are defined, and whether they have an ESP trailer. */
  plain: "with trailer" | "without trailer" | "none";
  /** Whether there are echo packets inside of SAs. */
  encrypted: boolean;
}

const AGGFRAG = codePointOf("AGGFRAG");
/** No next header. */
const NONE = 59;

export const echoForms: Record<EchoRevision, EchoForm> = {
  M: {
    ...{ header: "fixed", replyFlag: 0x80, oneWay: true, nextHeader: AGGFRAG },
    ...{ plain: "with trailer", encrypted: true },
  },
  E3: {
    ...{ header: "fixed", replyFlag: 0x80, oneWay: false, nextHeader: AGGFRAG },
    ...{ plain: "none", encrypted: true },
  },
  E2: {
    ...{ header: "fixed", replyFlag: 0x01, oneWay: false, nextHeader: AGGFRAG },
    ...{ plain: "none", encrypted: true },
  },
  K: {
    ...{ header: "short", replyFlag: 0x80, oneWay: false, nextHeader: AGGFRAG },
    ...{ plain: "without trailer", encrypted: true },
  },
  C: {
    ...{ header: "bare", replyFlag: 0, oneWay: false, nextHeader: NONE },
    ...{ plain: "with trailer", encrypted: false },
  },
  C0: {
    ...{ header: "none", replyFlag: 0, oneWay: false, nextHeader: NONE },
    ...{ plain: "with trailer", encrypted: false },
  },
};

export const isEchoRevision = (name: string): name is EchoRevision => Object.hasOwn(echoForms, name);

/** The numbers of requests and replies: sub-types of AGGFRAG_PAYLOAD, and the SPIs of packets outside of SAs. */
export interface EchoNumbers {
  subType: { request: number; reply: number };
  spi: { request: number; reply: number };
}

/** As a peer with these overrides of `documents/esp-ping.ts` uses them. */
export const echoNumbers = (overrides?: CodePointOverrides): EchoNumbers => ({
  subType: {
    request: codePointOf("AGGFRAG_SUB_TYPE.ESP_ECHO_REQUEST", overrides),
    reply: codePointOf("AGGFRAG_SUB_TYPE.ESP_ECHO_REPLY", overrides),
  },
  spi: {
    request: codePointOf("RESERVED_SPI.ESP_ECHO_REQUEST", overrides),
    reply: codePointOf("RESERVED_SPI.ESP_ECHO_REPLY", overrides),
  },
});

export const ordinaryNumbers: EchoNumbers = echoNumbers();

/** What an echo says. Fields that its revision does not have are not written. */
export interface Echo {
  subType: number;
  /** The whole octet of R and the reserved bits. */
  flags: number;
  /** As on the wire; not set: the octets of `data`. */
  dataLength?: number;
  identifier: number;
  sequence: number;
  /** Reply path SPI. Not set in a short header without one; a fixed header has zero then. */
  replySpi?: number;
  data: Uint8Array;
  /** Octets behind Data: padding, or a sign that Data Length is wrong. Not set: none. */
  excess?: Uint8Array;
}

/** An echo as it came. `dataLength` is always set where the revision has one. */
export interface ReadEcho extends Echo {
  excess: Uint8Array;
  findings: Finding[];
}

/** Octets that are no echo of that revision. */
export interface EchoError {
  error: string;
  findings: Finding[];
}

export function isEchoError(result: object): result is EchoError {
  return "error" in result;
}

const LEAST = { fixed: 12, short: 8, bare: 4, none: 0 } as const;

/** Octets of the header in front of Data. */
export function headerLength({ header, replyFlag }: EchoForm, flags: number): number {
  return header === "short" && (flags & replyFlag) !== 0 ? LEAST.short + 4 : LEAST[header];
}

/** Whether R is set. */
export const asksForPath = (echo: Echo, revision: EchoRevision): boolean =>
  (echo.flags & echoForms[revision].replyFlag) !== 0;

/** Reads what stands in an ESP packet in front of the padding. Values are views of `bytes`. */
export function decodeEcho(bytes: Uint8Array, revision: EchoRevision): ReadEcho | EchoError {
  const form = echoForms[revision];
  const needed = headerLength(form, form.header === "short" ? (bytes[1] ?? 0) : 0);
  if (bytes.length < needed) return tooShort(bytes, needed);
  if (form.header === "none") return { ...EMPTY_ECHO, excess: bytes, findings: unasked(bytes) };
  if (form.header === "bare") {
    const [identifier, sequence] = [readU16(bytes, 0), readU16(bytes, 2)];
    return { ...EMPTY_ECHO, identifier, sequence, data: view(bytes, 4, bytes.length), findings: [] };
  }
  const dataLength = readU16(bytes, 2);
  const end = Math.min(bytes.length, needed + dataLength);
  return {
    ...{ subType: bytes[0] ?? 0, flags: bytes[1] ?? 0, dataLength },
    ...{ identifier: readU16(bytes, 4), sequence: readU16(bytes, 6) },
    ...(needed === 12 && { replySpi: readU32(bytes, 8) }),
    ...{ data: view(bytes, needed, end), excess: view(bytes, end, bytes.length) },
    findings: [...oddFlags(bytes, form), ...oddLength(bytes, needed)],
  };
}

const EMPTY_ECHO: Omit<ReadEcho, "findings"> = {
  ...{ subType: 0, flags: 0, identifier: 0, sequence: 0, data: EMPTY, excess: EMPTY },
};

function tooShort(bytes: Uint8Array, needed: number): EchoError {
  const reason = `${bytes.length} octets, ${needed} are needed`;
  const field = "echo header";
  return { error: `${field}: ${reason}`, findings: [{ offset: bytes.length, field, reason }] };
}

const unasked = (bytes: Uint8Array): Finding[] =>
  bytes.length === 0 ? [] : [{ offset: 0, field: "payload", reason: "an echo of this revision has none" }];

function oddFlags(bytes: Uint8Array, { replyFlag }: EchoForm): Finding[] {
  const reserved = (bytes[1] ?? 0) & ~replyFlag;
  if (reserved === 0) return [];
  return [{ offset: 1, field: "Reserved", reason: `0x${reserved.toString(16).padStart(2, "0")}, not zero` }];
}

function oddLength(bytes: Uint8Array, header: number): Finding[] {
  const [length, present] = [readU16(bytes, 2), bytes.length - header];
  if (length === present) return [];
  return [
    { offset: 2, field: "Data Length", reason: `${length}, ${present} octets stand behind the header` },
  ];
}

/** The inverse of {@link decodeEcho}; a Data Length that is set is written as it is. */
export function encodeEcho(echo: Echo, revision: EchoRevision): Uint8Array {
  const { header } = echoForms[revision];
  const { data, excess = EMPTY } = echo;
  if (header === "none") return excess;
  const numbers = concat(u16(echo.identifier), u16(echo.sequence));
  if (header === "bare") return concat(numbers, data, excess);
  const { replySpi = header === "fixed" ? 0 : undefined, dataLength = data.length } = echo;
  const path = replySpi === undefined ? EMPTY : u32(replySpi);
  const front = concat(Uint8Array.of(echo.subType, echo.flags), u16(dataLength));
  return concat(front, numbers, path, data, excess);
}
