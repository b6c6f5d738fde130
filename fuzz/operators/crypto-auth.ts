/** Lies about the AUTH payload: made over other octets, by other means, or with another value (RFC 7296 section 2.15). */
import { oldMethods, schemeOfIdentifier } from "../../harness/crypto/signatures.ts";
import { coveredOctets, ownSecret, sharedKeyAuth } from "../../harness/ike/auth/octets.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { AuthInputs } from "../../harness/ike/hooks.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { concat, EMPTY, hex } from "../../harness/wire/bytes.ts";
import { AUTH_METHOD } from "../../harness/wire/registry/auth-methods.ts";
import type { AuthPayload } from "../../harness/wire/types.ts";
import {
  type AuthRow,
  digital,
  identifierIn,
  inputsOf,
  octetsOf,
  ofAuth,
  signatureIn,
} from "./auth-payload.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { repeat } from "./build.ts";
import type { Demand, IkeOperator } from "./operator.ts";

/** Nobody is believed whose AUTH is wrong. */
const byAuth: Demand = { document: "rfc7296", requirement: "IKEV2-001", never: "established" };

/** A value over these octets by the means that made the one in `auth`; undefined where we no longer have them, as after EAP. */
function proofOver(core: Core, sa: IkeSa, auth: AuthPayload, octets: Uint8Array): Uint8Array | undefined {
  const { ownAuth, psk } = core.policy;
  if (ownAuth.method === "psk") return sharedKeyAuth(sa, psk, octets);
  if (ownAuth.method === "null") return sharedKeyAuth(sa, ownSecret(sa, sa.role), octets);
  if (ownAuth.method !== "signature") return undefined;
  const { key } = ownAuth.credential;
  if (auth.method !== AUTH_METHOD.DIGITAL_SIGNATURE)
    return oldMethods
      .find(({ method, fits }) => method === auth.method && fits(key))
      ?.sign(key, octets, core.random);
  const identifier = identifierIn(auth);
  const scheme = schemeOfIdentifier(identifier);
  if (!scheme?.fits(key)) return undefined;
  return digital(identifier, scheme.sign(key, octets, core.random));
}

/** AUTH made again, right but for what it covers. */
const over = (
  name: string,
  effect: string,
  wrong: (inputs: AuthInputs) => Uint8Array | Partial<AuthInputs>,
): AuthRow => ({
  name,
  effect,
  demand: byAuth,
  apply(auth, _change, { core }, { sa }) {
    const inputs = sa && inputsOf(core, sa);
    if (!inputs) return false;
    const bent = wrong(inputs);
    const octets = bent instanceof Uint8Array ? bent : coveredOctets({ ...inputs, ...bent });
    const value = proofOver(core, sa, auth, octets);
    if (!value) return false;
    auth.data = value;
    return true;
  },
});

const initiates = ({ sa }: AuthInputs): boolean => sa.role === "initiator";

const overs: AuthRow[] = [
  over(
    "auth-over-other-message",
    "Makes AUTH over the peer's IKE_SA_INIT message in the place of ours.",
    (inputs) => ({
      message: initiates(inputs) ? inputs.sa.initResponse : inputs.sa.initRequest,
    }),
  ),
  over("auth-over-own-nonce", "Makes AUTH over our nonce in the place of the peer's.", (inputs) => ({
    nonce: initiates(inputs) ? inputs.sa.Ni : inputs.sa.Nr,
  })),
  over("auth-over-other-key", "Makes AUTH with SK_p of the other end.", ({ sa }) => ({
    SK_p: (sa.role === "initiator" ? sa.keys?.SK_pr : sa.keys?.SK_pi) ?? EMPTY,
  })),
  over(
    "auth-over-other-identity",
    "Makes AUTH over an identity that is not the one in the message.",
    ({ idBody }) => ({
      idBody: turnBit(idBody, 8 * (idBody.length - 1)),
    }),
  ),
  over("auth-over-no-identity", "Makes AUTH over everything but the identity.", () => ({ idBody: EMPTY })),
  over("auth-over-nothing", "Makes AUTH over no octets at all.", () => EMPTY),
];

/** Of the value alone, without the identifier in front. */
const proofOf = (auth: AuthPayload): Uint8Array =>
  auth.method === AUTH_METHOD.DIGITAL_SIGNATURE ? signatureIn(auth) : auth.data;

function setValue(auth: AuthPayload, value: Uint8Array): boolean {
  auth.data = auth.method === AUTH_METHOD.DIGITAL_SIGNATURE ? digital(identifierIn(auth), value) : value;
  return true;
}

