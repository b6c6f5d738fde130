/**
 * Sequence number subspaces (draft-ponchon-ipsecme-anti-replay-subspaces): both ends of a Child SA with extended
 * sequence numbers say how many subspaces they can receive; ESP then has the header of `harness/esp/subspaces.ts`.
 * The notify is of our own definition.
 */
import type { EspExtension } from "../esp/hooks.ts";
import { InboundSa } from "../esp/inbound.ts";
import type { Pipe } from "../esp/pipe.ts";
import { SubspaceInboundSa, SubspaceOutboundSa } from "../esp/subspaces.ts";
import type { ChildSa } from "../ike/child.ts";
import type { Extension } from "../ike/hooks.ts";
import { notifies, notify, payload } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { readU16, u16 } from "../wire/bytes.ts";
import { type CodePointOverrides, codePointOf } from "../wire/documents/code-point.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { SN } from "../wire/registry/sn.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload } from "../wire/types.ts";

/** What is recorded of a packet in a subspace that was not agreed, the time apart. Sockets do not tell the IPv6 flow id. */
export interface SubspaceAudit {
  spi: number;
  subspace: number;
  source: string;
  destination: string;
}

export interface SubspaceOptions {
  /** How many subspaces we can receive, 1 to 65535. */
  receive: number;
  audit?: ((entry: SubspaceAudit) => void) | undefined;
  codePoints?: CodePointOverrides | undefined;
}

/** Limits of a Child SA, by direction. */
export interface AgreedSubspaces {
  send: number;
  receive: number;
}

export interface SubspaceSpeech {
  ike: Extension;
  esp: EspExtension;
  /** Undefined for a Child SA of plain ESP. */
  agreedOf(child: ChildSa): AgreedSubspaces | undefined;
}

export const subspacesType = (codePoints?: CodePointOverrides): number =>
  codePointOf("ANTI_REPLAY_SUBSPACES", codePoints);

/** The limit that a message announces; undefined without a notify that is well-formed, and for copies that differ. */
export function limitIn(payloads: Payload[], codePoints?: CodePointOverrides): number | undefined {
  const [first, ...more] = notifies(payloads, subspacesType(codePoints)).map(({ data }) =>
    data.length === 2 && readU16(data, 0) > 0 ? readU16(data, 0) : undefined,
  );
  return more.every((other) => other === first) ? first : undefined;
}

/** True for a message with which a Child SA of extended numbers can come about. */
function hasEsn(exchangeType: number, payloads: Payload[]): boolean {
  if (exchangeType !== EXCHANGE.IKE_AUTH && exchangeType !== EXCHANGE.CREATE_CHILD_SA) return false;
  const proposals = payload(payloads, "SA")?.proposals ?? [];
  return proposals.some(
    ({ protocolId, transforms }) =>
      protocolId === PROTOCOL.ESP &&
      transforms.some(({ type, id }) => type === TRANSFORM.SN && id === SN.PARTIAL_64),
  );
}

/** Puts ends with subspaces in the place of those of RFC 4303. */
function divide(pipe: Pipe, { send, receive }: AgreedSubspaces): void {
  const { outbound, inbound } = pipe;
  const window = inbound instanceof InboundSa ? inbound.window : {};
  pipe.outbound = new SubspaceOutboundSa({
    ...outbound.parameters,
    random: outbound.random,
    subspaces: send,
  });
  pipe.outbound.counter = outbound.counter;
  pipe.inbound = new SubspaceInboundSa({ ...inbound.parameters, window, subspaces: receive });
}

export function subspaces({ receive, audit, codePoints }: SubspaceOptions): SubspaceSpeech {
  const type = subspacesType(codePoints);
  const announced = new WeakSet<IkeSa>();
  /** Limits in the exchange at hand, by who began it: the two may cross. */
  const heard = { us: new WeakMap<IkeSa, number>(), peer: new WeakMap<IkeSa, number>() };
  const agreed = new WeakMap<ChildSa, AgreedSubspaces>();
  const ike: Extension = {
    name: "subspaces",
    outgoing: ({ sa, header, isResponse, payloads }) => {
      if (!sa || (isResponse && !heard.peer.has(sa))) return;
      const fits = hasEsn(header.exchangeType, payloads);
      if (fits) payloads.push(notify(type, u16(receive)));
      if (isResponse) return;
      if (fits) announced.add(sa);
      else if (payload(payloads, "SA")) announced.delete(sa);
    },
    incoming: ({ sa, header, isResponse, payloads }) => {
      if (!sa || !payload(payloads, "SA")) return undefined;
      const limit = hasEsn(header.exchangeType, payloads) ? limitIn(payloads, codePoints) : undefined;
      const exchanges = isResponse ? heard.us : heard.peer;
      if (limit === undefined) exchanges.delete(sa);
      else exchanges.set(sa, limit);
      return undefined;
    },
    childEstablished: (child) => {
      const send = (child.initiatedByUs ? heard.us : heard.peer).get(child.ike);
      const mutual = !child.initiatedByUs || announced.has(child.ike);
      if (child.esn && mutual && send !== undefined) agreed.set(child, { send, receive });
    },
  };
  const agreedOf = (child: ChildSa) => agreed.get(child);
  return { ike, esp: dataPlane(agreedOf, audit), agreedOf };
}

function dataPlane(agreedOf: SubspaceSpeech["agreedOf"], audit: SubspaceOptions["audit"]): EspExtension {
  return {
    name: "subspaces",
    established: (pipe) => {
      const limits = agreedOf(pipe.child);
      if (limits) divide(pipe, limits);
    },
    incoming: (result, _reopen, { packet, sa: { spi }, datagram }) => {
      if (result.ok || result.reason !== "subspace") return result;
      const [source, destination] = [datagram.source.host, datagram.destination.host];
      audit?.({ spi, subspace: readU16(packet, 4), source, destination });
      return result;
    },
  };
}
