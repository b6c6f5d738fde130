/** What stands in identities. */
import { encode } from "../../harness/pki/der.ts";
import { concat, equal, fromHex } from "../../harness/wire/bytes.ts";
import { ID_TYPE } from "../../harness/wire/registry/id-types.ts";
import { clamp, kindOperator } from "./build.ts";
import type { IkeOperator } from "./operator.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Names that are none, or that mean something to printers, shells, paths and patterns. */
const NAMES = [
  "",
  "\0",
  "peer.example\0.example",
  "%n%n%s%x",
  "*",
  "*.example",
  "@",
  "@@",
  "peer.example.",
  ".",
  "..",
  "../../../peer",
  "/",
  "\\",
  '"',
  "a b\tc\n",
  "$(x)`x`",
  "ü.example",
  "%any",
  "0.0.0.0",
  "::",
  "C=CH, O=x, CN=*",
  "\u{202e}example",
  "a".repeat(255),
  "a".repeat(256),
  "a.".repeat(1000),
].map(text);

const { ID_IPV4_ADDR, ID_IPV6_ADDR, ID_FQDN, ID_RFC822_ADDR, ID_KEY_ID } = ID_TYPE;
const { ID_DER_ASN1_DN, ID_DER_ASN1_GN, ID_FC_NAME, ID_NULL } = ID_TYPE;

/** Types with data that are not of their form. */
const ODD: readonly (readonly [type: number, data: Uint8Array])[] = [
  ...NAMES.flatMap((name): [number, Uint8Array][] => [
    [ID_FQDN, name],
    [ID_RFC822_ADDR, name],
    [ID_KEY_ID, name],
  ]),
  ...[0, 1, 3, 5, 8, 16, 300].map((size): [number, Uint8Array] => [ID_IPV4_ADDR, new Uint8Array(size)]),
  ...[0, 1, 4, 15, 17, 32].map((size): [number, Uint8Array] => [ID_IPV6_ADDR, new Uint8Array(size)]),
  [ID_IPV4_ADDR, fromHex("ffffffff")],
  [ID_NULL, text("peer.example")],
  [ID_NULL, text("")],
  [ID_FC_NAME, new Uint8Array(7)],
  ...["", "30", "3080", "3000", "3084ffffffff", "31003000", "300b310930070603550403", "0500"].flatMap(
    (digits): [number, Uint8Array][] => [
      [ID_DER_ASN1_DN, fromHex(digits)],
      [ID_DER_ASN1_GN, fromHex(digits)],
    ],
  ),
  [ID_DER_ASN1_GN, fromHex("8200")],
  [ID_DER_ASN1_GN, fromHex("8703000000")],
  [0, text("peer.example")],
  [4, new Uint8Array(8)],
  [6, new Uint8Array(32)],
  [255, text("peer.example")],
];

const COMMON_NAME = fromHex("0603550403");

/** A distinguished name of so many common names. */
function longName(count: number): Uint8Array {
  const rdn = encode(0x31, encode(0x30, COMMON_NAME, encode(0x0c, text("peer.example"))));
  return encode(0x30, ...Array.from({ length: count }, () => rdn));
}

export const identitiesOperators: readonly IkeOperator[] = [
  kindOperator("ID", {
    name: "id-odd",
    family: "content",
    effect: "Sends an identity of no right form: empty, with NUL, of wrong size, a broken name.",
    draw(_, dice) {
      const [value, octets] = dice.pick(ODD);
      return { value, octets };
    },
    apply({ payload }, { value, octets }) {
      const idType = value & 0xff;
      if (payload.idType === idType && equal(payload.data, octets)) return false;
      Object.assign(payload, { idType, data: octets });
      return true;
    },
  }),
  kindOperator("ID", {
    name: "id-suffix",
    family: "content",
    effect: "Adds octets behind the data of an identity.",
    draw: (_, dice) => ({
      octets: dice.pick(["00", "0000", "2e", "20", "002e6578616d706c65", "ff"].map(fromHex)),
    }),
    apply({ payload }, { octets }) {
      payload.data = concat(payload.data, octets);
      return octets.length > 0;
    },
  }),
  kindOperator("ID", {
    name: "id-long-name",
    family: "content",
    effect: "Sends a distinguished name of up to thousands of parts.",
    draw: (_, dice) => ({ value: dice.pick([1, 2, 20, 100, 255, 256, 1500]) }),
    apply({ payload }, { value }) {
      payload.idType = ID_DER_ASN1_DN;
      payload.data = longName(clamp(value, 0, 2_000));
      return true;
    },
  }),
];
