/** IKE_AUTH as the initiator: RFC 7296 sections 1.2, 2.15, 2.16, 2.21.2; RFC 5998, RFC 6023. */
import { supplicant } from "../../eap/index.ts";
import type { EapStep } from "../../eap/types.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { EXCHANGE, exchangeTypes } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { IdPayload, Payload } from "../../wire/types.ts";
import { certificateRequest } from "../auth/announce.ts";
import { eapOptions, eapPacket, eapPayload, unsafeAlone } from "../auth/eap-payload.ts";
import { idPayload } from "../auth/octets.ts";
import { certificates, type EapKey, prove } from "../auth/prove.ts";
import { refusedProof } from "../auth/verify.ts";
import type { ChildSa } from "../child.ts";
import type { Core } from "../core.ts";
import type { Application } from "../hooks.ts";
import { initialContactNotify } from "../initial-contact.ts";
import { errorNotify, hasNotify, notify, notifyText, payload } from "../payloads.ts";
import type { EapLogin } from "../policy.ts";
import type { IkeSa } from "../sa.ts";
import { sendRequest } from "../send.ts";
import {
  acceptChild,
  type ChildOffer,
  type ChildWishes,
  disownChild,
  modeNotifies,
  offerChild,
  offerTs,
} from "./child.ts";
import { requestConfiguration, takeConfiguration } from "./configuration.ts";
import { saPayload } from "./ike-sa-init.ts";

export interface AuthOutcome {
  child?: ChildSa;
  /** Why there is no IKE SA. */
  failure?: string;
  /** Why there is an IKE SA without a Child SA. */
  childFailure?: string;
  /** Why there is an IKE SA, but not what its {@link Application} was to bring. */
  applicationFailure?: string | undefined;
}

export interface AuthWishes extends ChildWishes {
  /** Asks for no Child SA (RFC 6023); not set: as the policy says. */
  childless?: boolean;
  /** Authenticates for this in the place of a Child SA, in an exchange of its own. */
  application?: Application;
}

/** What the initiator keeps over the rounds of IKE_AUTH. */
interface Attempt {
  id: IdPayload;
  /** Not set for a childless SA. */
  offer?: ChildOffer;
  application?: Application;
  done: (outcome: AuthOutcome) => void;
  /** The payloads of the first response: IDr, and certificates beside it. */
  first?: Payload[];
  /** Set once EAP has succeeded. */
  eap?: EapKey;
}

/** Sends IKE_AUTH, with the first Child SA unless a childless SA is wanted. */
export function startAuth(
  core: Core,
  sa: IkeSa,
  wishes: AuthWishes,
  done: (outcome: AuthOutcome) => void,
): void {
  const begin = (failure?: string): void => {
    if (failure === undefined) return sendFirst(core, sa, wishes, done);
    core.closeIke(sa, failure);
    done({ failure });
  };
  sa.state = "authenticating";
  const { extensions } = core.options;
  if (!extensions.some((e) => e.beforeAuth?.(core, sa, begin))) begin();
}

function sendFirst(core: Core, sa: IkeSa, wishes: AuthWishes, done: Attempt["done"]): void {
  const { policy } = core;
  const { ownAuth } = policy;
  const id = idPayload(PAYLOAD.IDi, policy.localId);
  const { application } = wishes;
  const childless = !application && (wishes.childless ?? policy.childless === "force");
  const offer = childless || application ? undefined : offerChild(core, wishes, policy.esp);
  const attempt: Attempt = { id, done, offer, application };
  const invited =
    sa.announced.has(NOTIFY.CHILDLESS_IKEV2_SUPPORTED) ||
    core.decide("childless initiation", "when announced") === "always";
  if (childless && !invited)
    return giveUp(core, sa, attempt, "the peer did not announce CHILDLESS_IKEV2_SUPPORTED");
  const auth = ownAuth.method === "eap" ? beginEap(core, sa, ownAuth) : prove(core, sa, id);
  if (typeof auth === "string") return giveUp(core, sa, attempt, auth);
  sendAuth(core, sa, attempt, [
    id,
    ...certificates(policy),
    ...initialContactNotify(core, sa),
    ...certificateRequest(core),
    idPayload(PAYLOAD.IDr, policy.remoteId),
    ...auth,
    ...requestConfiguration(core),
    ...(policy.peerAuth.method === "eap-only" ? [notify(NOTIFY.EAP_ONLY_AUTHENTICATION)] : []),
    ...(application?.request(sa) ?? offerPayloads(offer)),
  ]);
}

/** Our end of EAP, which takes the place of AUTH in the first request; a string says why there can be none. */
function beginEap(core: Core, sa: IkeSa, login: EapLogin): Payload[] | string {
  const { peerAuth, eapManners } = core.policy;
  const unsafe = peerAuth.method === "eap-only" ? unsafeAlone(core, login) : undefined;
  if (unsafe) return unsafe;
  sa.conversation = supplicant(eapOptions(core, login, eapManners));
  return [];
}

const offerPayloads = (offer: ChildOffer | undefined): Payload[] =>
  offer ? [...modeNotifies(offer.mode), saPayload(offer.proposals), ...offerTs(offer)] : [];

function giveUp(core: Core, sa: IkeSa, { done }: Attempt, failure: string): void {
  core.closeIke(sa, failure);
  done({ failure });
}

