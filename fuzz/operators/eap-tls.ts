/** Lies in how EAP-TLS and EAP-TTLS cut TLS into packets (RFC 5216 section 3.1, RFC 5281 section 9), and in the TLS records themselves. */
import { TLS_FLAG } from "../../harness/eap/tls-fragments.ts";
import { concat, EMPTY, hex, readU16, u32, view } from "../../harness/wire/bytes.ts";
import { EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import { anyOctets, numberOr, octetsIn, whole } from "./bend.ts";
import { type EapRow, isType, ofEap, withOctet, withTypeData } from "./eap-packet.ts";
import type { IkeOperator } from "./operator.ts";

const isTls = isType(EAP_TYPE.TLS, EAP_TYPE.TTLS, EAP_TYPE.PEAP);
/** Octets of the header of a TLS record, and of a handshake message. */
const RECORD = 5;

interface Parts {
  flags: number;
  length: Uint8Array;
  tls: Uint8Array;
}

function partsOf({ data }: EapPayload): Parts {
  const flags = data[1] ?? 0;
  const from = (flags & TLS_FLAG.LENGTH) !== 0 ? 6 : 2;
  return { flags, length: view(data, 2, Math.min(from, data.length)), tls: view(data, from, data.length) };
}

const typeData = ({ flags, length, tls }: Parts): Uint8Array => concat(Uint8Array.of(flags), length, tls);

const hasFlags = (eap: EapPayload): boolean => isTls(eap) && eap.data.length > 1;
const hasRecord = (eap: EapPayload): boolean => hasFlags(eap) && partsOf(eap).tls.length >= RECORD;
/** A handshake message in clear at the front. */
const hasHandshake = (eap: EapPayload): boolean =>
  hasRecord(eap) && partsOf(eap).tls[0] === 22 && partsOf(eap).tls.length >= RECORD + 4;

const withTls = (eap: EapPayload, tls: Uint8Array): EapPayload =>
  withTypeData(eap, typeData({ ...partsOf(eap), tls }));

/** The TLS octets with some of them written. */
function written(eap: EapPayload, at: number, octets: Uint8Array): EapPayload {
  const tls = Uint8Array.from(partsOf(eap).tls);
  tls.set(octets.subarray(0, Math.max(0, tls.length - at)), at);
  return withTls(eap, tls);
}

const flags: EapRow[] = [
  {
    name: "eap-tls-flags",
    effect: "Writes other flags, TLS Message Length or not.",
    fits: hasFlags,
    draw: (dice) => ({
      value: numberOr(
        dice,
        [TLS_FLAG.LENGTH, TLS_FLAG.MORE, TLS_FLAG.START, 0xc0, 0xe0, 0x1f, 0x07, 0xff, 0],
        256,
      ),
    }),
    becomes(eap, change) {
      const octet = whole(change, 0, 255);
      return octet === undefined || octet === eap.data[1] ? undefined : withOctet(eap, 1, octet);
    },
  },
  {
    name: "eap-tls-length",
    effect: "Says that the TLS message has so many octets.",
    fits: hasFlags,
    draw: (dice, eap) => {
      const { length } = partsOf(eap).tls;
      return {
        value: numberOr(
          dice,
          [0, 1, length, length + 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff],
          0xffffffff,
        ),
      };
    },
    becomes(eap, change) {
      const length = whole(change, 0, 0xffffffff);
      if (length === undefined) return undefined;
      const parts = partsOf(eap);
      return withTypeData(
        eap,
        typeData({ ...parts, flags: parts.flags | TLS_FLAG.LENGTH, length: u32(length) }),
      );
    },
  },
  {
    name: "eap-tls-empty-more",
    effect: "Sends an empty fragment and says that more follow.",
    fits: hasFlags,
    becomes: (eap) => withTypeData(eap, Uint8Array.of(TLS_FLAG.MORE)),
  },
  {
    name: "eap-tls-start",
    effect: "Begins TLS anew: the start bit alone.",
    fits: hasFlags,
    becomes: (eap) => withTypeData(eap, Uint8Array.of(TLS_FLAG.START)),
  },
  {
    name: "eap-tls-first-fragment",
    effect: "Sends the first so many octets of TLS and says that more follow, which do not.",
    fits: hasRecord,
    draw: (dice, eap) => ({ value: dice.number(partsOf(eap).tls.length) }),
    becomes(eap, change) {
      const { tls } = partsOf(eap);
      const octets = whole(change, 0, tls.length);
      if (octets === undefined) return undefined;
      return withTypeData(
        eap,
        typeData({
          flags: TLS_FLAG.LENGTH | TLS_FLAG.MORE,
          length: u32(tls.length),
          tls: tls.subarray(0, octets),
        }),
      );
    },
  },
  {
    name: "eap-tls-acknowledge",
    effect: "Acknowledges a fragment instead of what is due.",
    fits: hasFlags,
    becomes: (eap) => withTypeData(eap, Uint8Array.of(0)),
  },
];

const records: EapRow[] = [
  {
    name: "eap-tls-record-type",
    effect: "Writes another type of the first TLS record.",
    fits: hasRecord,
    draw: (dice) => ({ value: numberOr(dice, [0, 20, 21, 22, 23, 24, 255], 256) }),
    becomes(eap, change) {
      const type = whole(change, 0, 255);
      return type === undefined ? undefined : written(eap, 0, Uint8Array.of(type));
    },
  },
  {
    name: "eap-tls-record-version",
    effect: "Writes another version of the first TLS record.",
    fits: hasRecord,
    draw: (dice) => ({
      value: numberOr(dice, [0, 2, 0x200, 0x300, 0x301, 0x302, 0x304, 0x305, 0xffff], 0x10000),
    }),
    becomes(eap, change) {
      const version = whole(change, 0, 0xffff);
      return version === undefined ? undefined : written(eap, 1, u32(version).subarray(2));
    },
  },
  {
    name: "eap-tls-record-length",
    effect: "Writes another length of the first TLS record.",
    fits: hasRecord,
    draw: (dice, eap) => {
      const length = readU16(partsOf(eap).tls, 3);
      return {
        value: numberOr(
          dice,
          [0, 1, length - 1, length + 1, 0x4000, 0x4001, 0x4801, 0xffff].filter((n) => n >= 0),
          0x10000,
        ),
      };
    },
    becomes(eap, change) {
      const length = whole(change, 0, 0xffff);
      return length === undefined ? undefined : written(eap, 3, u32(length).subarray(2));
    },
  },
  {
    name: "eap-tls-record-empty",
    effect: "Puts so many empty records of this type of content in front.",
    fits: hasRecord,
    draw: (dice) => ({ value: dice.pick([1, 2, 32, 200]) }),
    becomes(eap, change) {
      const count = whole(change, 1, 1000);
      if (count === undefined) return undefined;
      const { tls } = partsOf(eap);
      const empty = concat(tls.subarray(0, 3), new Uint8Array(2));
      return withTls(eap, concat(...Array.from({ length: count }, () => empty), tls));
    },
  },
  {
    name: "eap-tls-record-twice",
    effect: "Sends all TLS records twice in one packet.",
    fits: hasRecord,
    becomes(eap) {
      const { tls } = partsOf(eap);
      return withTls(eap, concat(tls, tls));
    },
  },
  {
    name: "eap-tls-alert",
    effect: "Sends an alert of this level and description, in clear, in the place of TLS.",
    fits: hasFlags,
    draw: (dice) => ({
      octets: hex(Uint8Array.of(dice.pick([0, 1, 2, 255]), dice.pick([0, 10, 20, 40, 46, 48, 80, 90, 255]))),
    }),
    becomes(eap, change) {
      const alert = octetsIn(change).subarray(0, 2);
      return withTypeData(eap, concat(Uint8Array.of(0, 21, 3, 3, 0, alert.length), alert));
    },
  },
  {
    name: "eap-tls-more",
    effect: "Puts these octets behind the TLS records.",
    fits: hasFlags,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 4, 5, 16, 1000]))) }),
    becomes(eap, change) {
      const more = octetsIn(change);
      return more.length === 0 ? undefined : withTls(eap, concat(partsOf(eap).tls, more));
    },
  },
  {
    name: "eap-tls-none",
    effect: "Leaves out all TLS octets, and says that there are some by the length in front.",
    fits: hasRecord,
    becomes: (eap) =>
      withTypeData(
        eap,
        typeData({ flags: TLS_FLAG.LENGTH, length: u32(partsOf(eap).tls.length), tls: EMPTY }),
      ),
  },
];

