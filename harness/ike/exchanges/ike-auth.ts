/** IKE_AUTH with a shared secret: RFC 7296 sections 1.2, 2.15, 2.21.2. */
import { pskAuth, signedOctets } from "../../crypto/keys.ts";
import { concat, EMPTY, equal } from "../../wire/bytes.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { AuthPayload, IdPayload, Payload } from "../../wire/types.ts";
import type { ChildSa } from "../child.ts";
import type { Core } from "../core.ts";
import type { IncomingMessage } from "../hooks.ts";
import { errorNotify, notify, payload } from "../payloads.ts";
import type { Identity } from "../policy.ts";
import type { IkeSa } from "../sa.ts";
import { sendRequest } from "../send.ts";
import {
  acceptChild,
  answerChild,
  type ChildWishes,
  disownChild,
  modeNotifies,
  offerChild,
  offerTs,
} from "./child.ts";
import { saPayload } from "./ike-sa-init.ts";

const idPayload = (type: number, id: Identity): IdPayload => ({
  kind: "ID",
  type,
  idType: id.type,
  data: id.data,
});

/** RestOfIDPayload: type, reserved octets as they came, data. */
function idBody(id: IdPayload): Uint8Array {
  const reserved = id.reserved3 ?? 0;
  return concat(
    Uint8Array.of(id.idType, (reserved >> 16) & 255, (reserved >> 8) & 255, reserved & 255),
    id.data,
  );
}

/** The AUTH value the SA's initiator or responder must send under the shared secret. */
export function authValue(
  sa: IkeSa,
  psk: Uint8Array,
  of: "initiator" | "responder",
  id: IdPayload,
): Uint8Array {
  const { prf } = sa.suite ?? {};
  if (!prf || !sa.keys) return EMPTY;
  const octets =
    of === "initiator"
      ? signedOctets(sa.initRequest, sa.Nr, prf, sa.keys.SK_pi, idBody(id))
      : signedOctets(sa.initResponse, sa.Ni, prf, sa.keys.SK_pr, idBody(id));
  return pskAuth(prf, psk, octets);
}

const authPayload = (data: Uint8Array): AuthPayload => ({
  kind: "AUTH",
  type: PAYLOAD.AUTH,
  method: AUTH_METHOD.SHARED_KEY_MIC,
  data,
});

/** Why the peer's ID and AUTH are not accepted; undefined if they are. */
function refused(
  core: Core,
  sa: IkeSa,
  id: IdPayload | undefined,
  auth: AuthPayload | undefined,
): string | undefined {
  if (!id || !auth) return "ID or AUTH is missing";
  const { remoteId, psk } = core.policy;
  const known = id.idType === remoteId.type && equal(id.data, remoteId.data);
  if (!known && core.decide("wrong identity", "refuse") === "refuse")
    return "no shared secret for this identity";
  const peer = sa.role === "initiator" ? "responder" : "initiator";
  const right = auth.method === AUTH_METHOD.SHARED_KEY_MIC && equal(auth.data, authValue(sa, psk, peer, id));
  if (!right && core.decide("wrong AUTH", "refuse") === "refuse") return "AUTH does not verify";
  return undefined;
}

export interface AuthOutcome {
  child?: ChildSa;
  /** Why there is no IKE SA. */
  failure?: string;
  /** Why there is an IKE SA without a Child SA. */
  childFailure?: string;
}

/** Sends IKE_AUTH with the first Child SA. */
export function startAuth(
  core: Core,
  sa: IkeSa,
  wishes: ChildWishes,
  done: (outcome: AuthOutcome) => void,
): void {
  sa.state = "authenticating";
  const id = idPayload(PAYLOAD.IDi, core.policy.localId);
  const offer = offerChild(core, wishes, core.policy.esp);
  const payloads: Payload[] = [
    id,
    idPayload(PAYLOAD.IDr, core.policy.remoteId),
    authPayload(authValue(sa, core.policy.psk, "initiator", id)),
    ...modeNotifies(offer.mode),
    saPayload(offer.proposals),
    ...offerTs(offer),
  ];
  sendRequest(core, sa, EXCHANGE.IKE_AUTH, payloads, (response) => {
    if (!response) return done({ failure: "no answer to IKE_AUTH" });
    const failure = acceptAuth(core, sa, response);
    if (failure) return done({ failure });
    sa.state = "established";
    core.emit({ type: "ike-established", sa });
    const child = acceptChild(core, sa, offer, response.payloads, { Ni: sa.Ni, Nr: sa.Nr });
    if (typeof child !== "string") return done({ child });
    core.emit({ type: "child-failed", sa, reason: child });
    if (core.decide("Child SA failure in IKE_AUTH", "keep the IKE SA") !== "keep the IKE SA")
      core.closeIke(sa, child);
    else disownChild(core, sa, offer, response.payloads);
    done({ childFailure: child });
  });
}

/** Why there is no IKE SA; it is closed then, or will be once the peer knows. */
function acceptAuth(core: Core, sa: IkeSa, response: IncomingMessage): string | undefined {
  const id = payload(response.payloads, "ID", PAYLOAD.IDr);
  const auth = payload(response.payloads, "AUTH");
  const error = errorNotify(response.payloads);
  if (error && !auth) {
    const reason = `IKE_AUTH was refused with notify ${error.notifyType}`;
    core.closeIke(sa, reason);
    return reason;
  }
  const failure = refused(core, sa, id, auth);
  if (failure) {
    // Section 2.21.2. The responder takes the SA for established: it must hear of this, even if a datagram gets lost.
    sendRequest(core, sa, EXCHANGE.INFORMATIONAL, [notify(NOTIFY.AUTHENTICATION_FAILED)], () =>
      core.closeIke(sa, failure),
    );
    return failure;
  }
  sa.remoteIdentity = id && { type: id.idType, data: id.data };
  return undefined;
}

/** Answers IKE_AUTH; `close` says why the SA must go once the answer is sent. */
export function onAuthRequest(
  core: Core,
  sa: IkeSa,
  request: IncomingMessage,
): { payloads: Payload[]; close?: string } {
  const id = payload(request.payloads, "ID", PAYLOAD.IDi);
  const failure = refused(core, sa, id, payload(request.payloads, "AUTH"));
  if (failure) return { payloads: [notify(NOTIFY.AUTHENTICATION_FAILED)], close: failure };
  sa.remoteIdentity = id && { type: id.idType, data: id.data };
  sa.state = "established";
  sa.cancelHalfOpen?.();
  core.halfOpen.established(sa);
  sa.local = request.datagram.destination;
  sa.remote = request.datagram.source;
  core.emit({ type: "ike-established", sa });
  const idr = idPayload(PAYLOAD.IDr, core.policy.localId);
  const own = [idr, authPayload(authValue(sa, core.policy.psk, "responder", idr))];
  const answer = answerChild(
    core,
    sa,
    request.payloads,
    { Ni: sa.Ni, Nr: sa.Nr },
    { inAuth: true, nonce: [] },
  );
  if ("child" in answer) return { payloads: [...own, ...answer.payloads] };
  core.emit({ type: "child-failed", sa, reason: `notify ${answer.error.notifyType}` });
  if (answer.fatal) return { payloads: [answer.error], close: "INVALID_SYNTAX in IKE_AUTH" };
  const keep = core.decide("Child SA failure in IKE_AUTH", "keep the IKE SA") === "keep the IKE SA";
  return {
    payloads: keep ? [...own, answer.error] : [answer.error],
    close: keep ? undefined : "Child SA refused",
  };
}
