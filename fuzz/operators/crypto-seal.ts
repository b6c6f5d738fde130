/** Lies about the Encrypted payload: ICV, keys, IV, padding and what stands around it (RFC 7296 section 3.14, RFC 5282). */
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Protection } from "../../harness/ike/sk.ts";
import { concat, EMPTY, hex } from "../../harness/wire/bytes.ts";
import { encodeChain, firstPayloadType } from "../../harness/wire/index.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import type { Demand, Draft, IkeOperator, LieContext } from "./operator.ts";
import { afterSeal, type Cut, cut, joined, replain, sealed, withIcv } from "./sealed.ts";

/** Nothing whose ICV is wrong is answered. */
const byIcv: Demand = { document: "rfc7296", requirement: "IKEV2-283", never: "answer" };

interface Row {
  name: string;
  effect: string;
  demand?: Demand;
  draw(dice: Dice): Draft;
  apply: IkeOperator["apply"];
}

/** An operator on messages that are sealed. */
const ofSealed = ({ draw, ...row }: Row): IkeOperator => ({
  ...row,
  on: "ike",
  family: "crypto",
  draw: (message, dice) => (message.protected ? draw(dice) : undefined),
});

const nothing = (): Draft => ({});

/** Keys made of nothing that the peer has. */
const foreign = (keys: Protection, { dice }: LieContext): Protection => ({
  ...keys,
  SK_e: dice.octets(keys.SK_e.length),
  SK_a: dice.octets(keys.SK_a.length),
});

/** Seals what the message holds under other keys. */
const under = (message: OutgoingMessage, other: (keys: Protection) => Protection | undefined): boolean => {
  const own = message.sa?.outbound;
  const keys = own && other(own);
  if (!keys || !sameShape(own, keys)) return false;
  return replain(message, (plaintext, parts) => sealed(keys, parts, plaintext));
};

const sameShape = (a: Protection, b: Protection): boolean =>
  a.encr.id === b.encr.id && a.SK_e.length === b.SK_e.length && a.SK_a.length === b.SK_a.length;

/** Those of our direction before an additional key exchange, or of the IKE SA that this one replaces. */
function earlier(sa: IkeSa, keys: Protection): Protection | undefined {
  const before = sa.earlierKeys.at(-1);
  if (!before) return sa.replaces?.outbound;
  const own = sa.role === "initiator" ? [before.SK_ei, before.SK_ai] : [before.SK_er, before.SK_ar];
  return { ...keys, SK_e: own[0] ?? EMPTY, SK_a: own[1] ?? EMPTY };
}

const ofAnother = (core: Core, sa: IkeSa): Protection | undefined =>
  [...core.sas.values()].find((other) => other !== sa && other.outbound)?.outbound;

const icv: Row[] = [
  {
    name: "sk-icv-bit",
    effect: "Turns one bit of the ICV.",
    demand: byIcv,
    draw: (dice) => ({ value: dice.number(64) }),
    apply(message, change) {
      const bit = whole(change, 0, 255);
      return (
        bit !== undefined && afterSeal(message, (parts) => joined({ ...parts, icv: turnBit(parts.icv, bit) }))
      );
    },
  },
  {
    name: "sk-icv-replace",
    effect: "Writes these octets, again and again, in the place of the ICV.",
    demand: byIcv,
    draw: (dice) => ({ octets: hex(anyOctets(dice, 4)) }),
    apply(message, change) {
      const fill = octetsIn(change);
      if (fill.length === 0) return false;
      return afterSeal(message, (parts) =>
        joined({ ...parts, icv: parts.icv.map((_, at) => fill[at % fill.length] ?? 0) }),
      );
    },
  },
  {
    name: "sk-icv-cut",
    effect: "Leaves out so many of the last octets of the ICV; lengths are right.",
    demand: byIcv,
    draw: (dice) => ({ value: numberOr(dice, [1, 4, 8], 12) + 1 }),
    apply(message, change) {
      const octets = whole(change, 1, 64);
      if (octets === undefined) return false;
      return afterSeal(message, (parts) =>
        joined({ ...parts, icv: parts.icv.subarray(0, Math.max(0, parts.icv.length - octets)) }),
      );
    },
  },
  {
    name: "sk-icv-missing",
    effect: "Leaves out the ICV; lengths are right.",
    demand: byIcv,
    draw: nothing,
    apply: (message) => afterSeal(message, (parts) => joined({ ...parts, icv: EMPTY })),
  },
  {
    name: "sk-icv-more",
    effect: "Puts octets behind the ICV and counts them in all lengths.",
    demand: byIcv,
    draw: (dice) => ({ octets: hex(anyOctets(dice, 1 + dice.number(32))) }),
    apply(message, change) {
      const more = octetsIn(change);
      return (
        more.length > 0 && afterSeal(message, (parts) => joined({ ...parts, icv: concat(parts.icv, more) }))
      );
    },
  },
  {
    name: "sk-header-after-seal",
    effect: "Turns a bit of the header after the ICV was made over it.",
    demand: byIcv,
    draw: (dice) => ({ value: dice.pick([0, 63, 64, 127, 136, 144, 152, 153, 158, 159, 160, 184, 191]) }),
    apply(message, change) {
      const bit = whole(change, 0, 8 * 28 - 1);
      return bit !== undefined && afterSeal(message, (_parts, _keys, datagram) => turnBit(datagram, bit));
    },
  },
  {
    name: "sk-short",
    effect: "Leaves so many octets in the Encrypted payload: too few for IV and ICV.",
    demand: byIcv,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 7, 8, 15, 16], 18) }),
    apply(message, change) {
      const octets = whole(change, 0, 19);
      if (octets === undefined) return false;
      return afterSeal(message, (parts) =>
        joined({
          ...parts,
          iv: parts.iv.subarray(0, octets),
          ciphertext: EMPTY,
          icv: parts.icv.subarray(0, Math.max(0, octets - parts.iv.length)),
        }),
      );
    },
  },
];

