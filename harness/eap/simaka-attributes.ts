/** Messages of EAP-SIM and EAP-AKA: a subtype, two reserved octets, and attributes (RFC 4186 section 8, RFC 4187 section 8). */
import { concat, u16, view } from "../wire/bytes.ts";

export const SUBTYPE = {
  AKA_CHALLENGE: 1,
  AKA_AUTHENTICATION_REJECT: 2,
  AKA_SYNCHRONIZATION_FAILURE: 4,
  AKA_IDENTITY: 5,
  SIM_START: 10,
  SIM_CHALLENGE: 11,
  NOTIFICATION: 12,
  CLIENT_ERROR: 14,
} as const;

export const AT = {
  RAND: 1,
  AUTN: 2,
  RES: 3,
  AUTS: 4,
  NONCE_MT: 7,
  PERMANENT_ID_REQ: 10,
  MAC: 11,
  NOTIFICATION: 12,
  ANY_ID_REQ: 13,
  IDENTITY: 14,
  VERSION_LIST: 15,
  SELECTED_VERSION: 16,
  FULLAUTH_ID_REQ: 17,
  CLIENT_ERROR_CODE: 22,
} as const;

const KNOWN: ReadonlySet<number> = new Set(Object.values(AT));
/** Attributes from here on may be skipped by who does not know them. */
const SKIPPABLE = 128;
const HEADER = 3;

/** What is in an attribute behind type and length; whole words with those two octets. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

export interface SimAkaMessage {
  subtype: number;
  attributes: Attributes;
}

/** An attribute to write: what is behind type and length, up to whole words. */
export type Attribute = readonly [type: number, value: Uint8Array];

/** Type data of a message with these attributes, in this order. */
export const writeMessage = (subtype: number, attributes: readonly Attribute[] = []): Uint8Array =>
  concat(Uint8Array.of(subtype, 0, 0), ...attributes.map(([type, value]) => writeAttribute(type, value)));

function writeAttribute(type: number, value: Uint8Array): Uint8Array {
  const words = Math.ceil((value.length + 2) / 4);
  const attribute = new Uint8Array(4 * words);
  attribute.set([type, words]);
  attribute.set(value, 2);
  return attribute;
}

/** The message, or why there is none. */
export function readMessage(data: Uint8Array): SimAkaMessage | string {
  if (data.length < HEADER) return "a message without a subtype";
  const attributes = new Map<number, Uint8Array>();
  for (let at = HEADER; at < data.length; ) {
    const [type = 0, words = 0] = data.subarray(at, at + 2);
    const end = at + 4 * words;
    if (words === 0 || end > data.length)
      return `attribute ${type} is longer than the message, or has no length`;
    if (attributes.has(type)) return `attribute ${type} twice`;
    if (!KNOWN.has(type) && type < SKIPPABLE) return `attribute ${type}, which must not be skipped`;
    attributes.set(type, view(data, at + 2, end));
    at = end;
  }
  return { subtype: data[0] ?? 0, attributes };
}

/** Two reserved octets and a value, as AT_RAND, AT_AUTN, AT_MAC and AT_NONCE_MT have it. */
export const reserved = (value: Uint8Array): Uint8Array => concat(new Uint8Array(2), value);

/** A value with its length in octets before it, as AT_IDENTITY and AT_VERSION_LIST have it. */
export const sized = (value: Uint8Array): Uint8Array => concat(u16(value.length), value);

/** The 16 octets behind two reserved ones; undefined if there are more or fewer. */
export function sixteenOf(attributes: Attributes, type: number): Uint8Array | undefined {
  const value = attributes.get(type)?.subarray(2);
  return value?.length === 16 ? value : undefined;
}

/** The value that `sized` wrote; undefined if it is not all there. `unit` is what the length counts: 8 for bits. */
export function sizedValue(attributes: Attributes, type: number, unit = 1): Uint8Array | undefined {
  const whole = attributes.get(type);
  if (!whole) return undefined;
  const octets = Math.ceil(((whole[0]! << 8) | whole[1]!) / unit);
  return octets + 2 <= whole.length ? whole.subarray(2, 2 + octets) : undefined;
}

/** A number of two octets, as codes and versions are. */
export function numberOf(attributes: Attributes, type: number): number | undefined {
  const value = attributes.get(type);
  return value && (value[0]! << 8) | value[1]!;
}
