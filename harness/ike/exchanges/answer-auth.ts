/** IKE_AUTH as the responder: RFC 7296 sections 1.2, 2.15, 2.16; RFC 5998, RFC 6023. */
import { authenticator } from "../../eap/index.ts";
import type { EapStep } from "../../eap/types.ts";
import { EAP_CODE } from "../../wire/registry/eap.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { IdPayload, Payload } from "../../wire/types.ts";
import { eapOptions, eapPacket, eapPayload, unsafeAlone } from "../auth/eap-payload.ts";
import { idPayload } from "../auth/octets.ts";
import { certificates, type EapKey, prove } from "../auth/prove.ts";
import { refusedProof, wrongIdentity } from "../auth/verify.ts";
import type { Core } from "../core.ts";
import type { Admission, IncomingMessage } from "../hooks.ts";
import { onInitialContact } from "../initial-contact.ts";
import { hasNotify, notify, notifyText, payload } from "../payloads.ts";
import type { IkeSa } from "../sa.ts";
import type { Answer, LaterAnswer } from "./answer.ts";
import { answerChild, type ChildAnswer } from "./child.ts";
import { answerConfiguration } from "./configuration.ts";
import { awaitAuth } from "./ike-sa-init.ts";

/** What the responder keeps between the rounds of an IKE_AUTH with EAP. */
export interface AuthRounds {
  /** The payloads of the first request: IDi, and the offer of the Child SA. */
  first: Payload[];
  id: IdPayload;
  IDr: IdPayload;
  /** Set in an exchange that is not for a Child SA. */
  admission: Admission | undefined;
  /** Set once EAP has succeeded. */
  eap?: EapKey;
}

const failed = (reason: string): Answer => ({
  payloads: [notify(NOTIFY.AUTHENTICATION_FAILED)],
  close: reason,
});

/** Answers IKE_AUTH, or an exchange like it with this `admission`; `close` says why the SA must go once the answer is sent. */
export function onAuthRequest(
  core: Core,
  sa: IkeSa,
  request: IncomingMessage,
  admission?: Admission,
): Answer | LaterAnswer {
  if (sa.authRounds) return onLaterRound(core, sa, sa.authRounds, request);
  const { payloads } = request;
  const id = payload(payloads, "ID", PAYLOAD.IDi);
  const auth = payload(payloads, "AUTH");
  const wrong = wrongIdentity(core, id);
  if (!id || wrong) return failed(wrong ?? "the ID payload is missing");
  const IDr = idPayload(PAYLOAD.IDr, core.policy.localId);
  if (core.policy.peerAuth.method === "eap" && !auth)
    return beginEap(core, sa, { id, IDr, admission }, payloads);
  const refused = auth
    ? refusedProof(core, sa, { id, auth, payloads, message: payloads })
    : "AUTH is missing";
  if (refused) return failed(refused);
  const own = prove(core, sa, IDr);
  if (typeof own === "string") return failed(own);
  const rounds = { first: payloads, id, admission };
  return establish(core, sa, request, rounds, [IDr, ...certificates(core.policy), ...own]);
}

/** IDr, our AUTH unless the MSK is to prove both ends (RFC 5998), and the first EAP request. */
function beginEap(
  core: Core,
  sa: IkeSa,
  ids: Pick<AuthRounds, "id" | "IDr" | "admission">,
  first: Payload[],
): Answer {
  const { peerAuth, ownAuth, eapManners } = core.policy;
  if (peerAuth.method !== "eap") return failed("EAP was not asked for");
  const eapOnly = ownAuth.method === "eap-only";
  if (eapOnly && !hasNotify(first, NOTIFY.EAP_ONLY_AUTHENTICATION))
    return failed("the peer did not announce EAP_ONLY_AUTHENTICATION");
  const unsafe = eapOnly ? unsafeAlone(core, peerAuth) : undefined;
  if (unsafe) return failed(unsafe);
  const own = eapOnly ? [] : prove(core, sa, ids.IDr);
  if (typeof own === "string") return failed(own);
  // IDi has the name already (section 3.16).
  const conversation = authenticator(eapOptions(core, peerAuth, { skipsIdentity: true, ...eapManners }));
  sa.conversation = conversation;
  const begin = conversation.begin();
  sa.authRounds = { ...ids, first, ...(begin.code === EAP_CODE.SUCCESS && { eap: {} }) };
  sa.state = "authenticating";
  awaitAuth(core, sa);
  const proof = eapOnly ? [] : [...certificates(core.policy), ...own];
  return { payloads: [ids.IDr, ...proof, eapPayload(begin)] };
}

