/** Payloads as many, as big and as deep as one message can carry: what a peer must not spend its memory and time on. */
import { concat } from "../wire/bytes.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { CertPayload, EapPayload, Payload, Proposal, Transform } from "../wire/types.ts";

/** What leaves room for the rest of the message in a UDP datagram, the longest of which has 65,507 octets. */
const OCTETS = 62_000;
/** The header of a proposal, of a transform, and of a payload. */
const SUBSTRUCTURE = 8;
const HEADER = 4;
const X509_SIGNATURE = 4;
const SEQUENCE = 0x30;
const OCTET_STRING = 4;
const BIT_STRING = 3;

const repeated = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Unassigned transforms of every type in turn. */
const transform = (index: number): Transform => ({ type: 1 + (index % 5), id: 900, attributes: [] });

const proposals = (count: number, transforms: number, spi: Uint8Array): Proposal[] =>
  repeated(count, (index) => ({
    ...{ number: index + 1, spi, transforms: repeated(transforms, transform) },
    protocolId: spi.length === 4 ? PROTOCOL.ESP : PROTOCOL.IKE,
  }));

const sa = (list: Proposal[]): Payload => ({ kind: "SA", type: PAYLOAD.SA, proposals: list });

/** As many well-formed proposals as can be numbered, filled with transforms; 64 KiB. */
export function manyProposals(spi: Uint8Array = new Uint8Array()): Payload {
  const each = OCTETS / 255 - SUBSTRUCTURE - spi.length;
  return sa(proposals(255, Math.floor(each / SUBSTRUCTURE), spi));
}

/** One proposal of nothing but transforms, far more than it can count; 64 KiB. */
export const manyTransforms = (spi: Uint8Array = new Uint8Array()): Payload =>
  sa(proposals(1, OCTETS / SUBSTRUCTURE, spi));

/** One transform of nothing but Key Length attributes; 64 KiB. */
export function manyAttributes(spi: Uint8Array = new Uint8Array()): Payload {
  const attributes = repeated(OCTETS / 4, () => ({ type: 14, value: 256 }));
  const [proposal] = proposals(1, 0, spi);
  return sa(proposal ? [{ ...proposal, transforms: [{ type: TRANSFORM.ENCR, id: 12, attributes }] }] : []);
}

/** Empty payloads of a type that nobody knows, none of them critical. */
export const emptyPayloads = (count = 10_000): Payload[] =>
  repeated(count, () => ({ kind: "raw", type: 200, data: new Uint8Array() }));

/** A configuration request of empty attributes. */
export const manyConfigAttributes = (count = 10_000): Payload => ({
  ...{ kind: "CP", type: PAYLOAD.CP, cfgType: 1 },
  attributes: repeated(count, (index) => ({ type: 1 + (index % 25), data: new Uint8Array() })),
});

const EAP_IDENTITY = Uint8Array.of(1);

/** An EAP packet of 64 KiB: in the place of this one, or a Request of the Identity type. */
export const hugeEap = (like?: EapPayload): EapPayload => ({
  ...{ kind: "EAP", type: PAYLOAD.EAP, code: like?.code ?? 1, identifier: like?.identifier ?? 7 },
  data: concat(like?.data ?? EAP_IDENTITY, new Uint8Array(OCTETS).fill(0x61)).subarray(0, OCTETS),
});

export const manySpis = (): Payload => ({
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.ESP, spiSize: 4 },
  spis: repeated(OCTETS / 4, (index) => Uint8Array.of(0xc1, index >> 16, index >> 8, index)),
});

export const thousandsOfSelectors = (): Payload => ({
  ...{ kind: "TS", type: PAYLOAD.TSi },
  selectors: repeated(Math.floor(OCTETS / 16), () => ({
    ...{ tsType: TS_TYPE.TS_IPV4_ADDR_RANGE, ipProtocol: 0, startPort: 0, endPort: 65535 },
    ...{ startAddress: Uint8Array.of(203, 0, 113, 0), endAddress: Uint8Array.of(203, 0, 113, 15) },
  })),
});

const certificate = (data: Uint8Array): CertPayload => ({
  ...{ kind: "CERT", type: PAYLOAD.CERT, encoding: X509_SIGNATURE, data },
});

/** DER of one SEQUENCE inside of the other, as deep as these octets allow. */
function nested(octets: number): Uint8Array {
  const der = new Uint8Array(octets);
  const view = new DataView(der.buffer);
  for (let at = 0; at + HEADER <= octets; at += HEADER) {
    der.set([SEQUENCE, 0x82], at);
    view.setUint16(at + 2, octets - at - HEADER);
  }
  return der;
}

/** The same in the place of what a certificate says, with an algorithm and a signature behind it; 16,000 octets. */
function nestedCertificate(): Uint8Array {
  const inside = concat(nested(15_984), Uint8Array.of(SEQUENCE, 2, 6, 0), Uint8Array.of(BIT_STRING, 2, 0, 0));
  return concat(Uint8Array.of(SEQUENCE, 0x82, inside.length >> 8, inside.length & 255), inside);
}

/** SEQUENCEs of indefinite length, which DER forbids; two octets for each level. */
const nestedWithoutEnd = (): Uint8Array =>
  Uint8Array.from({ length: OCTETS }, (_, index) => (index % 2 === 0 ? SEQUENCE : 0x80));

/** A SEQUENCE that holds one OCTET STRING and nothing else. */
function octetString(octets: number): Uint8Array {
  const der = new Uint8Array(octets);
  const view = new DataView(der.buffer);
  der.set([SEQUENCE, 0x82]);
  view.setUint16(2, octets - 4);
  der.set([OCTET_STRING, 0x82], 4);
  view.setUint16(6, octets - 8);
  return der;
}

/** Certificates that are none, by what is wrong with them. */
export const certificateBombs = {
  "of 64 KiB": () => [certificate(octetString(OCTETS))],
  "of garbage": () => [certificate(Uint8Array.from({ length: OCTETS }, (_, i) => (i * 167 + 13) & 255))],
  "nested to the bottom": () => [certificate(nested(OCTETS))],
  "nested in the shape of one": () => [certificate(nestedCertificate())],
  "nested without end": () => [certificate(nestedWithoutEnd())],
  "in hundreds": () => repeated(300, () => certificate(octetString(200))),
} as const satisfies Record<string, () => Payload[]>;
