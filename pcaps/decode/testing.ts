/** For tests: messages under keys, as they travel. */
import { aesGcm } from "../../harness/crypto/encr-aead.ts";
import { aesCbc } from "../../harness/crypto/encr-cipher.ts";
import { integTransform } from "../../harness/crypto/integ.ts";
import { type Protection, sealMessage } from "../../harness/ike/sk.ts";
import { EMPTY, fromHex, u32 } from "../../harness/wire/bytes.ts";
import { encodeChain, firstPayloadType } from "../../harness/wire/index.ts";
import { FLAG, type Header, type Payload } from "../../harness/wire/types.ts";
import type { EspSaKeys, IkeSaKeys } from "../keys.ts";
import type { Datagram } from "../types.ts";

export const US = { host: "192.0.2.1", port: 500 };
export const PEER = { host: "192.0.2.2", port: 500 };
export const octets = (count: number, value: number): Uint8Array => new Uint8Array(count).fill(value);

export const SPIS = { spiI: fromHex("a1a2a3a4a5a6a7a8"), spiR: fromHex("b1b2b3b4b5b6b7b8") };

/** Keys of an IKE SA with AES-CBC-128 and HMAC-SHA2-256-128, all of these octets. */
export const ikeKeys = (value: number): IkeSaKeys => ({
  ...SPIS,
  ...{ encrId: 12, keyBits: 128, integId: 12, SK_ei: octets(16, value), SK_er: octets(16, value + 1) },
  ...{ SK_ai: octets(32, value + 2), SK_ar: octets(32, value + 3) },
});

function protection(keys: IkeSaKeys, fromInitiator: boolean): Protection {
  const [SK_e, SK_a] = fromInitiator ? [keys.SK_ei, keys.SK_ai] : [keys.SK_er, keys.SK_ar];
  return { encr: aesCbc(128), integ: integTransform(12), SK_e, SK_a, sealed: 0 };
}

export const nonce = (count: number, value = 7): Payload => ({
  kind: "Nonce",
  type: 40,
  data: octets(count, value),
});

export interface Wanted {
  /** False for a message of the responder. */
  fromInitiator?: boolean;
  messageId?: number;
  /** Octets of inner payloads in a fragment; not set: a message in one. */
  chunk?: number;
}

/** An INFORMATIONAL request with these payloads, in one datagram or in fragments. */
export function sealed(keys: IkeSaKeys, payloads: Payload[], wanted: Wanted = {}): Uint8Array[] {
  const { fromInitiator = true, messageId = 2, chunk } = wanted;
  const flags = fromInitiator ? FLAG.initiator : 0;
  const header: Header = {
    spiI: keys.spiI,
    spiR: keys.spiR,
    version: 0x20,
    exchangeType: 37,
    flags,
    messageId,
  };
  const inner = encodeChain(payloads);
  const type = firstPayloadType(payloads);
  const ivs = (count: number) => octets(count, 0x42);
  const seal = (part: Uint8Array, first: number, fragment?: { number: number; total: number }) =>
    sealMessage(protection(keys, fromInitiator), ivs, header, [], part, first, {}, fragment);
  if (chunk === undefined) return [seal(inner, type)];
  const total = Math.ceil(inner.length / chunk);
  return Array.from({ length: total }, (_, i) =>
    seal(inner.subarray(i * chunk, (i + 1) * chunk), i === 0 ? type : 0, { number: i + 1, total }),
  );
}

/** An ESP SA with AES-GCM-16. */
export const espKeys = (spi: number, esn?: boolean): EspSaKeys => ({
  ...{ source: US.host, destination: PEER.host, spi, encrId: 20, keyBits: 128, esn },
  ...{ encrKey: octets(20, 9), integKey: EMPTY },
});

/** A packet of that SA; `high` counts with ESN. */
export function espPacket(keys: EspSaKeys, plaintext: Uint8Array, low: number, high?: number): Uint8Array {
  const iv = octets(8, low & 0xff);
  const aad = Buffer.concat([u32(keys.spi), ...(high === undefined ? [] : [u32(high)]), u32(low)]);
  const sealedOctets = aesGcm(128, 16).seal(keys.encrKey, iv, plaintext, aad);
  return Uint8Array.from(Buffer.concat([u32(keys.spi), u32(low), iv, sealedOctets]));
}

/** What the packets of a capture bring, numbered from 1. */
export const datagrams = (all: readonly (Uint8Array | Partial<Datagram>)[]): Datagram[] =>
  all.map((one, index) => ({
    ...{ kind: "datagram", packet: index + 1, offset: 0, timeMs: index, protocol: "udp" },
    ...{ source: US, destination: PEER, data: EMPTY },
    ...(one instanceof Uint8Array ? { data: one } : one),
  }));
