/** Lies about what is in the Encrypted payload, and what stands around it: under the right keys (RFC 7296 section 3.14). */
import type { Protection } from "../../harness/ike/sk.ts";
import { concat, EMPTY, hex } from "../../harness/wire/bytes.ts";
import { encodeChain, firstPayloadType } from "../../harness/wire/index.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { repeat } from "./build.ts";
import type { IkeOperator } from "./operator.ts";
import { afterSeal, byIcv, type Cut, ofSealed, replain, type SealedRow, sealed, withIcv } from "./sealed.ts";

/** Sets Pad Length, the last octet of the plaintext. */
const padLength = (plaintext: Uint8Array, length: number): Uint8Array => {
  const copy = Uint8Array.from(plaintext);
  copy[copy.length - 1] = length;
  return copy;
};

const unpadded = (plaintext: Uint8Array): Uint8Array =>
  plaintext.subarray(0, Math.max(0, plaintext.length - 1 - (plaintext.at(-1) ?? 0)));

const plaintexts: SealedRow[] = [
  {
    name: "sk-pad-length",
    effect: "Writes a Pad Length that is so much more, modulo 256, under the right ICV.",
    draw: (dice) => ({ value: numberOr(dice, [1, 15, 16, 128, 255], 255) || 1 }),
    apply(message, change) {
      const by = whole(change, 1, 255);
      if (by === undefined) return false;
      return replain(message, (plaintext, parts, own) =>
        sealed(own, parts, padLength(plaintext, (plaintext.at(-1) ?? 0) + by)),
      );
    },
  },
  {
    name: "sk-pad-beyond",
    effect: "Writes a Pad Length so many octets beyond the plaintext, under the right ICV.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 16], 200) }),
    apply(message, change) {
      const beyond = whole(change, 0, 255);
      if (beyond === undefined) return false;
      return replain(message, (plaintext, parts, own) => {
        const room = Math.max(8, own.encr.blockSize);
        const short = plaintext.length > 255 ? plaintext.subarray(plaintext.length - room) : plaintext;
        return sealed(own, parts, padLength(short, Math.min(255, short.length + beyond)));
      });
    },
  },
  {
    name: "sk-padding",
    effect: "Pads with at least so many octets of any content, as a receiver must take.",
    draw: (dice) => ({ value: numberOr(dice, [16, 32, 240, 255], 256) }),
    apply(message, change, { dice }) {
      const least = whole(change, 0, 255);
      if (least === undefined) return false;
      return replain(message, (plaintext, parts, own) => {
        const inner = unpadded(plaintext);
        const { blockSize } = own.encr;
        const first = (blockSize - ((inner.length + 1) % blockSize)) % blockSize;
        const padding = dice.octets(first + blockSize * Math.max(0, Math.floor((least - first) / blockSize)));
        return sealed(own, parts, concat(inner, padding, Uint8Array.of(padding.length)));
      });
    },
  },
  {
    name: "sk-plaintext-empty",
    effect: "Encrypts nothing at all: there is no room for Pad Length; the ICV is right.",
    apply: (message) => replain(message, (_plaintext, parts, own) => sealed(own, parts, EMPTY)),
  },
  {
    name: "sk-plaintext",
    effect: "Encrypts these octets, filled up to a block, and nothing else; the ICV is right.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 3, 4, 8, 16, 32, 64]))) }),
    apply(message, change) {
      const octets = octetsIn(change);
      if (octets.length === 0) return false;
      return replain(message, (_plaintext, parts, own) => {
        const size = Math.ceil(octets.length / own.encr.blockSize) * own.encr.blockSize;
        return sealed(own, parts, repeat(octets, size));
      });
    },
  },
  {
    name: "sk-plaintext-bit",
    effect: "Turns one bit of the plaintext, padding included; the ICV is right.",
    draw: (dice) => ({ value: dice.number(4096) }),
    apply(message, change) {
      const bit = whole(change, 0, 2 ** 20);
      if (bit === undefined) return false;
      return replain(message, (plaintext, parts, own) => sealed(own, parts, turnBit(plaintext, bit)));
    },
  },
  {
    name: "sk-ciphertext-cut",
    effect: "Cuts so many octets off the ciphertext, to part of a block; the ICV is right.",
    draw: (dice) => ({ value: 1 + dice.number(15) }),
    apply(message, change) {
      const octets = whole(change, 1, 255);
      const encr = message.sa?.outbound?.encr;
      if (octets === undefined || !encr || encr.aead || encr.blockSize === 1) return false;
      if (octets % encr.blockSize === 0) return false;
      return afterSeal(message, (parts, own) =>
        withIcv(own, {
          ...parts,
          ciphertext: parts.ciphertext.subarray(0, Math.max(0, parts.ciphertext.length - octets)),
        }),
      );
    },
  },
  {
    name: "sk-inner-type",
    effect: "Says that another type of payload is the first in SK.",
    draw: (dice) => ({
      value: numberOr(dice, [0, PAYLOAD.SK, PAYLOAD.SKF, 1, 32, 54, 255, ...Object.values(PAYLOAD)], 256),
    }),
    apply(message, change) {
      const type = whole(change, 0, 255);
      if (type === undefined || !message.protected || type === firstPayloadType(message.payloads))
        return false;
      message.seal.innerType = type;
      return true;
    },
  },
];

