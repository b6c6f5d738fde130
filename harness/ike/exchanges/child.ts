/** Negotiating a Child SA, in IKE_AUTH or CREATE_CHILD_SA: RFC 7296 sections 1.3.1, 2.9, 2.17. */
import { encrTransform } from "../../crypto/encr.ts";
import { integTransform } from "../../crypto/integ.ts";
import { childKeymat } from "../../crypto/keys.ts";
import type { KeError, KeyPair } from "../../crypto/types.ts";
import { equal } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { NotifyPayload, Payload, Proposal, TrafficSelector, TsPayload } from "../../wire/types.ts";
import type { ChildSa } from "../child.ts";
import type { Core } from "../core.ts";
import type { ChildKeyInputs, Held } from "../hooks.ts";
import { freshKeyPair } from "../key-pair.ts";
import { errorNotify, hasNotify, notify, notifyText, payload } from "../payloads.ts";
import { choose, isChoiceOf, keyLength, transformId } from "../proposals.ts";
import type { IkeSa } from "../sa.ts";
import { isSubset, narrow } from "../selectors.ts";
import { sendRequest } from "../send.ts";
import { successorOf } from "../succession.ts";
import { anyAddress } from "./configuration.ts";
import { groupOctets, groups, kePayload, saPayload, takeFirst } from "./ike-sa-init.ts";
import { deleteIke, deletePayload } from "./informational.ts";

export const tsPayload = (type: number, selectors: TrafficSelector[]): TsPayload => ({
  kind: "TS",
  type,
  selectors,
});

/** What the initiator of a Child SA keeps until the answer is there. */
export interface ChildOffer {
  spiIn: Uint8Array;
  proposals: Proposal[];
  mode: ChildSa["mode"];
  localTs: TrafficSelector[];
  remoteTs: TrafficSelector[];
  group?: number;
  keyPair?: KeyPair;
  replaces?: ChildSa;
}

/** Values other than the policy's. */
export interface ChildWishes {
  proposals?: Proposal[];
  mode?: ChildSa["mode"];
  localTs?: TrafficSelector[];
  remoteTs?: TrafficSelector[];
  /** Group of the KE payload; not set: the first of the proposals. */
  group?: number;
  replaces?: ChildSa;
}

/** `sa` is set where it is past IKE_AUTH, so that the peer may have assigned addresses to us. */
export function offerChild(core: Core, wishes: ChildWishes, ordinary: Proposal[], sa?: IkeSa): ChildOffer {
  const { policy } = core;
  const asked = policy.requestAddresses;
  const ownTs = sa?.ownAddresses ?? (asked.length > 0 ? anyAddress(asked) : policy.localTs);
  const spiIn = core.freshSpi(4);
  const proposals = (wishes.proposals ?? ordinary).map((p, i) => ({ ...p, number: i + 1, spi: spiIn }));
  const group = wishes.group ?? groups(proposals)[0];
  return {
    spiIn,
    proposals,
    mode: wishes.mode ?? wishes.replaces?.mode ?? policy.mode,
    localTs: wishes.localTs ?? wishes.replaces?.localTs ?? ownTs,
    remoteTs: wishes.remoteTs ?? wishes.replaces?.remoteTs ?? policy.remoteTs,
    group,
    keyPair: group === undefined ? undefined : freshKeyPair(core, group),
    replaces: wishes.replaces,
  };
}

export const modeNotifies = (mode: ChildSa["mode"]): Payload[] =>
  mode === "transport" ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : [];

export const offerTs = (offer: ChildOffer): Payload[] => [
  tsPayload(PAYLOAD.TSi, offer.localTs),
  tsPayload(PAYLOAD.TSr, offer.remoteTs),
];

/** What KEYMAT is made of, beside SK_d. */
export interface Material {
  Ni: Uint8Array;
  Nr: Uint8Array;
  sharedSecret?: Uint8Array;
  /** SK(1), SK(2)... (RFC 9370 section 2.2.4). */
  further?: Uint8Array[];
}

/** A Child SA that lacks only its keys. */
export interface Agreed {
  proposal: Proposal;
  spiIn: Uint8Array;
  spiOut: Uint8Array;
  mode: ChildSa["mode"];
  localTs: TrafficSelector[];
  remoteTs: TrafficSelector[];
  initiatedByUs: boolean;
  noTfc: boolean;
  replaces?: ChildSa;
}

/**
 * Derives the keys from those of `sa`, whose exchange this was, and enters the Child SA there or under its successor; a
 * string says why it cannot be.
 */
