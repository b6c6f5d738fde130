/** Keys and AT_MAC of EAP-SIM and EAP-AKA: RFC 4186 section 7, RFC 4187 section 7. */
import { createHash, createHmac } from "node:crypto";
import { concat, EMPTY, equal, plain, u16 } from "../wire/bytes.ts";
import { fips186 } from "./fips186.ts";
import { utf8 } from "./packets.ts";
import { AT, type Attribute, readMessage, reserved, sixteenOf, writeMessage } from "./simaka-attributes.ts";

export interface SimAkaKeys {
  /** 16 octets each. */
  K_encr: Uint8Array;
  K_aut: Uint8Array;
  /** 64 octets each. */
  MSK: Uint8Array;
  EMSK: Uint8Array;
}

const MAC_OCTETS = 16;

/** SHA-1 over these: the Master Key. */
const masterKey = (...parts: Uint8Array[]): Uint8Array =>
  plain(
    createHash("sha1")
      .update(concat(...parts))
      .digest(),
  );

export function keysOf(MK: Uint8Array): SimAkaKeys {
  const stream = fips186(MK, 160);
  const cut = (from: number, length: number) => stream.subarray(from, from + length);
  return { K_encr: cut(0, 16), K_aut: cut(16, 16), MSK: cut(32, 64), EMSK: cut(96, 64) };
}

export const akaKeys = (identity: string, IK: Uint8Array, CK: Uint8Array): SimAkaKeys =>
  keysOf(masterKey(utf8(identity), IK, CK));

/** `versions` is the list of AT_VERSION_LIST as it was sent. */
export const simKeys = (
  identity: string,
  Kc: readonly Uint8Array[],
  NONCE_MT: Uint8Array,
  versions: Uint8Array,
  selected: number,
): SimAkaKeys => keysOf(masterKey(utf8(identity), ...Kc, NONCE_MT, versions, u16(selected)));

/** Where a packet is on its way: AT_MAC covers its header, too. */
export interface Envelope {
  code: number;
  identifier: number;
  /** The method. */
  type: number;
}

/** K_aut, and what a method puts behind the packet. */
interface Cover {
  key: Uint8Array;
  more?: Uint8Array;
}

/** HMAC-SHA1-128 over the EAP packet, its AT_MAC all zero, and what the method puts behind it. */
function mac(
  { code, identifier, type }: Envelope,
  data: Uint8Array,
  { key, more = EMPTY }: Cover,
): Uint8Array {
  const header = concat(Uint8Array.of(code, identifier), u16(data.length + 5), Uint8Array.of(type));
  return plain(createHmac("sha1", key).update(header).update(data).update(more).digest()).subarray(
    0,
    MAC_OCTETS,
  );
}

/** Type data of a message with AT_MAC behind these attributes; `more` is what the method covers beside the packet. */
export function writeSigned(
  envelope: Envelope,
  subtype: number,
  attributes: readonly Attribute[],
  { key, more = EMPTY }: Cover,
): Uint8Array {
  const data = writeMessage(subtype, [...attributes, [AT.MAC, reserved(new Uint8Array(MAC_OCTETS))]]);
  data.set(mac(envelope, data, { key, more }), data.length - MAC_OCTETS);
  return data;
}

/** Whether the type data has the right AT_MAC. */
export function isSigned(envelope: Envelope, data: Uint8Array, cover: Cover): boolean {
  const message = readMessage(data);
  const value = typeof message === "string" ? undefined : sixteenOf(message.attributes, AT.MAC);
  if (!value) return false;
  const at = value.byteOffset - data.byteOffset;
  const blank = Uint8Array.from(data);
  blank.fill(0, at, at + MAC_OCTETS);
  return equal(value, mac(envelope, blank, cover));
}
