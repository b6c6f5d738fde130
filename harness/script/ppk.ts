/** PPKs as a test sees them: RFC 8784. */
import type { PeerRole, PpkSpec } from "../../peers/contract.ts";
import type { IkeKeys } from "../crypto/keys.ts";
import { authOctets, sharedKeyAuth } from "../ike/auth/octets.ts";
import { hasNotify, notifies, payload } from "../ike/payloads.ts";
import type { Policy, Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat, equal, hex } from "../wire/bytes.ts";
import { AUTH_METHOD } from "../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PPK_ID } from "../wire/registry/notify-data.ts";
import { NOTIFY, notifyTypes } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";
import { expectNoNotify, expectNotify, expectServed, listPayloads, require } from "./expectations.ts";
import { beginner } from "./intermediate.ts";
import { expectRefusedByResponder, type Spoil } from "./refusals.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** What the peers of these tests are told, in the alphabet of base64. */
export const SHARED_PPK: PpkSpec = {
  id: "bakeoff/ppk+1",
  secret: "oB3mJc0p6N2yYt8kq5Zs7Vw1xUeRfDgHiLaQnTzXvC4=",
};

/** A PPK_ID. */
export const ppkId = (text: string, type: number = PPK_ID.FIXED): Uint8Array =>
  concat(Uint8Array.of(type), new TextEncoder().encode(text));

/** A PPK that no peer has. */
export const UNKNOWN_PPK: Ppk = {
  id: ppkId("nobody/has+this"),
  secret: new TextEncoder().encode("a secret that nobody has"),
};

/** The payloads that the peer's IKE_SA_INIT messages had, in order. */
export const peersInits = (s: Script, peer: PeerRole): Payload[][] =>
  s.trace
    .exchangesOf(EXCHANGE.IKE_SA_INIT, beginner(peer))
    .flatMap(({ request, response }) => (peer === "initiator" ? request : (response ?? [])))
    .map(({ payloads }) => payloads);

/** Ends the test as unsupported if the peer did not say USE_PPK, although it was told of a PPK. */
export function needPpk(s: Script, peer: PeerRole): void {
  const inits = peersInits(s, peer);
  if (inits.length === 0) throw new Failure("an IKE_SA_INIT message of the peer", s.lastReason());
  const said = inits.some((payloads) => hasNotify(payloads, NOTIFY.USE_PPK));
  if (!said) throw new Unsupported("the peer did not say USE_PPK");
}

/** The last exchange whose request has AUTH. */
function lastAuth(s: Script, peer: PeerRole): Exchange {
  const found = s.trace
    .exchangesOf(EXCHANGE.IKE_AUTH, beginner(peer))
    .findLast(({ request }) => payload(request.payloads, "AUTH"));
  if (!found) throw new Failure("an IKE_AUTH request with AUTH", s.lastReason());
  return found;
}

/** The payloads of the last request with AUTH, and of its response. */
export function authPayloads(s: Script, peer: PeerRole): { request: Payload[]; response: Payload[] } {
  const { request, response } = lastAuth(s, peer);
  return { request: request.payloads, response: response?.payloads ?? [] };
}

/** Fails unless the notify is there once, with Protocol ID 0, no SPI and, where named, these data. */
export function expectPpkNotify(payloads: Payload[], notifyType: number, data?: Uint8Array): void {
  expectNotify({ payloads }, notifyType);
  const [found, ...more] = notifies(payloads, notifyType);
  const text = (octets: Uint8Array | undefined) => (octets && hex(octets)) || "none";
  require(more.length === 0, "one such notify", `${more.length + 1}`);
  require(found?.protocolId === 0 && found.spi.length === 0, "Protocol ID 0 and no SPI", listPayloads({
    payloads,
  }));
  const name = notifyTypes.nameOf(notifyType);
  if (data) require(text(found.data) === text(data), `${name} with data ${text(data)}`, text(found.data));
}

/** An IKE SA whose keys have a PPK in them: both ends say so, and traffic passes under those keys. */
export async function expectPpkUsed(s: Script, peer: PeerRole): Promise<Session> {
  const session = await s.establish(peer);
  expectPpkNamed(s, peer);
  await session.proveTraffic();
  return session;
}

