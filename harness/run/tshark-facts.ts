/** What a payload says, in the same words from our decoder and from tshark's: lines of `field=octets`, in wire order. */

import type { PdmlField } from "../../pcaps/pdml.ts";
import type { DecodedPayload } from "../../pcaps/tshark.ts";
import { hex, u16, u32 } from "../wire/bytes.ts";
import type {
  CpPayload,
  Payload,
  Proposal,
  SaPayload,
  TrafficSelector,
  Transform,
  TransformAttribute,
  TsPayload,
} from "../wire/types.ts";

type Facts = string[];

const byte = (value: number): string => hex(Uint8Array.of(value));
const word = (value: number): string => hex(u16(value));
const three = (value = 0): string => hex(u32(value)).slice(2);

function attributeFacts(attribute: TransformAttribute): Facts {
  const { type, value } = attribute;
  if (typeof value === "number") return [`attr.type=${word(type | 0x8000)}`, `attr.value=${word(value)}`];
  return [`attr.type=${word(type)}`, `attr.length=${word(value.length)}`, `attr.value=${hex(value)}`];
}

function transformFacts(transform: Transform, last: boolean): Facts {
  const { type, id, attributes } = transform;
  const length = attributes.reduce(
    (sum, a) => sum + (typeof a.value === "number" ? 4 : 4 + a.value.length),
    8,
  );
  return [
    ...[`nextpayload=${last ? "00" : "03"}`, "reserved=00", `payloadlength=${word(length)}`],
    ...[`tf.type=${byte(type)}`, "reserved=00", `tf.id=${word(id)}`],
    ...attributes.flatMap(attributeFacts),
  ];
}

function proposalFacts(proposal: Proposal, last: boolean, length: number): Facts {
  const { number, protocolId, spi, transforms } = proposal;
  return [
    ...[`nextpayload=${last ? "00" : "02"}`, "reserved=00", `payloadlength=${word(length)}`],
    ...[`prop.number=${byte(number)}`, `prop.protoid=${byte(protocolId)}`, `spisize=${byte(spi.length)}`],
    `prop.transforms=${byte(transforms.length)}`,
    ...(spi.length > 0 ? [`spi=${hex(spi)}`] : []),
    ...transforms.flatMap((t, i) => transformFacts(t, i === transforms.length - 1)),
  ];
}

function saFacts(sa: SaPayload): Facts {
  return sa.proposals.flatMap((proposal, i) => {
    const transforms = proposal.transforms.flatMap((t) => t.attributes);
    const attributes = transforms.reduce(
      (n, a) => n + (typeof a.value === "number" ? 4 : 4 + a.value.length),
      0,
    );
    const length = 8 + proposal.spi.length + 8 * proposal.transforms.length + attributes;
    return proposalFacts(proposal, i === sa.proposals.length - 1, length);
  });
}

const selectorFacts = (ts: TrafficSelector): Facts => [
  ...[`ts.type=${byte(ts.tsType)}`, `ts.protoid=${byte(ts.ipProtocol)}`],
  `ts.selector_length=${word(8 + 2 * ts.startAddress.length)}`,
  ...[`ts.start_port=${word(ts.startPort)}`, `ts.end_port=${word(ts.endPort)}`],
  ...[`ts.start=${hex(ts.startAddress)}`, `ts.end=${hex(ts.endAddress)}`],
];

const tsFacts = (ts: TsPayload): Facts => [
  `ts.number=${byte(ts.selectors.length)}`,
  `reserved=${three(ts.reserved3)}`,
  ...ts.selectors.flatMap(selectorFacts),
];

const cpFacts = (cp: CpPayload): Facts => [
  `cfg.type=${byte(cp.cfgType)}`,
  `reserved=${three(cp.reserved3)}`,
  ...cp.attributes.flatMap(({ type, data }) => [
    ...[`cfg.attr.type=${word(type)}`, `cfg.attr.length=${word(data.length)}`],
    ...(data.length > 0 ? [`cfg.attr.value=${hex(data)}`] : []),
  ]),
];

