/** CREATE_CHILD_SA: RFC 7296 sections 1.3, 2.8, 2.17, 2.18. */
import { equal, hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import type { NotifyPayload, Payload } from "../../wire/types.ts";
import { additionalMethods } from "../additional-ke.ts";
import type { ChildSa } from "../child.ts";
import {
  awaitCrossing,
  type Crossing,
  type Doing,
  lowestNonce,
  mayBeMaking,
  mustStop,
  oursIsRedundant,
  refusedByCrossing,
  settle,
} from "../collisions.ts";
import type { Core } from "../core.ts";
import type { IncomingMessage } from "../hooks.ts";
import { hasNotify, notifies, notify, notifyText, payload } from "../payloads.ts";
import type { Answered, IkeSa } from "../sa.ts";
import { sendRequest } from "../send.ts";
import { type Answer, NO_ANSWER, otherGroup, refusal, type Tried, UNTRIED } from "./answer.ts";
import {
  agreeChild,
  answerChild,
  type ChildOffer,
  type ChildWishes,
  disownChild,
  endByKeValue,
  install,
  modeNotifies,
  namesChild,
  offerChild,
  offerTs,
  refusedValue,
} from "./child.ts";
import { kePayload, noncePayload, saPayload } from "./ike-sa-init.ts";
import { deleteChild } from "./informational.ts";
import { answerIkeRekey } from "./rekey-ike.ts";
import { tryLater } from "./retry.ts";

/** Asks for a new Child SA, or with `wishes.replaces` for one that replaces it. */
export function startChild(
  core: Core,
  sa: IkeSa,
  wishes: ChildWishes,
  done: (child: ChildSa | string) => void,
  tried = UNTRIED,
): void {
  const offer = offerChild(core, wishes, core.policy.rekeyEsp ?? core.policy.esp, sa);
  const Ni = core.nonce();
  const { replaces, keyPair, group } = offer;
  const payloads: Payload[] = [
    ...(replaces ? [notify(NOTIFY.REKEY_SA, undefined, namesChild(replaces))] : []),
    ...modeNotifies(offer.mode),
    saPayload(offer.proposals),
    noncePayload(Ni),
    ...(keyPair && group !== undefined ? [kePayload(group, keyPair.publicValue)] : []),
    ...offerTs(offer),
  ];
  const doing: Doing = replaces ? { what: "rekey Child", child: replaces } : { what: "create Child" };
  const answered: Answered = (response, on) => {
    if (!response) return done(NO_ANSWER);
    if (doing.what === "rekey Child") doing.crossing ??= doing.child.peersRekeying;
    const other = otherGroup(response.payloads, offer.proposals, tried, group);
    if (other && !crosses(doing))
      return startChild(core, on, { ...wishes, group: other.group }, done, other.tried);
    takeAnswer(core, on, { wishes, done, tried, offer, doing, Ni }, response);
  };
  sendRequest(core, sa, EXCHANGE.CREATE_CHILD_SA, payloads, answered, { doing });
}

const crosses = (doing: Doing): boolean => "crossing" in doing && doing.crossing !== undefined;

/** A request for a Child SA that is on its way. */
interface ChildCommand {
  wishes: ChildWishes;
  done: (child: ChildSa | string) => void;
  tried: Tried;
  offer: ChildOffer;
  doing: Extract<Doing, { what: "create Child" | "rekey Child" }>;
  Ni: Uint8Array;
}

function takeAnswer(core: Core, sa: IkeSa, command: ChildCommand, response: IncomingMessage): void {
  const { payloads } = response;
  const { offer, doing, Ni, done } = command;
  const Nr = payload(payloads, "Nonce")?.data;
  const answer =
    core.first((e) => e.refuses?.(core, sa, response)) ??
    (Nr ? agreeChild(core, offer, payloads) : refusal(payloads));
  if (!Nr || typeof answer === "string") return failChild(core, sa, command, payloads, String(answer));
  const nonces = { Ni, Nr };
  const { agreed, secret: sharedSecret } = answer;
  if (sharedSecret && "error" in sharedSecret) {
    endByKeValue(core, sa);
    return failChild(core, sa, command, [], refusedValue(sharedSecret));
  }
  const finish = (further: Uint8Array[] | string): void => {
    // The peer has made nothing that it could delete.
    if (typeof further === "string") return failChild(core, sa, command, [], further);
    const child = install(core, sa, agreed, { ...nonces, sharedSecret, further });
    if (typeof child === "string") return failChild(core, sa, command, payloads, child);
    if (doing.what === "rekey Child") finishRekey(core, child, nonces, doing, done);
    else done(child);
    if (doing.deletedEarly?.has(hex(child.spiOut)))
      core.closeChild(child, "deleted by the peer before we knew of it");
  };
  if (additionalMethods(agreed.proposal).length === 0) return finish([]);
  const crossing = doing.what === "rekey Child" ? doing.crossing : undefined;
  // Who loses has nothing to delete: he only stops (RFC 9370 section 2.2.4).
  if (crossing && mustStop(core, Ni, Nr, crossing)) return awaitCrossing(crossing, done);
  const { proposal } = agreed;
  const { extensions } = core.options;
  if (!extensions.some((e) => e.continues?.(core, sa, proposal, response, doing, finish)))
    finish("additional key exchanges, which we cannot do");
}

function failChild(core: Core, sa: IkeSa, command: ChildCommand, response: Payload[], reason: string): void {
  childFailed(core, sa, reason);
  if (sa.established) disownChild(core, sa, command.offer, response);
  afterRefusal(core, sa, command, response, reason);
}

/** Goes on by another way, or says that there is no Child SA (section 2.25). */
function afterRefusal(
  core: Core,
  sa: IkeSa,
  command: ChildCommand,
  response: Payload[],
  reason: string,
): void {
  const { wishes, done, tried, doing } = command;
  const crossed = crosses(doing);
  const { replaces: old } = wishes;
  const tries = tried.putOff;
  const again = (on: IkeSa) =>
    old && old.state !== "installed"
      ? done(reason)
      : startChild(core, on, wishes, done, { ...tried, putOff: tries + 1 });
  if (!crossed && tryLater(core, sa, response, { tries, again, gone: () => done(reason) })) return;
  if (!old || !hasNotify(response, NOTIFY.CHILD_SA_NOT_FOUND)) return done(reason);
  const wasInUse = old.state === "installed";
  core.closeChild(old, "the peer does not know it");
  if (!wasInUse || core.policy.retry.tries === 0 || !sa.established) return done(reason);
  const { localTs, remoteTs, mode } = old;
  startChild(core, sa, { localTs, remoteTs, mode, ...wishes, replaces: undefined }, done);
}

/** Settles which Child SA replaces the old one, if the peer rekeyed it at the same time (section 2.8.1). */
function finishRekey(
  core: Core,
  child: ChildSa,
  nonces: { Ni: Uint8Array; Nr: Uint8Array },
  { child: old, crossing }: Extract<Doing, { what: "rekey Child" }>,
  done: (child: ChildSa | string) => void,
): void {
  if (crossing && oursIsRedundant(nonces.Ni, nonces.Nr, crossing)) {
    if (core.decide("redundant SA", "delete") === "delete") deleteChild(core, child, () => {});
    return awaitCrossing(crossing, done);
  }
  if (old.state !== "closed") retire(core, old);
  done(child);
}

function childFailed(core: Core, sa: IkeSa, reason: string): void {
  core.emit({ type: "child-failed", sa, reason });
  const manner = core.decide("Child SA failure in CREATE_CHILD_SA", "keep the IKE SA");
  if (manner === "fail the IKE SA") core.closeIke(sa, reason);
}

/** The side that began the rekeying deletes the old SA (section 2.8). */
function retire(core: Core, old: ChildSa): void {
  old.state = "rekeyed";
  if (core.decide("replaced Child SA", "delete") === "delete") deleteChild(core, old, () => {});
}

export function onCreateChildRequest(core: Core, sa: IkeSa, request: IncomingMessage): Answer {
  const { payloads } = request;
  const offered = payload(payloads, "SA");
  const nonce = payload(payloads, "Nonce");
  if (!offered || !nonce)
    return { payloads: [notify(NOTIFY.INVALID_SYNTAX)], close: "SA or Nonce is missing" };
  if (offered.proposals[0]?.protocolId === PROTOCOL.IKE) {
    const busy = refusedByCrossing(core, sa, "rekey IKE");
    return busy ? { payloads: [busy] } : answerIkeRekey(core, sa, payloads, nonce.data);
  }
  const [rekey] = notifies(payloads, NOTIFY.REKEY_SA);
  const replaces = rekey && sa.children.find((c) => equal(c.spiOut, rekey.spi));
  const busy = refusedByCrossing(core, sa, "Child", replaces);
  const error = busy ?? (rekey && !replaces ? unknownChild(core, sa, rekey) : undefined) ?? crowded(sa);
  if (error) return { payloads: [error] };
  const Nr = core.nonce();
  const nonces = { Ni: nonce.data, Nr };
  const crossing: Crossing<ChildSa> = { lowest: lowestNonce(nonce.data, Nr) };
  const answer = answerChild(core, sa, payloads, nonces, {
    inAuth: false,
    replaces,
    nonce: [noncePayload(Nr)],
    made: (child) => {
      if (replaces) settleRekey(sa, replaces, crossing, child);
    },
  });
  if ("error" in answer) {
    core.emit({ type: "child-failed", sa, reason: `answered with ${notifyText(answer.error)}` });
    return {
      payloads: [answer.error],
      close: answer.fatal ? "INVALID_SYNTAX in CREATE_CHILD_SA" : undefined,
    };
  }
  if (replaces) meet(sa, replaces, crossing);
  return { payloads: answer.payloads };
}

/** Lets our own rekeying know that the peer's is there: the one that is outstanding, or the next. */
function meet(sa: IkeSa, replaces: ChildSa, crossing: Crossing<ChildSa>): void {
  const ours = rekeyingOf(sa, replaces);
  if (ours) ours.crossing = crossing;
  if (!crossing.made) replaces.peersRekeying = crossing;
}

/** The peer has made this Child SA by rekeying, or will make none. */
function settleRekey(
  sa: IkeSa,
  replaces: ChildSa,
  crossing: Crossing<ChildSa>,
  made: ChildSa | undefined,
): void {
  if (replaces.peersRekeying === crossing) replaces.peersRekeying = undefined;
  if (made && replaces.state === "installed") replaces.state = "rekeyed";
  const ours = rekeyingOf(sa, replaces);
  if (made && ours) ours.crossing = crossing;
  settle(crossing, made);
}

/** Our own outstanding rekeying of this Child SA. */
function rekeyingOf(
  sa: IkeSa,
  child: ChildSa | undefined,
): Extract<Doing, { what: "rekey Child" }> | undefined {
  const doing = sa.pending?.doing;
  return doing?.what === "rekey Child" && doing.child === child ? doing : undefined;
}

/** Why a Child SA that we do not know cannot be rekeyed. */
function unknownChild(core: Core, sa: IkeSa, rekey: NotifyPayload): NotifyPayload | undefined {
  if (mayBeMaking(sa)) return notify(NOTIFY.TEMPORARY_FAILURE);
  const manner = core.decide("rekey of an unknown Child SA", "CHILD_SA_NOT_FOUND");
  if (manner === "CHILD_SA_NOT_FOUND") return childNotFound(rekey);
  return manner === "NO_PROPOSAL_CHOSEN" ? notify(NOTIFY.NO_PROPOSAL_CHOSEN) : undefined;
}

/** Child SAs that one IKE SA has at most: a peer in a loop must not fill our memory. */
export const MOST_CHILDREN = 256;

/** Section 1.3: a responder may refuse any more. */
const crowded = (sa: IkeSa): NotifyPayload | undefined =>
  sa.children.length >= MOST_CHILDREN ? notify(NOTIFY.NO_ADDITIONAL_SAS) : undefined;

const childNotFound = (rekey: NotifyPayload): NotifyPayload =>
  notify(NOTIFY.CHILD_SA_NOT_FOUND, undefined, { protocolId: rekey.protocolId, spi: rekey.spi });
