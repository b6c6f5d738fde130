/**
 * The values of the wire layer. Decoding never throws and loses nothing: every field that is not what an
 * ordinary sender would write is kept in an optional override, so that a value made by hand names only what
 * differs, and `encode(decode(b))` equals `b`.
 */

import type { GsaPayload, KdPayload } from "./group-types.ts";

/** Something the decoder found wrong with the bytes. What is *forbidden* is judged by lint, not here. */
export interface Finding {
  /** Octets from the start of the decoded buffer. */
  offset: number;
  /** Path of the field, as in `SA > proposal 1 > transform 2 > length`. */
  field: string;
  reason: string;
}

/** IKE header (RFC 7296 section 3.1). */
export interface Header {
  /** 8 octets. */
  spiI: Uint8Array;
  /** 8 octets. */
  spiR: Uint8Array;
  /** The whole version octet, major in the high nibble: 0x20. */
  version: number;
  exchangeType: number;
  /** The whole flags octet as sent; see {@link FLAG}. */
  flags: number;
  messageId: number;
  /** Set only when it differs from the type of the first payload. */
  nextPayload?: number;
  /** Set only when it differs from the number of octets of the whole message. */
  length?: number;
}

export const FLAG = { initiator: 0x08, version: 0x10, response: 0x20 } as const;

/** Fields of the generic payload header (section 3.2). */
export interface PayloadBase {
  type: number;
  /** The C bit. Not set means clear. */
  critical?: boolean;
  /** The 7 bits after C. Not set means zero. */
  reserved?: number;
  /** Set only when Payload Length differs from the octets that follow up to the next payload. */
  length?: number;
  /** Set only when Next Payload differs from the type of the payload that follows (0 for the last). */
  next?: number;
}

/** A transform attribute (section 3.3.5). */
export interface TransformAttribute {
  /** 15 bits, without AF. */
  type: number;
  /** A number for the TV format (AF=1), octets for TLV (AF=0). */
  value: number | Uint8Array;
  /** TLV only: set when the length field differs from the octets of the value. */
  length?: number;
}

export interface Transform {
  type: number;
  id: number;
  attributes: TransformAttribute[];
  /** Set only when Last Substruc differs from 3 (more) or 0 (last). */
  last?: number;
  reserved1?: number;
  reserved2?: number;
  length?: number;
  /** Octets inside the transform that are no attribute. */
  trailing?: Uint8Array;
}

export interface Proposal {
  number: number;
  protocolId: number;
  /** 0, 4 or 8 octets for an ordinary sender. */
  spi: Uint8Array;
  transforms: Transform[];
  /** Set only when Last Substruc differs from 2 (more) or 0 (last). */
  last?: number;
  reserved?: number;
  length?: number;
  /** Set only when SPI Size differs from the octets of `spi`. */
  spiSize?: number;
  /** Set only when Num Transforms differs from the transforms found. */
  transformCount?: number;
  trailing?: Uint8Array;
}

/** RFC 7296 section 3.3. */
export interface SaPayload extends PayloadBase {
  kind: "SA";
  proposals: Proposal[];
  trailing?: Uint8Array;
}

/** Section 3.4. */
export interface KePayload extends PayloadBase {
  kind: "KE";
  group: number;
  reserved2?: number;
  data: Uint8Array;
}

/** Section 3.5; payload types 35 and 36 (and 50, IDg). */
export interface IdPayload extends PayloadBase {
  kind: "ID";
  idType: number;
  /** The 3 octets after ID Type, as one number. */
  reserved3?: number;
  data: Uint8Array;
}

/** Sections 3.6 and 3.7; payload types 37 and 38. */
export interface CertPayload<K extends "CERT" | "CERTREQ" = "CERT" | "CERTREQ"> extends PayloadBase {
  kind: K;
  encoding: number;
  data: Uint8Array;
}

/** Section 3.8. */
export interface AuthPayload extends PayloadBase {
  kind: "AUTH";
  method: number;
  reserved3?: number;
  data: Uint8Array;
}

