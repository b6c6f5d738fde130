/** CREATE_CHILD_SA: RFC 7296 sections 1.3, 2.8, 2.17, 2.18. */
import { ikeKeys, rekeyedSkeyseed } from "../../crypto/keys.ts";
import { equal } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { NotifyPayload, Payload, Proposal } from "../../wire/types.ts";
import type { ChildSa } from "../child.ts";
import type { Core } from "../core.ts";
import type { IkeKeyInputs, IncomingMessage } from "../hooks.ts";
import { freshKeyPair } from "../key-pair.ts";
import { errorNotify, notifies, notify, payload } from "../payloads.ts";
import { choose, isChoiceOf, transformId } from "../proposals.ts";
import { IkeSa, ikeSuite } from "../sa.ts";
import { sendRequest } from "../send.ts";
import {
  acceptChild,
  answerChild,
  answerKe,
  type ChildWishes,
  type KeAnswer,
  modeNotifies,
  namesChild,
  offerChild,
  offerTs,
} from "./child.ts";
import { groups, kePayload, noncePayload, saPayload } from "./ike-sa-init.ts";
import { deleteChild, deleteIke } from "./informational.ts";

/** Asks for a new Child SA, or with `wishes.replaces` for one that replaces it. */
export function startChild(
  core: Core,
  sa: IkeSa,
  wishes: ChildWishes,
  done: (child: ChildSa | string) => void,
): void {
  const offer = offerChild(core, wishes, core.policy.rekeyEsp ?? core.policy.esp);
  const Ni = core.random(core.policy.nonceLength);
  const { replaces, keyPair, group } = offer;
  const payloads: Payload[] = [
    ...(replaces ? [notify(NOTIFY.REKEY_SA, undefined, namesChild(replaces))] : []),
    ...modeNotifies(offer.mode),
    saPayload(offer.proposals),
    noncePayload(Ni),
    ...(keyPair && group !== undefined ? [kePayload(group, keyPair.publicValue)] : []),
    ...offerTs(offer),
  ];
  sendRequest(core, sa, EXCHANGE.CREATE_CHILD_SA, payloads, (response) => {
    if (!response) return done("no answer to CREATE_CHILD_SA");
    const again = otherGroup(response.payloads, offer.proposals, group);
    if (again !== undefined) return startChild(core, sa, { ...wishes, group: again }, done);
    const nonce = payload(response.payloads, "Nonce");
    const child = nonce
      ? acceptChild(core, sa, offer, response.payloads, { Ni, Nr: nonce.data })
      : refusal(response.payloads);
    if (typeof child === "string") childFailed(core, sa, child);
    else if (replaces) retire(core, replaces);
    done(child);
  });
}

function childFailed(core: Core, sa: IkeSa, reason: string): void {
  core.emit({ type: "child-failed", sa, reason });
  const manner = core.decide("Child SA failure in CREATE_CHILD_SA", "keep the IKE SA");
  if (manner === "fail the IKE SA") core.closeIke(sa, reason);
}

const refusal = (payloads: Payload[]): string => {
  const error = errorNotify(payloads);
  return error ? `refused with notify ${error.notifyType}` : "the response lacks a Nonce";
};

/** The group that INVALID_KE_PAYLOAD names, if we offered it and did not just use it. */
function otherGroup(payloads: Payload[], offers: Proposal[], used: number | undefined): number | undefined {
  const [wanted] = notifies(payloads, NOTIFY.INVALID_KE_PAYLOAD);
  if (wanted?.data.length !== 2) return undefined;
  const group = ((wanted.data[0] ?? 0) << 8) | (wanted.data[1] ?? 0);
  return group !== used && groups(offers).includes(group) ? group : undefined;
}

/** The side that began the rekeying deletes the old SA (section 2.8). */
function retire(core: Core, old: ChildSa): void {
  old.state = "rekeyed";
  if (core.decide("replaced Child SA", "delete") === "delete") deleteChild(core, old, () => {});
}