function onLaterRound(
  core: Core,
  sa: IkeSa,
  rounds: AuthRounds,
  request: IncomingMessage,
): Answer | LaterAnswer {
  const { payloads } = request;
  const auth = payload(payloads, "AUTH");
  awaitAuth(core, sa);
  if (rounds.eap) {
    const refused = auth
      ? refusedProof(core, sa, {
          ...{ id: rounds.id, auth, payloads: rounds.first, message: payloads, eap: rounds.eap },
        })
      : "AUTH is missing";
    const own = refused ?? prove(core, sa, rounds.IDr, rounds.eap);
    if (typeof own === "string") return failed(own);
    return establish(core, sa, request, rounds, own);
  }
  const received = payload(payloads, "EAP");
  const step = received && sa.conversation?.take(eapPacket(received));
  if (!step) return failed("no EAP payload in a later round");
  return step.later ? { later: step.later.then((done) => onEapStep(rounds, done)) } : onEapStep(rounds, step);
}

function onEapStep(rounds: AuthRounds, step: EapStep): Answer {
  if (!step.send) return failed(`EAP: ${step.reason}`);
  if (step.result === "success") rounds.eap = { ...(step.MSK && { MSK: step.MSK }) };
  const answer: Answer = { payloads: [eapPayload(step.send)] };
  return step.result === "failure" ? { ...answer, close: `EAP failed: ${step.reason}` } : answer;
}

/** `own` proves us; the request that says what for is the first, which with EAP is not this one. */
function establish(
  core: Core,
  sa: IkeSa,
  request: IncomingMessage,
  { first: offer, id, admission }: Pick<AuthRounds, "first" | "id" | "admission">,
  own: Payload[],
): Answer {
  sa.remoteIdentity = { type: id.idType, data: id.data };
  sa.authRounds = undefined;
  sa.conversation = undefined;
  sa.state = "established";
  sa.cancelHalfOpen?.();
  core.halfOpen.established(sa);
  sa.local = request.datagram.destination;
  sa.remote = request.datagram.source;
  core.emit({ type: "ike-established", sa });
  onInitialContact(core, sa, offer);
  if (admission) return admit(core, sa, offer, admission, own);
  const childless = isChildless(offer) && acceptsChildless(core);
  const configuration = answerConfiguration(core, sa, offer);
  if (childless) {
    // Who asks for nothing lacks no configuration yet.
    const asked = payload(offer, "CP") !== undefined;
    const error = asked && configuration.error ? [configuration.error] : [];
    return { payloads: [...own, ...configuration.payloads, ...error] };
  }
  const answer: ChildAnswer = configuration.error
    ? { error: configuration.error }
    : answerChild(core, sa, offer, { Ni: sa.Ni, Nr: sa.Nr }, { inAuth: true, nonce: [] });
  if ("payloads" in answer) return { payloads: [...own, ...configuration.payloads, ...answer.payloads] };
  core.emit({ type: "child-failed", sa, reason: `answered with ${notifyText(answer.error)}` });
  if (answer.fatal) return { payloads: [answer.error], close: "INVALID_SYNTAX in IKE_AUTH" };
  const keep = core.decide("Child SA failure in IKE_AUTH", "keep the IKE SA") === "keep the IKE SA";
  return keep
    ? { payloads: [...own, answer.error] }
    : { payloads: [answer.error], close: "Child SA refused" };
}

/** An error beside our proof leaves the IKE SA as it is, unless the answer says otherwise. */
function admit(core: Core, sa: IkeSa, request: Payload[], admission: Admission, own: Payload[]): Answer {
  const { payloads, close } = admission.answer(core, sa, request);
  return close ? { payloads, close } : { payloads: [...own, ...payloads] };
}

function acceptsChildless(core: Core): boolean {
  const manner = core.decide("childless request", "as configured");
  return manner === "accept" || (manner === "as configured" && core.policy.childless !== "never");
}

/** RFC 6023 section 3: neither SA nor traffic selectors; one without the others is malformed. */
const isChildless = (payloads: Payload[]): boolean =>
  !payloads.some((p) => p.kind === "SA" || p.kind === "TS");