/** Fails unless the last messages with AUTH have PPK_IDENTITY; that of the request has to name a PPK of ours. */
function expectPpkNamed(s: Script, peer: PeerRole): void {
  needPpk(s, peer);
  const { request, response } = authPayloads(s, peer);
  expectNotify({ payloads: request }, NOTIFY.PPK_IDENTITY);
  const ids = s.policy.ppks.map(({ id }) => id);
  const named = notifies(request, NOTIFY.PPK_IDENTITY).map(({ data }) => data);
  const known = named.some((data) => ids.some((id) => equal(id, data)));
  require(known, `PPK_IDENTITY with ${ids.map(hex).join(" or ")}`, named.map(hex).join(", "));
  expectNotify({ payloads: response }, NOTIFY.PPK_IDENTITY);
}

/** The peer, as initiator, gets what it must refuse, as the test says. Then it begins anew, and uses the PPK. */
export async function expectResponderRefused(s: Script, refusal: () => Promise<void>): Promise<void> {
  try {
    await refusal();
  } finally {
    needPpk(s, "initiator");
  }
  await expectServed(s);
  expectPpkNamed(s, "initiator");
}

/** An IKE SA without a PPK: no PPK_IDENTITY in the response, and traffic under the ordinary keys. */
export async function expectNoPpkUsed(s: Script, peer: PeerRole): Promise<Session> {
  const session = await s.establish(peer);
  const { response } = authPayloads(s, peer);
  require(!hasNotify(response, NOTIFY.PPK_IDENTITY), "no PPK_IDENTITY", listPayloads({
    payloads: response,
  }));
  await session.proveTraffic();
  return session;
}

/**
 * Fails unless the peer goes on without a PPK when we name one that nobody has, or says AUTHENTICATION_FAILED, which the
 * MAY of section 3 allows; with the right PPK it serves us then.
 */
export async function expectNoPpkOrRefusal(s: Script): Promise<void> {
  const undo = withPolicy({ ppks: [UNKNOWN_PPK] })(s);
  const { sa, failure } = await s.tryDial();
  needPpk(s, "responder");
  const { response } = authPayloads(s, "responder");
  expectNoNotify({ payloads: response }, NOTIFY.PPK_IDENTITY);
  if (hasNotify(response, NOTIFY.AUTHENTICATION_FAILED) && !payload(response, "AUTH")) {
    undo();
    await expectPpkUsed(s, "responder");
    return s.tolerate("refuses an unknown PPK, though it could go on with NO_PPK_AUTH (section 3)");
  }
  require(failure === undefined, "an IKE SA without a PPK, or N(AUTHENTICATION_FAILED)", failure ?? "");
  await new Session(s, sa).proveTraffic();
}

/** Has our end believe something else until the returned function is called. */
export const withPolicy =
  (changes: Partial<Policy>): Spoil =>
  ({ policy }) => {
    const before = { ...policy };
    Object.assign(policy, changes);
    return () => void Object.assign(policy, before);
  };

/** IKE_SA_INIT and IKE_AUTH, whatever comes of it: soon over if the peer leaves a request of ours alone and serves a stranger. */
async function dialImpatiently(s: Script): Promise<void> {
  const { sa, failure } = await s.tryInit();
  if (failure !== undefined) return;
  let over = false;
  const answers = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "us").filter((e) => e.response).length;
  s.host.endpoint.auth(sa, {}, () => {
    over = true;
  });
  s.host.settle();
  // EAP has several rounds, each with a wait of its own.
  for (let seen = -1; !over && answers() > seen; ) {
    seen = answers();
    await s.untilAnswered(() => over || answers() > seen, 5 * s.arena.quiet);
  }
}

/**
 * The peer, as responder, refuses our IKE_AUTH with AUTHENTICATION_FAILED, as section 3 demands. Without what is spoilt
 * the same peer uses the PPK. INVALID_SYNTAX does as well where the spoilt PPK_ID is `malformed`.
 */