export function install(core: Core, sa: IkeSa, agreed: Agreed, material: Material): ChildSa | string {
  const encrChosen = agreed.proposal.transforms.find((t) => t.type === TRANSFORM.ENCR);
  const encrKeyBits = encrChosen && keyLength(encrChosen);
  const encr = encrChosen && encrTransform(encrChosen.id, encrKeyBits);
  const integ = integTransform(transformId(agreed.proposal, TRANSFORM.INTEG) ?? 0);
  if (!encr || !sa.suite || !sa.keys) return "the chosen transforms cannot be used";
  if (!encr.aead && !integ && core.decide("Child SA without integrity", "refuse") === "refuse")
    return "the chosen transforms cannot be used";
  const { Ni, Nr, sharedSecret, further = [] } = material;
  const inputs: ChildKeyInputs = { sa, SK_d: sa.keys.SK_d, Ni, Nr, sharedSecret, further };
  for (const extension of core.options.extensions) extension.childKeys?.(inputs);
  if (core.decide("key exchange in CREATE_CHILD_SA", "mix in") !== "mix in") inputs.sharedSecret = undefined;
  const used = encr.aead ? undefined : integ;
  const keys = childKeymat(
    sa.suite.prf,
    ...([inputs.SK_d, inputs.Ni, inputs.Nr] as const),
    ...([encr, used, inputs.sharedSecret, inputs.further] as const),
  );
  const [out, back] = [keys.initiatorToResponder, keys.responderToInitiator];
  const ike = successorOf(sa);
  const child: ChildSa = {
    ...agreed,
    ike,
    protocolId: agreed.proposal.protocolId,
    encr,
    encrKeyBits,
    integ: used,
    esn: transformId(agreed.proposal, TRANSFORM.SN) === 1,
    keysOut: agreed.initiatedByUs ? out : back,
    keysIn: agreed.initiatedByUs ? back : out,
    pfs: sharedSecret !== undefined,
    state: "installed",
  };
  ike.children.push(child);
  for (const extension of core.options.extensions) extension.childEstablished?.(child);
  core.emit({ type: "child-established", child });
  return child;
}

/** Takes the responder's answer; a string says why there is no Child SA. */
export function acceptChild(
  core: Core,
  sa: IkeSa,
  offer: ChildOffer,
  response: Payload[],
  nonces: { Ni: Uint8Array; Nr: Uint8Array },
): ChildSa | string {
  const accepted = agreeChild(core, offer, response);
  if (typeof accepted === "string") return accepted;
  const { agreed, secret } = accepted;
  if (secret && "error" in secret) return refusedValue(secret);
  return install(core, sa, agreed, { ...nonces, sharedSecret: secret });
}

/** What the responder's answer says about the Child SA, or why there can be none. */
export function agreeChild(
  core: Core,
  offer: ChildOffer,
  response: Payload[],
): { agreed: Agreed; secret: Uint8Array | KeError | undefined } | string {
  const error = errorNotify(response);
  if (error) return `refused with ${notifyText(error)}`;
  const chosen = payload(response, "SA");
  const tsi = payload(response, "TS", PAYLOAD.TSi);
  const tsr = payload(response, "TS", PAYLOAD.TSr);
  if (!chosen || !tsi || !tsr) return "the response lacks SA, TSi or TSr";
  const proposal = chosen.proposals[0];
  const inOffer = isChoiceOf(chosen.proposals, offer.proposals, 4);
  if (!proposal || (!inOffer && core.decide("choice outside the offer", "refuse") === "refuse")) {
    return "the chosen proposal was not offered";
  }
  const within = isSubset(tsi.selectors, offer.localTs) && isSubset(tsr.selectors, offer.remoteTs);
  if (!within && core.decide("TS outside the offer", "refuse") === "refuse") return "TS wider than offered";
  const transport = hasNotify(response, NOTIFY.USE_TRANSPORT_MODE);
  if (transport && offer.mode !== "transport") return "transport mode, which was not offered";
  const secret = childSecret(offer, response, transformId(proposal, TRANSFORM.KE));
  if (typeof secret === "string") return secret;
  const agreed: Agreed = {
    proposal,
    spiIn: offer.spiIn,
    spiOut: proposal.spi,
    mode: transport ? "transport" : "tunnel",
    localTs: tsi.selectors,
    remoteTs: tsr.selectors,
    initiatedByUs: true,
    noTfc: hasNotify(response, NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED),
    replaces: offer.replaces,
  };
  return { agreed, secret };
}

