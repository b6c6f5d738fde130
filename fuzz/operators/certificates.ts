/** Certificates, certificate requests, and the ASN.1 in them, in identities and in AUTH. */
import { concat, EMPTY, equal, fromHex, u16 } from "../../harness/wire/bytes.ts";
import { CERT_ENCODING } from "../../harness/wire/registry/cert-encodings.ts";
import { ID_TYPE } from "../../harness/wire/registry/id-types.ts";
import type { AuthPayload, CertPayload, IdPayload, Payload } from "../../harness/wire/types.ts";
import { digital, identifierIn, isDigital, signatureIn } from "./auth-payload.ts";
import { clamp, kindOperator, MOST_OCTETS, payloadOperator, repeat } from "./build.ts";
import { BREAKS, broken, sizeIn } from "./der.ts";
import type { IkeOperator } from "./operator.ts";

type DerPayload = CertPayload<"CERT"> | IdPayload | AuthPayload;

/** Payloads whose data are DER, AUTH of RFC 7427 behind one octet. */
function holdsDer(payload: Payload): payload is DerPayload {
  switch (payload.kind) {
    case "CERT":
      return payload.data.length > 0 && payload.encoding !== CERT_ENCODING.HASH_AND_URL_X509;
    case "ID":
      return payload.idType === ID_TYPE.ID_DER_ASN1_DN || payload.idType === ID_TYPE.ID_DER_ASN1_GN;
    case "AUTH":
      return isDigital(payload);
    default:
      return false;
  }
}

/** Changes the DER of a payload; the length octet in front of an AlgorithmIdentifier follows it. */
function changeDer(payload: DerPayload, change: (der: Uint8Array) => Uint8Array | undefined): boolean {
  const inner = payload.kind === "AUTH" ? identifierIn(payload) : payload.data;
  const changed = change(inner)?.subarray(0, MOST_OCTETS);
  if (!changed || equal(changed, inner)) return false;
  payload.data = payload.kind === "AUTH" ? digital(changed, signatureIn(payload)) : changed;
  return true;
}

const asn1Operators: readonly IkeOperator[] = BREAKS.map((one) =>
  payloadOperator<DerPayload>({
    name: `asn1-${one.verb}`,
    family: "content",
    effect: one.effect,
    fits: holdsDer,
    draw: (_, dice) => ({
      value: dice.number(dice.chance(0.4) ? 12 : 200),
      octets: u16(dice.chance(0.6) ? dice.number(9) : dice.pick([127, 128, 255, 256, 1000, 5000, 20_000])),
    }),
    apply: ({ payload }, { value, octets }) =>
      changeDer(payload, (inner) => broken(inner, one, value, sizeIn(octets))),
  }),
);

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** URLs of no one: 192.0.2.0/24 is for documentation. */
const URLS = [
  "http://192.0.2.1/c.der",
  "http://192.0.2.1:99999/c",
  "http://192.0.2.1:-1/",
  "http://192.0.2.1/%00%n%s",
  "http://192.0.2.1@192.0.2.2/",
  "http://[::ffff:192.0.2.1]/",
  "http://",
  "file:///dev/null",
  "ftp://192.0.2.1/",
  "//192.0.2.1",
  "",
  "\0http://192.0.2.1/",
  `http://192.0.2.1/${"a".repeat(3000)}`,
  "http://192.0.2.1/ x\r\nHost: y",
].map(text);

const HASH = new Uint8Array(20).fill(0x5a);

/** Certificate data as encodings have them, none of them good. */
const ENCODED: readonly (readonly [encoding: number, data: Uint8Array])[] = [
  ...URLS.flatMap((url): [number, Uint8Array][] => [
    [CERT_ENCODING.HASH_AND_URL_X509, concat(HASH, url)],
    [CERT_ENCODING.HASH_AND_URL_BUNDLE, concat(HASH, url)],
  ]),
  [CERT_ENCODING.HASH_AND_URL_X509, HASH.subarray(0, 19)],
  [CERT_ENCODING.HASH_AND_URL_X509, EMPTY],
  ...[0, 1, 2, 3, 5, 7, 8, 9, 10, 14, 200, 201, 255].map((encoding): [number, Uint8Array] => [
    encoding,
    fromHex("3003020100"),
  ]),
  [CERT_ENCODING.PKCS7_X509, fromHex("308006092a864886f70d010702a080308002010131000000000000")],
  [CERT_ENCODING.CRL, fromHex("30133008020101300306012a300030061700170030 00")],
  [CERT_ENCODING.RAW_RSA_KEY, fromHex("3006020100020100")],
  [CERT_ENCODING.RAW_RSA_KEY, fromHex("3007020200ff020103")],
  [CERT_ENCODING.RAW_PUBLIC_KEY, fromHex("300a300506032b6570030100")],
  [CERT_ENCODING.RAW_PUBLIC_KEY, fromHex("3019301306072a8648ce3d020106082a8648ce3d030107030200 04")],
  [CERT_ENCODING.X509_SIGNATURE, EMPTY],
  [CERT_ENCODING.X509_SIGNATURE, fromHex("30")],
  [CERT_ENCODING.X509_SIGNATURE, fromHex("3080")],
  [CERT_ENCODING.X509_SIGNATURE, text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")],
];

const certificateOperators: readonly IkeOperator[] = [
  kindOperator("CERT", {
    name: "cert-other",
    family: "content",
    effect: "Sends another certificate encoding with bad data of its kind, hash and URL as well.",
    draw(_, dice) {
      const [value, octets] = dice.pick(ENCODED);
      return { value, octets };
    },
    apply({ payload }, { value, octets }) {
      const encoding = value & 0xff;
      if (payload.encoding === encoding && equal(payload.data, octets)) return false;
      Object.assign(payload, { encoding, data: octets });
      return true;
    },
  }),
  kindOperator("CERTREQ", {
    name: "certreq-authorities",
    family: "content",
    effect: "Names hundreds of authorities that no one knows, or a part of one.",
    draw: (_, dice) => ({
      value: dice.pick([0, 1, 19, 21, 20, 39, 40, 2000, 2001, 20_000, 50_000]),
      octets: dice.octets(4),
    }),
    apply({ payload }, { value, octets }) {
      const data = repeat(octets, clamp(value, 0, MOST_OCTETS));
      if (equal(data, payload.data)) return false;
      payload.data = data;
      return true;
    },
  }),
];

export const certificatesOperators: readonly IkeOperator[] = [...asn1Operators, ...certificateOperators];