/** Section 3.9. */
export interface NoncePayload extends PayloadBase {
  kind: "Nonce";
  data: Uint8Array;
}

/** Section 3.10. */
export interface NotifyPayload extends PayloadBase {
  kind: "Notify";
  protocolId: number;
  spi: Uint8Array;
  /** Set only when SPI Size differs from the octets of `spi`. */
  spiSize?: number;
  notifyType: number;
  data: Uint8Array;
}

/** Section 3.11. */
export interface DeletePayload extends PayloadBase {
  kind: "Delete";
  protocolId: number;
  spiSize: number;
  spis: Uint8Array[];
  /** Set only when Num of SPIs differs from the SPIs found. */
  spiCount?: number;
  trailing?: Uint8Array;
}

/** Section 3.12. */
export interface VendorPayload extends PayloadBase {
  kind: "VendorID";
  data: Uint8Array;
}

/** One traffic selector (section 3.13.1). */
export interface TrafficSelector {
  /** 7 IPv4 range, 8 IPv6 range; any other type keeps everything after the length in `body`. */
  tsType: number;
  ipProtocol: number;
  startPort: number;
  endPort: number;
  /** 4 or 16 octets. */
  startAddress: Uint8Array;
  endAddress: Uint8Array;
  length?: number;
  /** Set for a selector that is no well-formed address range: the octets after Selector Length. */
  body?: Uint8Array;
}

/** Section 3.13; payload types 44 and 45. */
export interface TsPayload extends PayloadBase {
  kind: "TS";
  selectors: TrafficSelector[];
  /** Set only when Number of TSs differs from the selectors found. */
  count?: number;
  reserved3?: number;
  trailing?: Uint8Array;
}

/** Section 3.14; opaque here: IV, ciphertext and ICV. `innerType` is the Next Payload field. */
export interface SkPayload extends PayloadBase {
  kind: "SK";
  innerType: number;
  data: Uint8Array;
}

/** RFC 7383 section 2.5. */
export interface SkfPayload extends PayloadBase {
  kind: "SKF";
  innerType: number;
  fragmentNumber: number;
  totalFragments: number;
  data: Uint8Array;
}

/** Section 3.15. */
export interface ConfigAttribute {
  /** 15 bits. */
  type: number;
  reserved?: number;
  data: Uint8Array;
  length?: number;
}

export interface CpPayload extends PayloadBase {
  kind: "CP";
  cfgType: number;
  reserved3?: number;
  attributes: ConfigAttribute[];
  trailing?: Uint8Array;
}

/** Section 3.16. */
export interface EapPayload extends PayloadBase {
  kind: "EAP";
  code: number;
  identifier: number;
  /** Set only when the EAP length differs from the octets of the EAP message. */
  eapLength?: number;
  /** Everything after the 4-octet EAP header: type and type data. */
  data: Uint8Array;
}

/** A payload of unknown type, or of a known type whose body does not fit its grammar (then with a finding). */
export interface RawPayload extends PayloadBase {
  kind: "raw";
  data: Uint8Array;
}

export type Payload =
  | SaPayload
  | KePayload
  | IdPayload
  | CertPayload<"CERT">
  | CertPayload<"CERTREQ">
  | AuthPayload
  | NoncePayload
  | NotifyPayload
  | DeletePayload
  | VendorPayload
  | TsPayload
  | SkPayload
  | SkfPayload
  | CpPayload
  | EapPayload
  | GsaPayload
  | KdPayload
  | RawPayload;

/** A payload chain: the payloads, what was left behind the last of them, and what was odd. */
export interface Chain {
  payloads: Payload[];
  /** Octets behind the chain; empty for an ordinary sender. */
  trailing: Uint8Array;
  findings: Finding[];
}

export interface Message {
  header: Header;
  payloads: Payload[];
  trailing?: Uint8Array;
  findings?: Finding[];
}
