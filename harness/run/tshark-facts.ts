/** What a payload says, in the same words from our decoder and from tshark's: lines of `field=octets`, in wire order. */

import type { PdmlField } from "../../pcaps/pdml.ts";
import type { DecodedPayload } from "../../pcaps/tshark.ts";
import { hex, u16, u32 } from "../wire/bytes.ts";
import type {
  CpPayload,
  DeletePayload,
  NotifyPayload,
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

function attributeFacts({ type, value, length }: TransformAttribute): Facts {
  if (typeof value === "number") return [`attr.type=${word(type | 0x8000)}`, `attr.value=${word(value)}`];
  return [
    `attr.type=${word(type)}`,
    `attr.length=${word(length ?? value.length)}`,
    `attr.value=${hex(value)}`,
  ];
}

const octetsOfAttribute = ({ value }: TransformAttribute): number =>
  typeof value === "number" ? 4 : 4 + value.length;

const octetsOfTransform = ({ attributes, trailing }: Transform): number =>
  attributes.reduce((sum, attribute) => sum + octetsOfAttribute(attribute), 8 + (trailing?.length ?? 0));

const octetsOfProposal = ({ spi, transforms, trailing }: Proposal): number =>
  transforms.reduce(
    (sum, transform) => sum + octetsOfTransform(transform),
    8 + spi.length + (trailing?.length ?? 0),
  );

function transformFacts(transform: Transform, more: boolean): Facts {
  const { type, id, attributes, last, reserved1, reserved2, length } = transform;
  return [
    ...[`nextpayload=${byte(last ?? (more ? 3 : 0))}`, `reserved=${byte(reserved1 ?? 0)}`],
    `payloadlength=${word(length ?? octetsOfTransform(transform))}`,
    ...[`tf.type=${byte(type)}`, `reserved=${byte(reserved2 ?? 0)}`, `tf.id=${word(id)}`],
    ...attributes.flatMap(attributeFacts),
  ];
}

function proposalFacts(proposal: Proposal, more: boolean): Facts {
  const { number, protocolId, spi, transforms, last, reserved, length, spiSize, transformCount } = proposal;
  return [
    ...[`nextpayload=${byte(last ?? (more ? 2 : 0))}`, `reserved=${byte(reserved ?? 0)}`],
    `payloadlength=${word(length ?? octetsOfProposal(proposal))}`,
    ...[`prop.number=${byte(number)}`, `prop.protoid=${byte(protocolId)}`],
    `spisize=${byte(spiSize ?? spi.length)}`,
    `prop.transforms=${byte(transformCount ?? transforms.length)}`,
    `spi=${hex(spi)}`,
    ...transforms.flatMap((transform, i) => transformFacts(transform, i < transforms.length - 1)),
  ];
}

const saFacts = ({ proposals }: SaPayload): Facts =>
  proposals.flatMap((proposal, i) => proposalFacts(proposal, i < proposals.length - 1));

const selectorFacts = (ts: TrafficSelector): Facts => [
  `ts.type=${byte(ts.tsType)}`,
  ...(KNOWN_SELECTORS.has(ts.tsType) ? rangeFacts(ts) : []),
];

/** Ranges of IPv4 and IPv6; of others tshark shows the type. */
const KNOWN_SELECTORS: ReadonlySet<number> = new Set([7, 8]);

const rangeFacts = (ts: TrafficSelector): Facts => [
  `ts.protoid=${byte(ts.ipProtocol)}`,
  `ts.selector_length=${word(ts.length ?? 8 + 2 * ts.startAddress.length)}`,
  ...[`ts.start_port=${word(ts.startPort)}`, `ts.end_port=${word(ts.endPort)}`],
  ...[`ts.start=${hex(ts.startAddress)}`, `ts.end=${hex(ts.endAddress)}`],
];

const tsFacts = (ts: TsPayload): Facts => [
  `ts.number=${byte(ts.count ?? ts.selectors.length)}`,
  `reserved=${three(ts.reserved3)}`,
  ...ts.selectors.flatMap(selectorFacts),
];

const cpFacts = (cp: CpPayload): Facts => [
  `cfg.type=${byte(cp.cfgType)}`,
  `reserved=${three(cp.reserved3)}`,
  ...cp.attributes.flatMap(({ type, data, reserved, length }) => [
    `cfg.attr.type=${word(type | ((reserved ?? 0) << 15))}`,
    ...[`cfg.attr.length=${word(length ?? data.length)}`, `cfg.attr.value=${hex(data)}`],
  ]),
];

const notifyFacts = (p: NotifyPayload): Facts => [
  ...[`notify.protoid=${byte(p.protocolId)}`, `spisize=${byte(p.spiSize ?? p.spi.length)}`],
  ...[`notify.msgtype=${word(p.notifyType)}`, `spi=${hex(p.spi)}`, `notify.data=${hex(p.data)}`],
];

const deleteFacts = (p: DeletePayload): Facts => [
  ...[`delete.protoid=${byte(p.protocolId)}`, `spisize=${byte(p.spiSize)}`],
  `spinum=${word(p.spiCount ?? p.spis.length)}`,
  ...p.spis.map((spi) => `delete.spi=${hex(spi)}`),
];

function bodyFacts(p: Payload): Facts {
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
      return notifyFacts(p);
    case "Delete":
      return deleteFacts(p);
    case "TS":
      return tsFacts(p);
    case "CP":
      return cpFacts(p);
    case "EAP":
      return [
        ...[`eap.code=${byte(p.code)}`, `eap.id=${byte(p.identifier)}`],
        ...[`eap.len=${word(p.eapLength ?? 4 + p.data.length)}`, `eap.type=${hex(p.data.subarray(0, 1))}`],
      ];
    case "CERTREQ":
      return [`certreq.type=${byte(p.encoding)}`];
    case "CERT":
      return [`cert.encoding=${byte(p.encoding)}`];
    case "raw":
      return [`data=${hex(p.data)}`];
    default:
      return [];
  }
}

/** `next` is the type that follows it in its message, `octets` are the whole payload. */
export function ourFacts(payload: Payload, next: number, octets: Uint8Array): Facts {
  return [
    ...[`type=${payload.type}`, `nextpayload=${byte(payload.next ?? next)}`],
    ...[`critical=${payload.critical ?? false}`, `payloadlength=${word(payload.length ?? octets.length)}`],
    ...(UNKNOWN.has(payload.type) ? [`data=${hex(octets.subarray(GENERIC_HEADER))}`] : bodyFacts(payload)),
  ].filter((fact) => !fact.endsWith("="));
}

const GENERIC_HEADER = 4;
/** Payloads of G-IKEv2, which tshark 4.0 does not know: IDg, GSA, KD. */
const UNKNOWN: ReadonlySet<number> = new Set([50, 51, 52]);

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
