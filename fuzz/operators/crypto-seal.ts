/** Lies about how a message is sealed: its ICV, keys and IV (RFC 7296 section 3.14, RFC 5282). */
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Protection } from "../../harness/ike/sk.ts";
import { concat, EMPTY, hex } from "../../harness/wire/bytes.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { repeat } from "./build.ts";
import type { IkeOperator, LieContext } from "./operator.ts";
import { afterSeal, byIcv, cut, joined, ofSealed, replain, type SealedRow, sealed } from "./sealed.ts";

const icv: SealedRow[] = [
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
      const octets = octetsIn(change);
      if (octets.length === 0) return false;
      return afterSeal(message, (parts) => joined({ ...parts, icv: repeat(octets, parts.icv.length) }));
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

const keys: SealedRow[] = [
  {
    name: "sk-key-foreign",
    effect: "Seals under keys that the peer does not have.",
    demand: byIcv,
    apply: (message, _change, context) => under(message, (own) => foreign(own, context)),
  },
  {
    name: "sk-key-integrity",
    effect: "Encrypts with the right key, and makes the ICV with another.",
    demand: byIcv,
    apply: (message, _change, context) =>
      under(message, (own) => (own.encr.aead ? undefined : { ...foreign(own, context), SK_e: own.SK_e })),
  },
  {
    name: "sk-key-encryption",
    effect: "Encrypts with another key; the ICV is right unless the cipher makes it.",
    apply: (message, _change, context) =>
      under(message, (own) => ({ ...foreign(own, context), SK_a: own.SK_a })),
  },
  {
    name: "sk-keys-swapped",
    effect: "Seals under the keys of the other direction.",
    demand: byIcv,
    apply: (message) => under(message, () => message.sa?.inbound),
  },
  {
    name: "sk-keys-earlier",
    effect: "Seals under the keys from before the last key exchange.",
    demand: byIcv,
    apply: (message) => under(message, (own) => message.sa && earlier(message.sa, own)),
  },
  {
    name: "sk-keys-other-sa",
    effect: "Seals under the keys of another IKE SA.",
    demand: byIcv,
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

const ivs: SealedRow[] = [
  {
    name: "sk-iv-reuse",
    effect: "Takes the IV of our message before.",
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
      message.seal.iv = repeat(octets, encr.ivLength);
      return true;
    },
  },
];

export const sealOperators: readonly IkeOperator[] = [...icv, ...keys, ...ivs].map(ofSealed);
