/**
 * The anti-replay status notification (draft-pan-ipsecme-anti-replay-notification): each end of a Child SA tells whether
 * it checks replays on its inbound SA, in revision 01 also whether it can do extended sequence numbers without.
 * The data is of our own definition; see `harness/wire/documents/anti-replay-notification.ts`.
 */
import type { EspExtension } from "../esp/hooks.ts";
import type { ChildSa } from "../ike/child.ts";
import type { Extension } from "../ike/hooks.ts";
import { notifies, notify, payload } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import {
  ANTI_REPLAY_STATUS,
  REPLAY_FLAG,
  REPLAY_STATUS_NOTIFY,
  type ReplayStatusRevision,
} from "../wire/documents/anti-replay-notification.ts";
import { type CodePointOverrides, codePointOf } from "../wire/documents/code-point.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { SN } from "../wire/registry/sn.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload, Proposal } from "../wire/types.ts";

/** What an end says of its inbound SA. */
export interface ReplayStatus {
  /** It checks replays. */
  protects: boolean;
  /** It can do ESN without that. Revision 00 has no word for it: not set. */
  esnWithout?: boolean;
}

export interface ReplayStatusOptions {
  revision: ReplayStatusRevision;
  own: ReplayStatus;
  codePoints?: CodePointOverrides | undefined;
}

export interface ReplayStatusSpeech {
  ike: Extension;
  esp: EspExtension;
  /** What the peer said when this Child SA was made; undefined if nothing that can be read. */
  statusOf(child: ChildSa): ReplayStatus | undefined;
}

/** What is assumed of an end that said nothing (RFC 4303 section 3.3.3), or contradicts itself. */
const PROTECTS: ReplayStatus = { protects: true, esnWithout: false };

/** The notify type of a revision. */
export const replayStatusType = (revision: ReplayStatusRevision, codePoints?: CodePointOverrides): number =>
  codePointOf(REPLAY_STATUS_NOTIFY[revision], codePoints);

export function statusOctets(
  revision: ReplayStatusRevision,
  { protects, esnWithout }: ReplayStatus,
): Uint8Array {
  if (revision === "00") return Uint8Array.of(protects ? ANTI_REPLAY_STATUS.on : ANTI_REPLAY_STATUS.off);
  return Uint8Array.of((protects ? REPLAY_FLAG.protects : 0) | (esnWithout ? REPLAY_FLAG.esnWithout : 0));
}

/** Reads the first octet, whatever follows; undefined if there is none or it is reserved. */
export function readStatus(revision: ReplayStatusRevision, [octet]: Uint8Array): ReplayStatus | undefined {
  if (octet === undefined) return undefined;
  if (revision === "01")
    return {
      protects: (octet & REPLAY_FLAG.protects) !== 0,
      esnWithout: (octet & REPLAY_FLAG.esnWithout) !== 0,
    };
  if (octet > ANTI_REPLAY_STATUS.on) return undefined;
  return { protects: octet === ANTI_REPLAY_STATUS.on };
}

const same = (a: ReplayStatus | undefined, b: ReplayStatus | undefined): boolean =>
  a?.protects === b?.protects && a?.esnWithout === b?.esnWithout;

/** What a message says; of copies that differ, the safer reading. */
export function statusIn(
  revision: ReplayStatusRevision,
  payloads: Payload[],
  codePoints?: CodePointOverrides,
): ReplayStatus | undefined {
  const [first, ...more] = notifies(payloads, replayStatusType(revision, codePoints)).map(({ data }) =>
    readStatus(revision, data),
  );
  return more.every((other) => same(first, other)) ? first : PROTECTS;
}

/** True for an end that can receive with extended numbers. */
export const canEsn = ({ protects, esnWithout }: ReplayStatus): boolean => protects || esnWithout !== false;

const isEsn = ({ type, id }: { type: number; id: number }): boolean =>
  type === TRANSFORM.SN && id === SN.PARTIAL_64;

/** What is left of the proposals without extended numbers. */
export const withoutEsn = (proposals: Proposal[]): Proposal[] =>
  proposals
    .map((p) => ({ ...p, transforms: p.transforms.filter((t) => !isEsn(t)) }))
    .filter(({ transforms }) => transforms.some(({ type }) => type === TRANSFORM.SN));

/** True for a message that offers or takes a Child SA. */
const makesChild = (exchangeType: number, payloads: Payload[]): boolean =>
  (exchangeType === EXCHANGE.IKE_AUTH || exchangeType === EXCHANGE.CREATE_CHILD_SA) &&
  payload(payloads, "SA")?.proposals.some(({ protocolId }) => protocolId === PROTOCOL.ESP) === true;

export function replayStatus({ revision, own, codePoints }: ReplayStatusOptions): ReplayStatusSpeech {
  const type = replayStatusType(revision, codePoints);
  const read = (payloads: Payload[]) => statusIn(revision, payloads, codePoints);
  /** Of the exchange at hand, by who began it: the two may cross. */
  const heard = { us: new WeakMap<IkeSa, ReplayStatus>(), peer: new WeakMap<IkeSa, ReplayStatus>() };
  const agreed = new WeakMap<ChildSa, ReplayStatus>();
  const ike: Extension = {
    name: "replay status",
    outgoing: ({ header, payloads }) => {
      if (makesChild(header.exchangeType, payloads)) payloads.push(notify(type, statusOctets(revision, own)));
    },
    incoming: ({ sa, header, isResponse, payloads }) => {
      if (!sa || !makesChild(header.exchangeType, payloads)) return undefined;
      const status = read(payloads);
      const exchanges = isResponse ? heard.us : heard.peer;
      if (status) exchanges.set(sa, status);
      else exchanges.delete(sa);
      return undefined;
    },
    childPolicies: (policies, request) => {
      const both = canEsn(own) && canEsn(read(request) ?? PROTECTS);
      return both ? policies : withoutEsn(policies);
    },
    childEstablished: (child) => {
      const status = (child.initiatedByUs ? heard.us : heard.peer).get(child.ike);
      if (status) agreed.set(child, status);
    },
  };
  const esp: EspExtension = {
    name: "replay status",
    established: ({ child, outbound }) => {
      outbound.mayWrap = agreed.get(child)?.protects === false;
    },
  };
  return { ike, esp, statusOf: (child) => agreed.get(child) };
}