/**
 * Has the responder delete what it made, when we cannot take its answer (section 1.4.1): it has a Child SA by then that
 * would carry traffic into nothing.
 */
export function disownChild(core: Core, sa: IkeSa, offer: ChildOffer, response: Payload[]): void {
  if (errorNotify(response) || !payload(response, "SA")) return;
  const request = [deletePayload(PROTOCOL.ESP, [offer.spiIn])];
  sendRequest(core, sa, EXCHANGE.INFORMATIONAL, request, () => {});
}

function childSecret(
  offer: ChildOffer,
  response: Payload[],
  group: number | undefined,
): Uint8Array | KeError | string | undefined {
  if (!group) return undefined;
  const ke = payload(response, "KE");
  if (!ke || !offer.keyPair || ke.group !== offer.group || group !== offer.group)
    return "KE payload of another group";
  return offer.keyPair.derive(ke.data);
}

export const refusedValue = ({ reason }: KeError): string => `KE value refused: ${reason}`;

/**
 * What follows on a refused KE value in a response of CREATE_CHILD_SA: the peer has an SA by then, or will have it, with
 * other keys than ours, so that the IKE SA goes (RFC 6989 section 2.5; for ML-KEM its draft, section 2.2).
 */
export function endByKeValue(core: Core, sa: IkeSa): void {
  deleteIke(core, sa, () => {});
}

export type ChildAnswer = { payloads: Payload[] } | { error: NotifyPayload; fatal?: boolean };

/** What an answer to the offer of a Child SA depends on. */
export interface ChildContext {
  inAuth: boolean;
  replaces?: ChildSa;
  /** Ours, if this exchange has one. */
  nonce: Payload[];
  /** Called when the Child SA is there: at once, or after further exchanges; with undefined if those do not come. */
  made?: (child: ChildSa | undefined) => void;
}

/**
 * Answers an offer. `nonces` are those of IKE_SA_INIT or of this exchange.
 */
export function answerChild(
  core: Core,
  sa: IkeSa,
  request: Payload[],
  nonces: { Ni: Uint8Array; Nr: Uint8Array },
  context: ChildContext,
): ChildAnswer {
  const offered = payload(request, "SA");
  const tsi = payload(request, "TS", PAYLOAD.TSi);
  const tsr = payload(request, "TS", PAYLOAD.TSr);
  if (!offered || !tsi || !tsr) return { error: notify(NOTIFY.INVALID_SYNTAX), fatal: true };
  const ke = context.inAuth ? undefined : payload(request, "KE");
  const policies = childPolicies(core, request, context.inAuth);
  const proposal =
    choose(offered.proposals, policies, 4, core.decide, ke?.group) ?? takeFirst(core, offered.proposals);
  if (!proposal) return { error: notify(NOTIFY.NO_PROPOSAL_CHOSEN) };
  const exchanged = answerKe(core, proposal, ke?.group, ke?.data);
  if ("error" in exchanged) return exchanged;
  const ts = answerTs(core, sa, { tsi: tsi.selectors, tsr: tsr.selectors }, context.replaces);
  if ("error" in ts) return ts;
  const agreed: Agreed = {
    proposal,
    spiIn: core.freshSpi(4),
    spiOut: proposal.spi,
    mode: answerMode(core, request, context.replaces),
    localTs: ts.tsr,
    remoteTs: ts.tsi,
    initiatedByUs: false,
    noTfc: hasNotify(request, NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED),
    replaces: context.replaces,
  };
  const held = makeOrHold(core, sa, agreed, { ...nonces, sharedSecret: exchanged.secret }, context);
  if (!held) return { error: notify(NOTIFY.NO_PROPOSAL_CHOSEN) };
  const more = ts.more ? [notify(NOTIFY.ADDITIONAL_TS_POSSIBLE)] : [];
  const nonceAndKe = [...context.nonce, ...exchanged.payloads];
  return { payloads: [...answerPayloads(agreed, nonceAndKe), ...more, ...held] };
}

/** Our proposals that an offer is matched with. */
function childPolicies(core: Core, request: Payload[], inAuth: boolean): Proposal[] {
  const { esp, rekeyEsp = esp } = core.policy;
  return core.options.extensions.reduce(
    (left, extension) => extension.childPolicies?.(left, request) ?? left,
    inAuth ? esp : rekeyEsp,
  );
}

