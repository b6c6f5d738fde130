/** Conversations written by hand, as a decoder with all keys would show them: what tests of rules are made of. */
import { concat, EMPTY } from "../../../wire/bytes.ts";
import { decodeChain, encodeChain, firstPayloadType } from "../../../wire/chain.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../../../wire/message.ts";
import { EXCHANGE } from "../../../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../wire/registry/transform-types.ts";
import type {
  IdPayload,
  Payload,
  Proposal,
  SaPayload,
  SkfPayload,
  Transform,
  TransformAttribute,
} from "../../../wire/types.ts";
import { otherRole } from "../../rule.ts";
import type { Seen, SeenEsp, SeenIke } from "../../seen.ts";
import type { Role } from "../../types.ts";
import { auth, ke, notify, octets } from "./payloads.ts";

/** What is said in one message. */
export interface Said {
  exchange: number;
  id: number;
  response?: true;
  /** Not set: requests are the initiator's, responses the responder's. */
  by?: Role;
  payloads: readonly Payload[];
  /** Not set: in SK, but for IKE_SA_INIT. */
  inClear?: true;
  /** In front of SK. */
  before?: readonly Payload[];
  /** Instead of SK: these fragments. */
  fragments?: readonly Partial<SkfPayload & { before: Payload; flags: number }>[];
  /** Octets behind the message. */
  behind?: Uint8Array;
  spis?: readonly [number, number];
  /** Address of the receiver. Not set: of the other side. */
  to?: string;
}

/** A planted breach: the rule, the requirement, what has it, and the same without. */
export type Planted = readonly [
  rule: string,
  requirement: string,
  lying: readonly Seen[],
  honest: readonly Seen[],
];

const END = { initiator: { host: "192.0.2.1", port: 500 }, responder: { host: "192.0.2.2", port: 500 } };
const FLAGS_AT = 19;
const SEALED = new Uint8Array(160).fill(7);

function spi(value: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, value >> 8, value & 0xff);
}

/** The message with what is in front of SK, SK or SKF, and what is behind. */
function frame(said: Said, sealed: readonly Payload[]): Uint8Array {
  const { exchange, id, response, spis: [i, r] = [1, 2], behind = EMPTY } = said;
  const isFirst = exchange === EXCHANGE.IKE_SA_INIT && !response;
  const flags = (byOf(said) === "initiator" ? 0x08 : 0) | (response ? 0x20 : 0);
  const header = {
    ...{ spiI: spi(i), spiR: isFirst ? octets(8) : spi(r) },
    ...{ version: 0x20, exchangeType: exchange, flags, messageId: id },
  };
  return concat(encodeMessage({ header, payloads: [...sealed] }), behind);
}

const byOf = ({ by, response }: Said): Role => by ?? (response ? "responder" : "initiator");

function shown(bytes: Uint8Array, said: Said, packet: number): SeenIke {
  const message = decodeMessage(bytes);
  if (isFrameError(message)) throw new Error(message.error);
  const by = byOf(said);
  return {
    ...{ kind: "ike", transport: "udp", packets: [packet], timeMs: packet },
    ...{ source: END[by], destination: said.to ? { host: said.to, port: 848 } : END[otherRole(by)] },
    ...{ octets: bytes, message },
  };
}

const inSk = (said: Said): Payload => ({
  ...{ kind: "SK", type: PAYLOAD.SK, data: concat(SEALED, encodeChain([...said.payloads])) },
  innerType: firstPayloadType([...said.payloads]),
});

/** Each fragment's message; all but the first have no first payload. */
const cut = (said: Said): Uint8Array[] =>
  (said.fragments ?? []).map(({ before, flags, ...over }, at) => {
    const skf: Payload = {
      ...{
        kind: "SKF",
        type: PAYLOAD.SKF,
        fragmentNumber: at + 1,
        totalFragments: said.fragments?.length ?? 0,
      },
      ...{
        innerType: at === 0 ? firstPayloadType([...said.payloads]) : 0,
        data: new Uint8Array(160).fill(at + 1),
      },
      ...over,
    };
    const bytes = frame(said, before ? [before, skf] : [skf]);
    if (flags !== undefined) bytes[FLAGS_AT] = flags;
    return bytes;
  });

function ikeOf(said: Said, packet: number): SeenIke {
  const isClear = said.inClear || said.exchange === EXCHANGE.IKE_SA_INIT;
  if (isClear && !said.fragments) return shown(frame(said, said.payloads), said, packet);
  const pieces = cut(said);
  const seen = shown(pieces[0] ?? frame(said, [...(said.before ?? []), inSk(said)]), said, packet);
  const plaintext = encodeChain([...said.payloads]);
  const inner = decodeChain(firstPayloadType([...said.payloads]), plaintext);
  const whole = { ...seen, opening: "opened" as const, inner, plaintext };
  return pieces.length > 0 ? { ...whole, pieces, fragments: pieces.length } : whole;
}