function sendAuth(core: Core, sa: IkeSa, attempt: Attempt, payloads: Payload[]): void {
  const exchangeType = attempt.application?.exchangeType ?? EXCHANGE.IKE_AUTH;
  sendRequest(core, sa, exchangeType, payloads, (response) => {
    const refused = response && core.first((e) => e.refuses?.(core, sa, response));
    if (refused) return refuse(core, sa, attempt, refused);
    if (response) onResponse(core, sa, attempt, response.payloads);
    else attempt.done({ failure: `no answer to ${exchangeTypes.nameOf(exchangeType)}` });
  });
}

function onResponse(core: Core, sa: IkeSa, attempt: Attempt, payloads: Payload[]): void {
  const error = errorNotify(payloads);
  // Beside AUTH an error is one of the Child SA or the configuration, but for this one (section 2.21.2).
  const fatal = hasNotify(payloads, NOTIFY.AUTHENTICATION_FAILED) || !payload(payloads, "AUTH");
  if (error && fatal) return giveUp(core, sa, attempt, `IKE_AUTH was refused with ${notifyText(error)}`);
  const isFirst = attempt.first === undefined;
  attempt.first ??= payloads;
  const inEap = sa.conversation !== undefined && attempt.eap === undefined;
  const laterRound = inEap && !isFirst;
  const eapOnly = inEap && core.policy.peerAuth.method === "eap-only" && !payload(payloads, "AUTH");
  const failure = laterRound || eapOnly ? undefined : refusedResponder(core, sa, attempt, payloads);
  if (failure) return refuse(core, sa, attempt, failure);
  if (inEap) onEap(core, sa, attempt, payloads);
  else establish(core, sa, attempt, payloads);
}

/** The responder's AUTH: in the first response, and again after EAP (section 2.16). */
function refusedResponder(core: Core, sa: IkeSa, attempt: Attempt, payloads: Payload[]): string | undefined {
  const first = attempt.first ?? payloads;
  const id = payload(first, "ID", PAYLOAD.IDr);
  const auth = payload(payloads, "AUTH");
  if (!id || !auth) return "ID or AUTH is missing";
  // To whom EAP gives its secret must be known (RFC 7619 section 2).
  if (sa.conversation && auth.method === AUTH_METHOD.NULL) return "NULL authentication where we use EAP";
  const eap = attempt.eap && { eap: attempt.eap };
  return refusedProof(core, sa, { id, auth, payloads: first, message: payloads, ...eap });
}

/** Section 2.21.2. The responder takes the SA for established: it must hear of this, even if a datagram gets lost. */
function refuse(core: Core, sa: IkeSa, attempt: Attempt, failure: string): void {
  sendRequest(core, sa, EXCHANGE.INFORMATIONAL, [notify(NOTIFY.AUTHENTICATION_FAILED)], () =>
    core.closeIke(sa, failure),
  );
  attempt.done({ failure });
}

/** One round of EAP; after its Success our AUTH. */
function onEap(core: Core, sa: IkeSa, attempt: Attempt, payloads: Payload[]): void {
  const received = payload(payloads, "EAP");
  const step = received && sa.conversation?.take(eapPacket(received));
  if (!step) return giveUp(core, sa, attempt, "EAP failed: a response without EAP payload");
  if (!step.later) return onEapStep(core, sa, attempt, step);
  const gone = () => attempt.done({ failure: sa.closedBecause ?? "closed during EAP" });
  core.later(sa, step.later, (done) => onEapStep(core, sa, attempt, done), gone);
}

function onEapStep(core: Core, sa: IkeSa, attempt: Attempt, step: EapStep): void {
  if (step.result === "failure") return giveUp(core, sa, attempt, `EAP failed: ${step.reason}`);
  if (step.result === "success") {
    attempt.eap = { ...(step.MSK && { MSK: step.MSK }) };
    const auth = prove(core, sa, attempt.id, attempt.eap);
    return typeof auth === "string" ? giveUp(core, sa, attempt, auth) : sendAuth(core, sa, attempt, auth);
  }
  if (!step.send) return giveUp(core, sa, attempt, `EAP: ${step.reason ?? "no answer to this packet"}`);
  sendAuth(core, sa, attempt, [eapPayload(step.send)]);
}

function establish(core: Core, sa: IkeSa, attempt: Attempt, payloads: Payload[]): void {
  const id = payload(attempt.first ?? payloads, "ID", PAYLOAD.IDr);
  sa.remoteIdentity = id && { type: id.idType, data: id.data };
  sa.conversation = undefined;
  sa.state = "established";
  core.emit({ type: "ike-established", sa });
  const { offer, application, done } = attempt;
  if (application) return done({ applicationFailure: application.take(sa, payloads) });
  const { failure } = takeConfiguration(core, sa, payloads);
  const error = errorNotify(payloads);
  if (!offer) return done(error ? { childFailure: `refused with ${notifyText(error)}` } : {});
  const child = failure ?? acceptChild(core, sa, offer, payloads, { Ni: sa.Ni, Nr: sa.Nr });
  if (typeof child !== "string") return done({ child });
  core.emit({ type: "child-failed", sa, reason: child });
  if (core.decide("Child SA failure in IKE_AUTH", "keep the IKE SA") !== "keep the IKE SA")
    core.closeIke(sa, child);
  else disownChild(core, sa, offer, payloads);
  done({ childFailure: child });
}