const values: AuthRow[] = [
  {
    name: "auth-bit",
    effect: "Turns a bit in the last octets of the value in AUTH.",
    demand: byAuth,
    draw: (dice) => ({ value: dice.number(64) }),
    apply(auth, change) {
      const bit = whole(change, 0, 127);
      if (bit === undefined || auth.data.length < 16) return false;
      const from = auth.data.length - 16;
      auth.data = concat(auth.data.subarray(0, from), turnBit(auth.data.subarray(from), bit));
      return true;
    },
  },
  {
    name: "auth-replace",
    effect: "Writes these octets, again and again, in the place of the value in AUTH.",
    demand: byAuth,
    draw: (dice) => ({ octets: hex(anyOctets(dice, 4)) }),
    apply(auth, change) {
      const octets = octetsIn(change);
      if (octets.length === 0 || auth.data.length < 16) return false;
      return setValue(auth, repeat(octets, proofOf(auth).length));
    },
  },
  {
    name: "auth-truncate",
    effect: "Keeps so many of the first octets of the value in AUTH.",
    demand: byAuth,
    draw: (dice, auth) => ({
      value: Math.min(numberOr(dice, [0, 1, 4, 8, 12, 16], 256), Math.max(0, proofOf(auth).length - 1)),
    }),
    apply(auth, change) {
      const value = proofOf(auth);
      const octets = whole(change, 0, value.length - 1);
      return octets !== undefined && setValue(auth, value.subarray(0, octets));
    },
  },
  {
    name: "auth-extend",
    effect: "Puts octets behind the value in AUTH.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 2, 16, 256, 4096]))) }),
    apply(auth, change) {
      const octets = octetsIn(change);
      if (octets.length === 0) return false;
      auth.data = concat(auth.data, octets);
      return true;
    },
  },
  {
    name: "auth-reflect",
    effect: "Gives the peer's own AUTH back.",
    demand: byAuth,
    draw: (_dice, _auth, { isResponse }) => (isResponse ? {} : undefined),
    apply(auth, _change, _context, { request }) {
      const theirs = request?.payloads.find((payload) => payload.kind === "AUTH");
      if (!theirs) return false;
      Object.assign(auth, { method: theirs.method, data: Uint8Array.from(theirs.data) });
      return true;
    },
  },
  {
    name: "auth-secret-wrong",
    effect: "Makes AUTH by a shared secret that the peer does not have.",
    demand: byAuth,
    apply(auth, _change, { core, dice }, { sa }) {
      const octets = sa && octetsOf(core, sa);
      if (!octets || auth.method !== AUTH_METHOD.SHARED_KEY_MIC) return false;
      auth.data = sharedKeyAuth(sa, dice.octets(24), octets);
      return true;
    },
  },
];

const methods: AuthRow[] = [
  {
    name: "auth-method",
    effect: "Says that AUTH was made by another method.",
    draw: (dice, auth) => ({
      value: numberOr(
        dice,
        [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 15, 201, 255].filter((m) => m !== auth.method),
        256,
      ),
    }),
    apply(auth, change) {
      const method = whole(change, 0, 255);
      if (method === undefined || method === auth.method) return false;
      auth.method = method;
      return true;
    },
  },
  {
    name: "auth-null",
    effect: "Makes AUTH by NULL authentication, right in itself, where more is wanted.",
    demand: { document: "rfc7619", requirement: "NULLAUTH-01", never: "established" },
    apply(auth, _change, { core }, { sa }) {
      const octets = sa && octetsOf(core, sa);
      if (!octets || core.policy.ownAuth.method === "null") return false;
      Object.assign(auth, {
        method: AUTH_METHOD.NULL,
        data: sharedKeyAuth(sa, ownSecret(sa, sa.role), octets),
      });
      return true;
    },
  },
  {
    name: "auth-key-of-sa",
    effect: "Makes AUTH by SK_p in the place of the secret, as after an EAP method without key.",
    demand: byAuth,
    apply(auth, _change, { core }, { sa }) {
      const octets = sa && octetsOf(core, sa);
      const { method } = core.policy.ownAuth;
      // After an EAP method without key it would be right (RFC 7296 section 2.16).
      if (core.policy.peerAuth.method === "eap") return false;
      if (!octets || (method !== "psk" && method !== "signature")) return false;
      const data = sharedKeyAuth(sa, ownSecret(sa, sa.role), octets);
      Object.assign(auth, { method: AUTH_METHOD.SHARED_KEY_MIC, data });
      return true;
    },
  },
];

export const authOperators: readonly IkeOperator[] = [...overs, ...values, ...methods].map(ofAuth);