/** A capture of these messages and packets. */
export const capture = (...saids: readonly (Said | SeenEsp)[]): Seen[] =>
  saids.map((said, at) => ("kind" in said ? { ...said, packets: [at + 1] } : ikeOf(said, at + 1)));

export const id = (type: number = PAYLOAD.IDi, idType = 2, data = octets(4, 0x61)): IdPayload => ({
  ...{ kind: "ID", type, idType, data },
});

const KEY_LENGTH = 14;

/** A transform: type, id, and the key length or attributes. */
export const transform = (type: number, id: number, more?: number | TransformAttribute[]): Transform => ({
  ...{ type, id },
  attributes: typeof more === "number" ? [{ type: KEY_LENGTH, value: more }] : (more ?? []),
});

export const proposal = (
  protocolId: number,
  transforms: Transform[],
  over: Partial<Proposal> = {},
): Proposal => ({
  ...{ number: 1, protocolId, spi: EMPTY, transforms },
  ...over,
});

export const sa = (...proposals: Proposal[]): SaPayload => ({ kind: "SA", type: PAYLOAD.SA, proposals });

const IKE_SUITE = [
  transform(TRANSFORM.ENCR, 20, 256),
  transform(TRANSFORM.PRF, 5),
  transform(TRANSFORM.KE, 31),
];

/** The proposal of an IKE SA, with more transforms. */
export const ikeProposal = (...more: Transform[]): Proposal =>
  proposal(PROTOCOL.IKE, [...IKE_SUITE, ...more]);

const GCM = [transform(TRANSFORM.ENCR, 20, 256), transform(TRANSFORM.SN, 0)];

/** The proposal of a Child SA; the SPI of the initiator's side is 0x1001, that of the responder's 0x1002. */
export const espProposal = (transforms: Transform[] = GCM, spiLow = 1): Proposal =>
  proposal(PROTOCOL.ESP, transforms, { spi: Uint8Array.of(0, 0, 0x10, spiLow) });

/** IKE_SA_INIT with payloads behind SA, KE and Nonce. */
export const init = (
  request: readonly Payload[] = [],
  response: readonly Payload[] = [],
  suite = ikeProposal(),
): Said[] => {
  const nonce: Payload = { kind: "Nonce", type: PAYLOAD.NONCE, data: octets(32, 5) };
  const message = { exchange: EXCHANGE.IKE_SA_INIT, id: 0 };
  return [
    { ...message, payloads: [sa(suite), ke(31), nonce, ...request] },
    { ...message, response: true, payloads: [sa(suite), ke(31), nonce, ...response] },
  ];
};

/** IKE_SA_INIT in which both ends announce these. */
export const announcing = (...types: number[]): Said[] => {
  const payloads = types.map((type) => notify(type));
  return init(payloads, payloads);
};

/** IKE_AUTH; `request` and `response` stand in place of the ordinary payloads behind ID and AUTH. */
export const authenticating = (
  request: readonly Payload[] = [auth(), sa(espProposal())],
  response: readonly Payload[] = [auth(), sa(espProposal(GCM, 2))],
  messageId = 1,
): Said[] => [
  { exchange: EXCHANGE.IKE_AUTH, id: messageId, payloads: [id(), ...request] },
  { exchange: EXCHANGE.IKE_AUTH, id: messageId, response: true, payloads: [id(PAYLOAD.IDr), ...response] },
];

/** A request and its response. */
export const exchange = (
  type: number,
  messageId: number,
  request: readonly Payload[],
  response?: readonly Payload[],
): Said[] => [
  { exchange: type, id: messageId, payloads: request },
  ...(response ? [{ exchange: type, id: messageId, response: true as const, payloads: response }] : []),
];

/** An ESP packet of the initiator, towards the SPI that the responder chose. */
export function packet(over: Partial<SeenEsp> & { sequence: number }): SeenEsp {
  const { spi: value = 0x1002, sequence } = over;
  const head = Uint8Array.of(0, 0, value >> 8, value & 0xff, 0, 0, sequence >> 8, sequence & 0xff);
  return {
    ...{ kind: "esp", transport: "ip", packets: [0], timeMs: 0, spi: value, opening: "no-keys" },
    ...{ source: END.initiator, destination: END.responder },
    octets: concat(head, octets(8, sequence + 1), octets(40, sequence)),
    ...over,
  };
}