export async function expectPpkRefused(s: Script, spoil: Spoil, malformed = false): Promise<void> {
  s.decide("unprotected error notify", "give up");
  const undo = spoil(s);
  await dialImpatiently(s);
  needPpk(s, "responder");
  const { response } = lastAuth(s, "responder");
  expectNotify(response, NOTIFY.AUTHENTICATION_FAILED, ...(malformed ? [NOTIFY.INVALID_SYNTAX] : []));
  require(!payload(response?.payloads ?? [], "AUTH"), "no AUTH beside the error", listPayloads(response));
  undo();
  await expectPpkUsed(s, "responder");
}

/**
 * The peer, as responder, knows our PPK_ID or does without a PPK, but our proof is wrong. It refuses that as it refuses
 * any (RFC 7296 section 2.21.2). With the right proof it uses the PPK.
 */
export async function expectWrongProofRefused(s: Script, spoil: Spoil): Promise<void> {
  try {
    await expectRefusedByResponder(s, spoil);
  } finally {
    needPpk(s, "responder");
  }
  expectPpkNamed(s, "responder");
}

/** The peer begins and is to go on without a PPK, after NO_PPK_AUTH that we can verify; traffic proves that it does. */
export async function expectNoPpkAuth(s: Script): Promise<void> {
  s.policy.ppks = [UNKNOWN_PPK];
  let session: Session;
  try {
    session = await s.accept();
  } finally {
    needPpk(s, "initiator");
    expectPpkNotify(authPayloads(s, "initiator").request, NOTIFY.NO_PPK_AUTH);
  }
  await session.proveTraffic();
}

const ownIdType = (sa: IkeSa | undefined): number => (sa?.role === "initiator" ? PAYLOAD.IDi : PAYLOAD.IDr);

/** The AUTH of our end is made with the keys as they were before the PPK, until the returned function is called. */
export const authWithoutPpk: Spoil = (s) => {
  const old = new WeakMap<IkeSa, IkeKeys>();
  let over = false;
  s.extensions.push({
    name: "AUTH without the PPK",
    afterIkeKeys: (sa, keys) => void old.set(sa, { ...keys }),
    authOctets: (inputs) => {
      const { sa, of } = inputs;
      const keys = old.get(sa);
      if (!over && keys && of === sa.role) inputs.SK_p = of === "initiator" ? keys.SK_pi : keys.SK_pr;
    },
    outgoing: ({ sa, payloads }, core) => {
      const keys = sa && old.get(sa);
      const [auth, id] = [payload(payloads, "AUTH"), payload(payloads, "ID", ownIdType(sa))];
      if (over || !sa || !keys || !id || auth?.method !== AUTH_METHOD.NULL) return;
      const secret = sa.role === "initiator" ? keys.SK_pi : keys.SK_pr;
      auth.data = sharedKeyAuth(sa, secret, authOctets(sa, sa.role, id, core));
    },
  });
  return () => {
    over = true;
  };
};

/** Leaves these notifies out of our messages of an exchange type, until the returned function is called. */
export const withoutNotifies =
  (exchangeType: number, which: "request" | "response", ...types: number[]): Spoil =>
  (s) =>
    s.change(
      exchangeType,
      (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || !types.includes(p.notifyType),
        );
      },
      which,
    );

/** Changes the data of a notify in our messages of an exchange type, until the returned function is called. */
export const withNotifies =
  (
    exchangeType: number,
    which: "request" | "response",
    notifyType: number,
    change: (data: Uint8Array) => Uint8Array,
  ): Spoil =>
  (s) =>
    s.change(
      exchangeType,
      ({ payloads }) => {
        for (const found of notifies(payloads, notifyType)) found.data = change(found.data);
      },
      which,
    );

/** Turns the last bit. */
export const flipped = (data: Uint8Array): Uint8Array =>
  data.map((octet, i) => (i === data.length - 1 ? octet ^ 1 : octet));

/** Turns one bit of a notify in our IKE_AUTH requests. */
export const flipNotify = (notifyType: number): Spoil =>
  withNotifies(EXCHANGE.IKE_AUTH, "request", notifyType, flipped);

/** Several of them at once. */
export const together =
  (...spoils: Spoil[]): Spoil =>
  (s) => {
    const undo = spoils.map((spoil) => spoil(s));
    return () => {
      for (const end of undo) end();
    };
  };