function bodyFacts(p: Payload, body: Uint8Array): Facts {
  switch (p.kind) {
    case "SA":
      return saFacts(p);
    case "KE":
      return [`ke.group=${word(p.group)}`, `reserved=${word(p.reserved2 ?? 0)}`, `ke.data=${hex(p.data)}`];
    case "ID":
      return [`id.type=${byte(p.idType)}`, `reserved=${three(p.reserved3)}`, `id.data=${hex(p.data)}`];
    case "AUTH":
      return [`auth.method=${byte(p.method)}`, `reserved=${three(p.reserved3)}`, `auth.data=${hex(p.data)}`];
    case "Nonce":
      return [`nonce=${hex(p.data)}`];
    case "VendorID":
      return [`vid=${hex(p.data)}`];
    case "Notify":
      return [
        ...[`notify.protoid=${byte(p.protocolId)}`, `spisize=${byte(p.spi.length)}`],
        `notify.msgtype=${word(p.notifyType)}`,
        ...(p.spi.length > 0 ? [`spi=${hex(p.spi)}`] : []),
        ...(p.data.length > 0 ? [`notify.data=${hex(p.data)}`] : []),
      ];
    case "Delete":
      return [
        ...[`delete.protoid=${byte(p.protocolId)}`, `spisize=${byte(p.spiSize)}`],
        `spinum=${word(p.spis.length)}`,
        ...p.spis.map((spi) => `delete.spi=${hex(spi)}`),
      ];
    case "TS":
      return tsFacts(p);
    case "CP":
      return cpFacts(p);
    case "EAP":
      return [
        ...[`eap.code=${byte(p.code)}`, `eap.id=${byte(p.identifier)}`, `eap.len=${word(4 + p.data.length)}`],
        ...(p.data.length > 0 ? [`eap.type=${hex(p.data.subarray(0, 1))}`] : []),
      ];
    case "CERTREQ":
      return [`certreq.type=${byte(p.encoding)}`];
    case "CERT":
      return [`cert.encoding=${byte(p.encoding)}`];
    case "raw":
      return [`data=${hex(p.data)}`];
    case "GSA":
    case "KD":
      // tshark 4.0 does not know them.
      return [`data=${hex(body)}`];
    default:
      return [];
  }
}

/** `next` is the type that follows it in its message, `octets` are the whole payload. */
export function ourFacts(payload: Payload, next: number, octets: Uint8Array): Facts {
  return [
    ...[`type=${payload.type}`, `nextpayload=${byte(payload.next ?? next)}`],
    ...[`critical=${payload.critical ?? false}`, `payloadlength=${word(payload.length ?? octets.length)}`],
    ...bodyFacts(payload, octets.subarray(GENERIC_HEADER)),
  ];
}

const GENERIC_HEADER = 4;

/** tshark's names for what we call otherwise; a name ends at its last dot that is in here. */
const NAMES: [prefix: string, ours: string][] = [
  ["isakmp.tf.id", "tf.id"],
  ["isakmp.ike2.attr.type", "attr.type"],
  ["isakmp.ike2.attr.length", "attr.length"],
  ["isakmp.ike2.attr.value", "attr.value"],
  ["isakmp.key_exchange.dh_group", "ke.group"],
  ["isakmp.key_exchange.data", "ke.data"],
  ["isakmp.id.data", "id.data"],
  ["isakmp.ts.start_ip", "ts.start"],
  ["isakmp.ts.end_ip", "ts.end"],
  ["isakmp.vid_bytes", "vid"],
  ["isakmp.datapayload", "data"],
];

/** Second readings of octets that stand in another field already, and bits of fields. */
const SECOND =
  /^isakmp\.(typepayload|criticalpayload|reserved7|vid_string|ike2\.attr\.(format|key_length)|notify\.data\..*|auth\.data\..*|cfg\.attr\.(?!type$|length$|value$).*|cert\.x509.*|cert\.data|ike\.certreq.*|certreq\.authority.*)$/;
const EAP_FIELDS = new Set(["eap.code", "eap.id", "eap.len", "eap.type"]);

function factsOf(field: PdmlField): Facts {
  const inner = field.fields.flatMap(factsOf);
  const { name, value } = field;
  if (value === "" || SECOND.test(name)) return inner;
  if (name.startsWith("eap.")) return EAP_FIELDS.has(name) ? [`${name}=${value}`, ...inner] : inner;
  if (!name.startsWith("isakmp.")) return inner;
  const known = NAMES.find(([prefix]) => name.startsWith(prefix));
  return [`${known ? known[1] : name.slice("isakmp.".length)}=${value}`, ...inner];
}

export function theirFacts(payload: DecodedPayload): Facts {
  const [next, ...rest] = payload.fields.flatMap(factsOf);
  return [`type=${payload.type}`, ...(next ? [next] : []), `critical=${payload.critical}`, ...rest];
}