/** Makes the Child SA, or has an extension wait for further exchanges, and gives what that adds to the response; undefined: cannot be. */
function makeOrHold(
  core: Core,
  sa: IkeSa,
  agreed: Agreed,
  material: Material,
  { inAuth, made }: ChildContext,
): Payload[] | undefined {
  const finish = (further: Uint8Array[]): boolean => {
    const child = install(core, sa, agreed, { ...material, further });
    if (typeof child === "string") return false;
    made?.(child);
    return true;
  };
  const held: Held = { finish, dropped: () => made?.(undefined) };
  const added = inAuth ? undefined : core.first((e) => e.holds?.(core, sa, agreed.proposal, held));
  return added ?? (finish([]) ? [] : undefined);
}

const answerPayloads = (agreed: Agreed, nonceAndKe: Payload[]): Payload[] => [
  ...modeNotifies(agreed.mode),
  saPayload([{ ...agreed.proposal, spi: agreed.spiIn }]),
  ...nonceAndKe,
  tsPayload(PAYLOAD.TSi, agreed.remoteTs),
  tsPayload(PAYLOAD.TSr, agreed.localTs),
];

export type KeAnswer =
  | { secret?: Uint8Array; payloads: Payload[] }
  | { error: NotifyPayload; fatal?: boolean };

/** Sections 1.3 and 3.4; RFC 6989 section 2.5 for a bad value. */
export function answerKe(
  core: Core,
  proposal: Proposal,
  group: number | undefined,
  data?: Uint8Array,
): KeAnswer {
  const chosen = transformId(proposal, TRANSFORM.KE);
  if (!chosen) return { payloads: [] };
  if (chosen !== group || !data) return { error: notify(NOTIFY.INVALID_KE_PAYLOAD, groupOctets(chosen)) };
  const keyPair = freshKeyPair(core, chosen, data);
  const secret = keyPair?.derive(data);
  if (!keyPair || !(secret instanceof Uint8Array))
    return { error: notify(NOTIFY.INVALID_SYNTAX), fatal: true };
  return { secret, payloads: [kePayload(chosen, keyPair.publicValue)] };
}

interface TsPair {
  tsi: TrafficSelector[];
  tsr: TrafficSelector[];
}

/** `more` says that selectors were left out that are as acceptable. */
type NarrowedTs = (TsPair & { more: boolean }) | { error: NotifyPayload };

function answerTs(core: Core, sa: IkeSa, { tsi, tsr }: TsPair, replaces?: ChildSa): NarrowedTs {
  // A rekeyed SA must not become narrower than the one it replaces (section 2.9.2).
  const remote = narrow(tsi, replaces?.remoteTs ?? sa.leased ?? core.policy.remoteTs);
  const local = narrow(tsr, replaces?.localTs ?? core.policy.localTs);
  if (remote.length > 0 && local.length > 0)
    return replaces ? { tsi: remote, tsr: local, more: false } : pairOf(core, remote, local);
  const otherwise = core.decide("unacceptable TS", "TS_UNACCEPTABLE");
  if (otherwise === "take own") return { tsi: core.policy.remoteTs, tsr: core.policy.localTs, more: false };
  return otherwise === "take all" ? { tsi, tsr, more: false } : { error: notify(NOTIFY.TS_UNACCEPTABLE) };
}

/** As much of what is acceptable as one Child SA may have. */
function pairOf(core: Core, tsi: TrafficSelector[], tsr: TrafficSelector[]): NarrowedTs {
  const { narrowing } = core.policy;
  if (narrowing === "all") return { tsi, tsr, more: false };
  const first = { tsi: tsi.slice(0, 1), tsr: tsr.slice(0, 1) };
  const wide = [...first.tsi, ...first.tsr].some((ts) => !equal(ts.startAddress, ts.endAddress));
  if (narrowing === "one pair of addresses" && wide) return { error: notify(NOTIFY.SINGLE_PAIR_REQUIRED) };
  return { ...first, more: tsi.length + tsr.length > 2 };
}

function answerMode(core: Core, request: Payload[], replaces?: ChildSa): ChildSa["mode"] {
  const manner = core.decide("transport mode", "as configured");
  if (manner === "always") return "transport";
  const wanted = replaces?.mode ?? core.policy.mode;
  const asked = hasNotify(request, NOTIFY.USE_TRANSPORT_MODE);
  return manner === "as configured" && asked && wanted === "transport" ? "transport" : "tunnel";
}

/** The SPI of a Child SA as a notify or Delete names it. */
export const namesChild = (child: ChildSa): { protocolId: number; spi: Uint8Array } => ({
  protocolId: PROTOCOL.ESP,
  spi: child.spiIn,
});