const handshakes: EapRow[] = [
  {
    name: "eap-tls-handshake-type",
    effect: "Writes another type of the first handshake message.",
    fits: hasHandshake,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 24, 255], 256) }),
    becomes(eap, change) {
      const type = whole(change, 0, 255);
      return type === undefined ? undefined : written(eap, RECORD, Uint8Array.of(type));
    },
  },
  {
    name: "eap-tls-handshake-length",
    effect: "Writes another length of the first handshake message.",
    fits: hasHandshake,
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 3, 0x4000, 0xffff, 0x10000, 0xffffff], 0x1000000) }),
    becomes(eap, change) {
      const length = whole(change, 0, 0xffffff);
      return length === undefined ? undefined : written(eap, RECORD + 1, u32(length).subarray(1));
    },
  },
  {
    name: "eap-tls-bit",
    effect: "Turns one bit of the TLS octets.",
    fits: hasRecord,
    draw: (dice, eap) => ({ value: dice.number(8 * partsOf(eap).tls.length) }),
    becomes(eap, change) {
      const { tls } = partsOf(eap);
      const bit = whole(change, 0, 8 * tls.length - 1);
      if (bit === undefined) return undefined;
      const at = bit >> 3;
      return written(eap, at, Uint8Array.of((tls[at] ?? 0) ^ (1 << (bit & 7))));
    },
  },
];

export const eapTlsOperators: readonly IkeOperator[] = [...flags, ...records, ...handshakes].map(ofEap);
