/** Key exchange values and nonces that no honest sender has. */
import { getDiffieHellman } from "node:crypto";
import { ALL_KE, keMethod } from "../../harness/crypto/ke.ts";
import { equal, fromHex, plain } from "../../harness/wire/bytes.ts";
import { KE } from "../../harness/wire/registry/ke.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { KePayload } from "../../harness/wire/types.ts";
import { clamp, drawPattern, kindOperator, messageOperator, otherThan, repeat, resized } from "./build.ts";
import type { IkeOperator } from "./operator.ts";
import { drawPayload, replaceAt } from "./place.ts";

/** Octets of a big-endian number with something added to its last octet. */
function plus(octets: Uint8Array, addend: number): Uint8Array {
  const sum = octets.slice();
  let carry = addend;
  for (let at = sum.length - 1; at >= 0 && carry !== 0; at--) {
    const digit = (sum[at] ?? 0) + carry;
    sum[at] = digit;
    carry = Math.floor(digit / 256);
  }
  return sum;
}

const MODP: readonly number[] = [2, 5, 14, 15, 16, 17, 18];

/** The prime of a MODP group; undefined for another method. */
const primeOf = (group: number): Uint8Array | undefined =>
  MODP.includes(group) ? plain(getDiffieHellman(`modp${group}`).getPrime()) : undefined;

/** u-coordinates of points of small order on Curve25519 and Curve448, and numbers at and above their primes; little endian. */
const LOW_ORDER: { readonly [group: number]: readonly string[] } = {
  [KE.CURVE25519]: [
    `01${"00".repeat(31)}`,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ],
  [KE.CURVE448]: [
    `01${"00".repeat(55)}`,
    `fe${"ff".repeat(27)}fe${"ff".repeat(27)}`,
    `${"ff".repeat(28)}fe${"ff".repeat(27)}`,
    `00${"00".repeat(27)}ff${"ff".repeat(27)}`,
  ],
};

/** Values of the right size: all zeros, all ones, 1, and what is special in the group. */
function specials({ group, data }: KePayload): Uint8Array[] {
  const size = keMethod(group)?.publicLength ?? data.length;
  const prime = primeOf(group);
  const one = plus(new Uint8Array(size), 1);
  const common = [new Uint8Array(size), new Uint8Array(size).fill(0xff), one, plus(one, 1)];
  const ofModp = prime ? [prime, plus(prime, -1), plus(prime, -2), plus(prime, 1)] : [];
  const ofCurve = (LOW_ORDER[group] ?? []).map((digits) => fromHex(digits));
  const half = data.length >> 1;
  // A point's last octet changed leaves its curve; x twice is a point of it once in a great while.
  const ofPoint = [plus(data, 1), repeat(data.subarray(0, half), data.length), flipLast(data)];
  return [...common, ...ofModp, ...ofCurve, ...ofPoint];
}

function flipLast(data: Uint8Array): Uint8Array {
  const changed = data.slice();
  const last = changed.length - 1;
  if (last >= 0) changed[last] = (changed[last] ?? 0) ^ 0x80;
  return changed;
}

const methods = ALL_KE.map(({ id }) => id);

/** Octets of a public value of the method, 32 for one that no one has. */
const sizeOfMethod = (group: number): number => keMethod(group)?.publicLength ?? 32;

export const keyExchangeOperators: readonly IkeOperator[] = [
  kindOperator("KE", {
    name: "ke-method",
    family: "content",
    effect: "Sends a value of another method's size under that method.",
    draw: ({ group }, dice) => ({ value: otherThan(dice, methods, group), octets: dice.octets(8) }),
    apply({ payload }, { value, octets }) {
      const group = value & 0xffff;
      if (group === payload.group) return false;
      Object.assign(payload, { group, data: repeat(octets, sizeOfMethod(group)) });
      return true;
    },
  }),
  kindOperator("KE", {
    name: "ke-method-size",
    family: "content",
    effect: "Sends a value of another method's size under the method that was agreed.",
    draw: ({ group }, dice) => ({ value: otherThan(dice, methods, group), octets: dice.octets(8) }),
    apply({ payload }, { value, octets }) {
      const size = sizeOfMethod(value);
      if (size === payload.data.length) return false;
      payload.data = repeat(octets, size);
      return true;
    },
  }),
  kindOperator("KE", {
    name: "ke-size",
    family: "length",
    effect: "Sends a public value that is a few octets too short or too long, or cut in half.",
    draw: ({ data }, dice) => ({
      value: dice.pick([
        data.length - 1,
        data.length + 1,
        data.length >> 1,
        data.length * 2,
        data.length - 32,
      ]),
      octets: drawPattern(dice),
    }),
    apply({ payload }, { value, octets }) {
      const size = clamp(value, 0, 20_000);
      if (size === payload.data.length) return false;
      payload.data = resized(payload.data, size, octets);
      return true;
    },
  }),
  kindOperator("KE", {
    name: "ke-value",
    family: "content",
    effect: "Sends as public value 0, 1, p, p-1, all ones, a point of small order or off curve.",
    draw: (_, dice) => ({ value: dice.number(14) }),
    apply({ payload }, { value }) {
      const all = specials(payload);
      const data = all[((value % all.length) + all.length) % all.length];
      if (!data || equal(data, payload.data)) return false;
      payload.data = data;
      return true;
    },
  }),
  messageOperator({
    name: "ke-twice",
    family: "content",
    effect: "Sends a second KE payload of another method.",
    draw(message, dice) {
      const drawn = drawPayload(message, dice, ({ kind }) => kind === "KE");
      return drawn && { at: drawn.at, value: dice.pick(methods), octets: dice.octets(8) };
    },
    apply(message, { index, value, octets }) {
      const payload = message.payloads[index];
      if (payload?.kind !== "KE") return false;
      const group = value & 0xffff;
      const data = repeat(octets, sizeOfMethod(group));
      return replaceAt(message, index, payload, { kind: "KE", type: PAYLOAD.KE, group, data });
    },
  }),
];