const keys: Row[] = [
  {
    name: "sk-key-foreign",
    effect: "Seals under keys that the peer does not have.",
    demand: byIcv,
    draw: nothing,
    apply: (message, _change, context) => under(message, (own) => foreign(own, context)),
  },
  {
    name: "sk-key-integrity",
    effect: "Encrypts with the right key, and makes the ICV with another.",
    demand: byIcv,
    draw: nothing,
    apply: (message, _change, context) =>
      under(message, (own) => (own.encr.aead ? undefined : { ...foreign(own, context), SK_e: own.SK_e })),
  },
  {
    name: "sk-key-encryption",
    effect: "Encrypts with another key; the ICV is right unless the cipher makes it.",
    draw: nothing,
    apply: (message, _change, context) =>
      under(message, (own) => ({ ...foreign(own, context), SK_a: own.SK_a })),
  },
  {
    name: "sk-keys-swapped",
    effect: "Seals under the keys of the other direction.",
    demand: byIcv,
    draw: nothing,
    apply: (message) => under(message, () => message.sa?.inbound),
  },
  {
    name: "sk-keys-earlier",
    effect: "Seals under the keys from before the last key exchange.",
    demand: byIcv,
    draw: nothing,
    apply: (message) => under(message, (own) => message.sa && earlier(message.sa, own)),
  },
  {
    name: "sk-keys-other-sa",
    effect: "Seals under the keys of another IKE SA.",
    demand: byIcv,
    draw: nothing,
    apply: (message, _change, { core }) => under(message, () => message.sa && ofAnother(core, message.sa)),
  },
];

/** The IV of the last sealed message we sent. */
function lastIv(own: Protection, sent: LieContext["sent"]): Uint8Array | undefined {
  for (const datagram of sent.flat().reverse()) {
    const parts = cut(own, datagram);
    if (parts) return Uint8Array.from(parts.iv);
  }
  return undefined;
}

const fill = (octets: Uint8Array, size: number): Uint8Array =>
  new Uint8Array(size).map((_, at) => octets[at % octets.length] ?? 0);

const ivs: Row[] = [
  {
    name: "sk-iv-reuse",
    effect: "Takes the IV of our message before.",
    draw: nothing,
    apply(message, _change, { sent }) {
      const own = message.sa?.outbound;
      const iv = own && message.protected ? lastIv(own, sent) : undefined;
      if (!iv) return false;
      message.seal.iv = iv;
      return true;
    },
  },
  {
    name: "sk-iv",
    effect: "Takes these octets, again and again, as IV.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, 4)) }),
    apply(message, change) {
      const octets = octetsIn(change);
      const encr = message.sa?.outbound?.encr;
      if (!encr || !message.protected || octets.length === 0) return false;
      message.seal.iv = fill(octets, encr.ivLength);
      return true;
    },
  },
];

/** Sets Pad Length, the last octet of the plaintext. */
const padLength = (plaintext: Uint8Array, length: number): Uint8Array => {
  const copy = Uint8Array.from(plaintext);
  copy[copy.length - 1] = length;
  return copy;
};

const unpadded = (plaintext: Uint8Array): Uint8Array =>
  plaintext.subarray(0, Math.max(0, plaintext.length - 1 - (plaintext.at(-1) ?? 0)));

const plaintexts: Row[] = [
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
    effect: "Writes a Pad Length that leads so many octets beyond the plaintext, under the right ICV.",
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
    draw: nothing,
    apply: (message) => replain(message, (_plaintext, parts, own) => sealed(own, parts, EMPTY)),
  },
  {
    name: "sk-plaintext",
    effect: "Encrypts these octets, filled up to a block, instead of payloads and padding; the ICV is right.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 3, 4, 8, 16, 32, 64]))) }),
    apply(message, change) {
      const octets = octetsIn(change);
      if (octets.length === 0) return false;
      return replain(message, (_plaintext, parts, own) => {
        const size = Math.ceil(octets.length / own.encr.blockSize) * own.encr.blockSize;
        return sealed(own, parts, fill(octets, size));
      });
    },
  },
  {
    name: "sk-plaintext-bit",
    effect: "Turns one bit of the plaintext, padding and Pad Length counted in; the ICV is right.",
    draw: (dice) => ({ value: dice.number(4096) }),
    apply(message, change) {
      const bit = whole(change, 0, 2 ** 20);
      if (bit === undefined) return false;
      return replain(message, (plaintext, parts, own) => sealed(own, parts, turnBit(plaintext, bit)));
    },
  },
  {
    name: "sk-ciphertext-cut",
    effect:
      "Leaves out so many of the last octets of the ciphertext, which is no multiple of the block then; the ICV is right.",
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

const around: Row[] = [
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
    effect: "Puts payloads in clear in front of the Encrypted payload: `V`, or copies of all that is in it.",
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
    draw: nothing,
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

export const sealOperators: readonly IkeOperator[] = [...icv, ...keys, ...ivs, ...plaintexts, ...around].map(
  ofSealed,
);