const vendor = (data: Uint8Array): Payload => ({ kind: "VendorID", type: PAYLOAD.VENDOR_ID, data });

/** A whole SK payload with this inside, sealed as if it stood alone behind a header. */
function nested(parts: Cut, own: Protection, plaintext: Uint8Array): Uint8Array {
  const inside = sealed(own, parts, plaintext).subarray(parts.lengthAt - 2);
  const room = (inside.length + 1) % own.encr.blockSize;
  const padding = (own.encr.blockSize - room) % own.encr.blockSize;
  return concat(inside, new Uint8Array(padding), Uint8Array.of(padding));
}

const around: SealedRow[] = [
  {
    name: "sk-nested",
    effect: "Seals the Encrypted payload in another one, so many times.",
    draw: (dice) => ({ value: numberOr(dice, [1, 2, 3], 20) || 1 }),
    apply(message, change) {
      const depth = whole(change, 1, 50);
      if (depth === undefined || !message.sa?.outbound || !message.protected) return false;
      message.seal.innerType = PAYLOAD.SK;
      const first = firstPayloadType(message.payloads);
      return replain(message, (plaintext, parts, own) => {
        const inner = Uint8Array.from(parts.head);
        inner[parts.lengthAt - 2] = first;
        let whole = nested({ ...parts, head: inner }, own, plaintext);
        for (let level = 1; level < depth; level++) whole = nested(parts, own, whole);
        return sealed(own, parts, whole);
      });
    },
  },
  {
    name: "sk-not-last",
    effect: "Puts a payload in clear behind the Encrypted payload.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([0, 4, 16, 64]))) }),
    apply(message, change) {
      const behind = encodeChain([vendor(octetsIn(change))]);
      return afterSeal(message, (_parts, _keys, datagram) => {
        const octets = concat(datagram, behind);
        new DataView(octets.buffer, octets.byteOffset).setUint32(24, octets.length);
        return octets;
      });
    },
  },
  {
    name: "sk-in-front",
    effect: "Puts payloads in clear in front of SK: `V`, or copies of all that is in it.",
    draw: (dice) => ({ at: dice.pick(["V", "all"]), octets: hex(anyOctets(dice, 16)) }),
    apply(message, change) {
      if (!message.protected) return false;
      if (change.at === "V") message.clear.push(vendor(octetsIn(change)));
      else if (change.at === "all" && message.payloads.length > 0) message.clear.push(...message.payloads);
      else return false;
      return true;
    },
  },
  {
    name: "sk-outside",
    effect: "Sends so many of the payloads in clear, in front of those that stay sealed.",
    draw: (dice) => ({ value: 1 + dice.number(4) }),
    apply(message, change) {
      const count = whole(change, 1, 255);
      if (count === undefined || !message.protected || message.payloads.length === 0) return false;
      message.clear.push(...message.payloads.splice(0, count));
      return true;
    },
  },
  {
    name: "sk-left-out",
    effect: "Sends the payloads in clear, without an Encrypted payload.",
    demand: byIcv,
    apply(message) {
      if (!message.protected) return false;
      message.protected = false;
      return true;
    },
  },
  {
    name: "sk-bits",
    effect: "Sets the critical bit and the reserved bits of the Encrypted payload.",
    draw: (dice) => ({ value: numberOr(dice, [128, 1, 64, 255], 256) }),
    apply(message, change) {
      const bits = whole(change, 1, 255);
      if (bits === undefined || !message.protected) return false;
      Object.assign(message.seal, { critical: bits >= 128, reserved: bits & 127 });
      return true;
    },
  },
];

export const plaintextOperators: readonly IkeOperator[] = [...plaintexts, ...around].map(ofSealed);
