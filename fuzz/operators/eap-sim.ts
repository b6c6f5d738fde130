/** Lies inside of EAP-SIM, AKA and AKA' (RFC 4186, RFC 4187, RFC 9048): subtypes and attributes. */
import { AT } from "../../harness/eap/simaka-attributes.ts";
import { concat } from "../../harness/wire/bytes.ts";
import { EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import { numberOr, octetsIn, whole } from "./bend.ts";
import { type EapRow, isType, ofEap, withOctet } from "./eap-packet.ts";
import type { IkeOperator } from "./operator.ts";

const isSim = isType(EAP_TYPE.SIM, EAP_TYPE.AKA, EAP_TYPE.AKA_PRIME);
/** Of the first attribute: behind type, subtype and two reserved octets. */
const FIRST = 4;

/** Where the attributes begin, as far as their lengths lead from one to the next. */
function attributesOf({ data }: EapPayload): number[] {
  const found: number[] = [];
  for (let at = FIRST; at + 1 < data.length && found.length < 64; ) {
    found.push(at);
    const size = 4 * (data[at + 1] ?? 0);
    if (size === 0) break;
    at += size;
  }
  return found;
}

const hasAttribute = (eap: EapPayload): boolean => isSim(eap) && attributesOf(eap).length > 0;

/** The attribute of this number, counted in circles. */
function attributeAt(eap: EapPayload, number: number): { at: number; end: number } | undefined {
  const all = attributesOf(eap);
  const at = all[number % Math.max(1, all.length)];
  return at === undefined
    ? undefined
    : { at, end: Math.min(eap.data.length, at + 4 * (eap.data[at + 1] ?? 0)) };
}

const sim: EapRow[] = [
  {
    name: "eap-sim-subtype",
    effect: "Writes another subtype of SIM or AKA.",
    fits: isSim,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 2, 4, 5, 10, 11, 12, 13, 14, 255], 256) }),
    becomes(eap, change) {
      const subtype = whole(change, 0, 255);
      return subtype === undefined || subtype === eap.data[1] ? undefined : withOctet(eap, 1, subtype);
    },
  },
  {
    name: "eap-sim-attribute-length",
    effect: "Writes another length, in units of 4 octets, into the first attribute.",
    fits: hasAttribute,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 2, 127, 255], 256) }),
    becomes(eap, change) {
      const length = whole(change, 0, 255);
      return length === undefined || length === eap.data[FIRST + 1]
        ? undefined
        : withOctet(eap, FIRST + 1, length);
    },
  },
  {
    name: "eap-sim-attribute-type",
    effect: "Writes another type into the first attribute; those below 128 must not be skipped.",
    fits: hasAttribute,
    draw: (dice) => ({
      value: numberOr(dice, [0, 1, 2, 4, 6, 7, 11, 12, 23, 24, 99, 127, 128, 129, 130, 132, 255], 256),
    }),
    becomes(eap, change) {
      const type = whole(change, 0, 255);
      return type === undefined || type === eap.data[FIRST] ? undefined : withOctet(eap, FIRST, type);
    },
  },
  {
    name: "eap-sim-attribute-add",
    effect: "Puts these octets, an attribute or not, behind all others.",
    fits: isSim,
    draw: (dice) => ({
      octets: dice.pick([
        "63010000",
        "80010000",
        "ff010000",
        "0b010000",
        "06010000",
        "0101",
        "82ff",
        "8402ffffffffffff",
        `81${"05"}0000${"00".repeat(16)}`,
      ]),
    }),
    becomes(eap, change) {
      const more = octetsIn(change);
      return more.length === 0 ? undefined : { ...eap, data: concat(eap.data, more) };
    },
  },
  {
    name: "eap-sim-attribute-repeat",
    effect: "Puts the attribute of this number behind all others, once more.",
    fits: hasAttribute,
    draw: (dice) => ({ value: dice.number(6) }),
    becomes(eap, change) {
      const number = whole(change, 0, 63);
      const found = number === undefined ? undefined : attributeAt(eap, number);
      return found && { ...eap, data: concat(eap.data, eap.data.subarray(found.at, found.end)) };
    },
  },
  {
    name: "eap-sim-attribute-omit",
    effect: "Leaves out the attribute of this number.",
    fits: hasAttribute,
    draw: (dice) => ({ value: dice.number(6) }),
    becomes(eap, change) {
      const number = whole(change, 0, 63);
      const found = number === undefined ? undefined : attributeAt(eap, number);
      return found && { ...eap, data: concat(eap.data.subarray(0, found.at), eap.data.subarray(found.end)) };
    },
  },
  {
    name: "eap-sim-mac",
    effect: "Turns a bit of AT_MAC.",
    fits: (eap) => isSim(eap) && attributesOf(eap).some((at) => eap.data[at] === AT.MAC),
    draw: (dice) => ({ value: dice.number(8) }),
    becomes(eap, change) {
      const bit = whole(change, 0, 7);
      const at = attributesOf(eap).find((place) => eap.data[place] === AT.MAC);
      if (bit === undefined || at === undefined) return undefined;
      return withOctet(eap, at + 4, (eap.data[at + 4] ?? 0) ^ (1 << bit));
    },
  },
];

export const eapSimOperators: readonly IkeOperator[] = sim.map(ofEap);