/** Replaces an IKE SA; the Child SAs move over. */
export function startIkeRekey(
  core: Core,
  old: IkeSa,
  wishes: { proposals?: Proposal[]; group?: number },
  done: (sa: IkeSa | string) => void,
): void {
  const sa = new IkeSa("initiator", core.freshSpi(8), old.local, old.remote);
  const proposals = (wishes.proposals ?? core.policy.ike).map((p, i) => ({
    ...p,
    number: i + 1,
    spi: sa.spiI,
  }));
  const group = wishes.group ?? groups(proposals)[0] ?? 0;
  const keyPair = freshKeyPair(core, group);
  if (!keyPair) return done("no key exchange method for this group");
  sa.Ni = core.random(core.policy.nonceLength);
  const payloads = [saPayload(proposals), noncePayload(sa.Ni), kePayload(group, keyPair.publicValue)];
  sendRequest(core, old, EXCHANGE.CREATE_CHILD_SA, payloads, (response) => {
    if (!response) return done("no answer to CREATE_CHILD_SA");
    const again = otherGroup(response.payloads, proposals, group);
    if (again !== undefined) return startIkeRekey(core, old, { ...wishes, group: again }, done);
    const chosen = payload(response.payloads, "SA");
    const ke = payload(response.payloads, "KE");
    const nonce = payload(response.payloads, "Nonce");
    if (!chosen || !ke || !nonce) return done(refusal(response.payloads));
    const proposal = chosen.proposals[0];
    if (!proposal || !isChoiceOf(chosen.proposals, proposals, 8))
      return done("the chosen proposal was not offered");
    const secret = keyPair.derive(ke.data);
    if (!(secret instanceof Uint8Array) || ke.group !== group) return done("the KE payload is refused");
    sa.spiR = proposal.spi;
    sa.Nr = nonce.data;
    if (!takeOver(core, old, sa, proposal, secret)) return done("the chosen transforms cannot be used");
    if (core.decide("replaced IKE SA", "delete") === "delete") deleteIke(core, old, () => {});
    done(sa);
  });
}

/** Derives the keys of the new SA from the old one's SK_d and moves the Child SAs (section 2.18). */
function takeOver(core: Core, old: IkeSa, sa: IkeSa, proposal: Proposal, sharedSecret: Uint8Array): boolean {
  const suite = ikeSuite(proposal);
  if (!suite || !old.suite || !old.keys) return false;
  const inputs: IkeKeyInputs = {
    ...{ sa, replaces: old, sharedSecret, Ni: sa.Ni, Nr: sa.Nr, spiI: sa.spiI, spiR: sa.spiR },
  };
  for (const extension of core.options.extensions) extension.ikeKeys?.(inputs);
  const { Ni, Nr, spiI, spiR } = inputs;
  const seed = rekeyedSkeyseed(old.suite.prf, old.keys.SK_d, inputs.sharedSecret, Ni, Nr);
  const keys = ikeKeys(suite.prf, suite.encr, suite.integ, seed, Ni, Nr, spiI, spiR);
  for (const extension of core.options.extensions) extension.afterIkeKeys?.(sa, keys);
  sa.proposal = proposal;
  sa.replaces = old;
  sa.remoteIdentity = old.remoteIdentity;
  for (const type of old.announced) sa.announced.add(type);
  sa.nat = old.nat;
  sa.install(suite, keys);
  sa.state = "established";
  if (core.decide("message ids of a rekeyed IKE SA", "from zero") === "go on") {
    sa.nextMessageId = old.nextMessageId;
    sa.expectedMessageId = old.expectedMessageId;
  }
  old.state = "rekeyed";
  old.replacedBy = sa;
  core.add(sa);
  moveChildren(core, old, sa);
  core.emit({ type: "keys", sa });
  core.emit({ type: "ike-established", sa });
  return true;
}

