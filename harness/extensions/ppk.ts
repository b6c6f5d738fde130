/** Postquantum preshared keys in IKE_AUTH: RFC 8784. */
import { type IkeKeys, mixPpk } from "../crypto/keys.ts";
import type { Proof } from "../ike/auth/verify.ts";
import type { Core } from "../ike/core.ts";
import type { Extension } from "../ike/hooks.ts";
import { hasNotify, notifies, notify } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { equal } from "../wire/bytes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { AuthPayload, Payload } from "../wire/types.ts";
import { perIkeSa } from "./per-ike-sa.ts";
import { type PpkNumbers, ppksFor, wayOf } from "./ppk-agreement.ts";

/** What both ends remember until AUTH is settled. */
interface State {
  /** The keys before the PPK was mixed in: SK_d', SK_pi', SK_pr'. */
  primed?: IkeKeys;
}

/** Mixes a PPK into SK_d, SK_pi and SK_pr before AUTH, as far as both ends have it. */
export function ppkInAuth(numbers: PpkNumbers): Extension {
  const stateOf = perIkeSa<State>(() => ({}));
  const agreed = (core: Core, sa: IkeSa): boolean => wayOf(core, sa, numbers) === "IKE_AUTH";
  return {
    name: "ppk",
    proving: (core, sa, make) => {
      if (!agreed(core, sa)) return [];
      if (sa.role === "initiator") return proveWith(core, sa, stateOf(sa), make);
      // The first AUTH of a responder comes before the PPK where EAP follows (section 3).
      return stateOf(sa).primed ? [notify(NOTIFY.PPK_IDENTITY)] : [];
    },
    verifying: (core, sa, proof) => {
      if (!agreed(core, sa)) return undefined;
      return sa.role === "initiator"
        ? verifyResponder(core, sa, stateOf(sa), proof)
        : verifyInitiator(core, sa, stateOf(sa), proof);
    },
  };
}

/** Whether a PPK is mandatory now that both ends announced PPKs: where an end proves nothing else, it is (section 5.2.3). */
function mandatory(core: Core): boolean {
  const { ppkRequired, ownAuth, peerAuth } = core.policy;
  const byNull = ownAuth.method === "null" || peerAuth.method === "null";
  const minds = core.decide("PPK beside NULL authentication", "mandatory") === "mandatory";
  return ppkRequired || (byNull && minds);
}

function mix(core: Core, sa: IkeSa, state: State, { secret }: Ppk): void {
  const { suite, keys } = sa;
  if (!suite || !keys) return;
  state.primed = keys;
  const into = core.decide("a PPK", "into SK_d, SK_pi and SK_pr");
  if (into === "into nothing") return;
  const mixed = (key: Uint8Array) => mixPpk(suite.prf, secret, key);
  const SK_d = into === "not into SK_d" ? keys.SK_d : mixed(keys.SK_d);
  sa.keys = { ...keys, SK_d, SK_pi: mixed(keys.SK_pi), SK_pr: mixed(keys.SK_pr) };
}

/** PPK_IDENTITY, and NO_PPK_AUTH where we could do without. */
function proveWith(
  core: Core,
  sa: IkeSa,
  state: State,
  make: () => AuthPayload | string,
): Payload[] | string {
  const [ppk] = ppksFor(core, core.policy.remoteId);
  if (!ppk) return [];
  const identity = notify(NOTIFY.PPK_IDENTITY, ppk.id);
  const without = mandatory(core) ? undefined : make();
  if (typeof without === "string") return without;
  mix(core, sa, state, ppk);
  return without ? [identity, notify(NOTIFY.NO_PPK_AUTH, without.data)] : [identity];
}

/** Without PPK_IDENTITY in its response the responder did without. */
function verifyResponder(core: Core, sa: IkeSa, { primed }: State, { message }: Proof): string | undefined {
  if (!primed || hasNotify(message, NOTIFY.PPK_IDENTITY)) return undefined;
  const manner = core.decide("response without PPK_IDENTITY", "as configured");
  if (mandatory(core) && manner === "as configured") return "the responder did not use the PPK";
  sa.keys = primed;
  return undefined;
}

/** The table of section 3: uses the PPK if we have it, else NO_PPK_AUTH if we need none. */
function verifyInitiator(core: Core, sa: IkeSa, state: State, proof: Proof): string | undefined {
  const [identity] = notifies(proof.message, NOTIFY.PPK_IDENTITY);
  const [without] = notifies(proof.message, NOTIFY.NO_PPK_AUTH);
  if (!identity && core.decide("request without PPK_IDENTITY", "refuse") === "go on") return undefined;
  if (!identity) return "PPK_IDENTITY is missing";
  const known = ppksFor(core, { type: proof.id.idType, data: proof.id.data });
  const ppk = known.find(({ id }) => equal(id, identity.data));
  if (ppk) return void mix(core, sa, state, ppk);
  if (!without || mandatory(core)) return "no PPK of this PPK_ID";
  proof.auth = { ...proof.auth, data: without.data };
  return undefined;
}