function moveChildren(core: Core, old: IkeSa, sa: IkeSa): void {
  const keep = core.decide("Child SAs of a replaced IKE SA", "move") === "move";
  for (const child of [...old.children]) {
    if (!keep) core.closeChild(child, "dropped with the replaced IKE SA");
    else child.ike = sa;
  }
  sa.children.push(...old.children);
  old.children.length = 0;
}

export interface Answer {
  payloads: Payload[];
  /** Set to close the IKE SA once the answer is sent. */
  close?: string;
}

export function onCreateChildRequest(core: Core, sa: IkeSa, request: IncomingMessage): Answer {
  const { payloads } = request;
  const offered = payload(payloads, "SA");
  const nonce = payload(payloads, "Nonce");
  if (!offered || !nonce)
    return { payloads: [notify(NOTIFY.INVALID_SYNTAX)], close: "SA or Nonce is missing" };
  if (offered.proposals[0]?.protocolId === PROTOCOL.IKE)
    return answerIkeRekey(core, sa, payloads, nonce.data);
  const [rekey] = notifies(payloads, NOTIFY.REKEY_SA);
  const replaces = rekey && sa.children.find((c) => equal(c.spiOut, rekey.spi));
  if (rekey && !replaces) {
    const manner = core.decide("rekey of an unknown Child SA", "CHILD_SA_NOT_FOUND");
    if (manner === "CHILD_SA_NOT_FOUND") return { payloads: [childNotFound(rekey)] };
    if (manner === "NO_PROPOSAL_CHOSEN") return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  }
  const Nr = core.random(core.policy.nonceLength);
  const nonces = { Ni: nonce.data, Nr };
  const answer = answerChild(core, sa, payloads, nonces, {
    inAuth: false,
    replaces,
    nonce: [noncePayload(Nr)],
  });
  if ("error" in answer) {
    core.emit({ type: "child-failed", sa, reason: `notify ${answer.error.notifyType}` });
    return {
      payloads: [answer.error],
      close: answer.fatal ? "INVALID_SYNTAX in CREATE_CHILD_SA" : undefined,
    };
  }
  if (replaces) replaces.state = "rekeyed";
  return { payloads: answer.payloads };
}

const childNotFound = (rekey: NotifyPayload): NotifyPayload =>
  notify(NOTIFY.CHILD_SA_NOT_FOUND, undefined, { protocolId: rekey.protocolId, spi: rekey.spi });

function answerIkeRekey(core: Core, old: IkeSa, payloads: Payload[], Ni: Uint8Array): Answer {
  const offers = payload(payloads, "SA")?.proposals ?? [];
  const ke = payload(payloads, "KE");
  const proposal = choose(offers, core.policy.ike, 8, core.decide, ke?.group);
  // Section 2.18: an IKE SA is never rekeyed without a key exchange.
  const group = proposal && transformId(proposal, TRANSFORM.KE);
  const careless = core.decide("IKE rekey without key exchange", "refuse") === "accept";
  if (!proposal || (!group && !careless)) return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  const exchanged: KeAnswer =
    careless && (!ke || !group)
      ? { secret: new Uint8Array(), payloads: [] }
      : answerKe(core, proposal, ke?.group, ke?.data);
  if ("error" in exchanged)
    return { payloads: [exchanged.error], close: exchanged.fatal ? "bad KE value" : undefined };
  const sa = new IkeSa("responder", proposal.spi, old.local, old.remote);
  sa.spiR = core.freshSpi(8);
  sa.Ni = Ni;
  sa.Nr = core.random(core.policy.nonceLength);
  if (!exchanged.secret || !takeOver(core, old, sa, proposal, exchanged.secret)) {
    return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  }
  return {
    payloads: [saPayload([{ ...proposal, spi: sa.spiR }]), noncePayload(sa.Nr), ...exchanged.payloads],
  };
}
