/** Lies about the AUTH payload: made over other octets, by other means, or in another encoding (RFC 7296 section 2.15, RFC 7427). */
import { constants, createHash, type KeyObject, privateEncrypt } from "node:crypto";
import { signedOctets } from "../../harness/crypto/keys.ts";
import { oldMethods, schemeOfIdentifier } from "../../harness/crypto/signatures.ts";
import { pkcs1Identifier } from "../../harness/crypto/signatures-identifier.ts";
import { ownSecret, sharedKeyAuth } from "../../harness/ike/auth/octets.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { AuthInputs, OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { concat, EMPTY, equal, fromHex, hex, plain } from "../../harness/wire/bytes.ts";
import { AUTH_METHOD } from "../../harness/wire/registry/auth-methods.ts";
import type { AuthPayload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { anyOctets, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import type { Demand, Draft, IkeOperator, LieContext } from "./operator.ts";

/** Nobody is believed whose AUTH is wrong. */
const byAuth: Demand = { document: "rfc7296", requirement: "IKEV2-001", never: "established" };
const bySignature: Demand = { document: "rfc7427", requirement: "SIGAUTH-29", never: "established" };

interface Row {
  name: string;
  effect: string;
  demand?: Demand;
  /** Not set: a change without values. */
  draw?(dice: Dice, auth: AuthPayload, message: OutgoingMessage): Draft | undefined;
  apply(auth: AuthPayload, change: Draft, context: LieContext, message: OutgoingMessage): boolean;
}

const authOf = ({ payloads }: OutgoingMessage): AuthPayload | undefined =>
  payloads.find((payload) => payload.kind === "AUTH");

/** An operator on the AUTH payload of a message. */
const ofAuth = ({ draw, apply, ...row }: Row): IkeOperator => ({
  ...row,
  on: "ike",
  family: "crypto",
  draw(message, dice) {
    const auth = authOf(message);
    return auth && (draw ? draw(dice, auth, message) : {});
  },
  apply(message, change, context) {
    const auth = authOf(message);
    const changed = auth && { ...auth };
    if (!changed || !apply(changed, change, context, message)) return false;
    if (changed.method === auth.method && equal(changed.data, auth.data)) return false;
    message.payloads = message.payloads.map((payload) => (payload === auth ? changed : payload));
    return true;
  },
});

/** What our AUTH covers, as the extensions have it; undefined where there are no keys or no identity. */
function inputsOf(core: Core, sa: IkeSa): AuthInputs | undefined {
  const { keys } = sa;
  if (!keys) return undefined;
  const initiator = sa.role === "initiator";
  const { type, data } = core.policy.localId;
  const inputs: AuthInputs = {
    ...{ sa, of: sa.role },
    message: initiator ? sa.initRequest : sa.initResponse,
    nonce: initiator ? sa.Nr : sa.Ni,
    SK_p: initiator ? keys.SK_pi : keys.SK_pr,
    idBody: concat(Uint8Array.of(type, 0, 0, 0), data),
  };
  for (const extension of core.options.extensions) extension.authOctets?.(inputs);
  return inputs;
}

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

/** Authentication data of RFC 7427 section 3. */
const digital = (identifier: Uint8Array, signature: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(identifier.length), identifier, signature);

const identifierIn = ({ data }: AuthPayload): Uint8Array => data.subarray(1, 1 + (data[0] ?? 0));
const signatureIn = ({ data }: AuthPayload): Uint8Array => data.subarray(1 + (data[0] ?? 0));

/** AUTH made again, right but for what it covers. */
const over = (
  name: string,
  effect: string,
  wrong: (inputs: AuthInputs) => Uint8Array | Partial<AuthInputs>,
): Row => ({
  name,
  effect,
  demand: byAuth,
  apply(auth, _change, { core }, { sa }) {
    const inputs = sa && inputsOf(core, sa);
    const prf = sa?.suite?.prf;
    if (!inputs || !prf) return false;
    const bent = wrong(inputs);
    const {
      message,
      nonce,
      SK_p,
      idBody,
      IntAuth = EMPTY,
    } = { ...inputs, ...(bent instanceof Uint8Array ? {} : bent) };
    const octets =
      bent instanceof Uint8Array ? bent : concat(signedOctets(message, nonce, prf, SK_p, idBody), IntAuth);
    const value = proofOver(core, sa, auth, octets);
    if (!value) return false;
    auth.data = value;
    return true;
  },
});

const initiates = ({ sa }: AuthInputs): boolean => sa.role === "initiator";

const overs: Row[] = [
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

const values: Row[] = [
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
      return setValue(
        auth,
        proofOf(auth).map((_, at) => octets[at % octets.length] ?? 0),
      );
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

/** InitiatorSignedOctets or ResponderSignedOctets of ours. */
function octetsOf(core: Core, sa: IkeSa): Uint8Array | undefined {
  const inputs = inputsOf(core, sa);
  if (!inputs || !sa.suite) return undefined;
  const { message, nonce, SK_p, idBody, IntAuth = EMPTY } = inputs;
  return concat(signedOctets(message, nonce, sa.suite.prf, SK_p, idBody), IntAuth);
}

const methods: Row[] = [
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
    effect: "Makes AUTH by NULL authentication (RFC 7619), right in itself, where more is wanted.",
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

const isDigital = ({ method, data }: AuthPayload): boolean =>
  method === AUTH_METHOD.DIGITAL_SIGNATURE && data.length > 1;

/** AlgorithmIdentifiers by name: right ones of other algorithms, and such as DER does not allow. */
const identifiers: Readonly<Record<string, (honest: Uint8Array) => Uint8Array>> = {
  empty: () => EMPTY,
  "ecdsa-sha256": () => fromHex("300a06082a8648ce3d040302"),
  ed25519: () => fromHex("300506032b6570"),
  "rsa-sha1": () => pkcs1Identifier("sha1", "null"),
  "rsa-sha256": () => pkcs1Identifier("sha256", "null"),
  md5: () => fromHex("300d06092a864886f70d0101040500"),
  unknown: () => fromHex("300606042a030405"),
  "pss by default": () => fromHex("300d06092a864886f70d01010a3000"),
  "no parameters": (honest) => withLength(honest.subarray(0, -2)),
  "long length": (honest) => concat(Uint8Array.of(0x30, 0x81), honest.subarray(1)),
  "indefinite length": (honest) => concat(Uint8Array.of(0x30, 0x80), honest.subarray(2), Uint8Array.of(0, 0)),
  "length beyond": (honest) => concat(Uint8Array.of(0x30, 0x7f), honest.subarray(2)),
  "huge length": (honest) => concat(fromHex("3084ffffffff"), honest.subarray(2)),
  "octets behind": (honest) => concat(honest, Uint8Array.of(5, 0)),
  cut: (honest) => honest.subarray(0, honest.length >> 1),
  deep: () => fromHex("3080".repeat(120)),
};

const withLength = (der: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(0x30, Math.max(0, der.length - 2)), der.subarray(2));

const digitals: Row[] = [
  {
    name: "auth-identifier",
    effect: "Puts another AlgorithmIdentifier in front of the signature, or one that is no DER.",
    draw: (dice, auth) => (isDigital(auth) ? { at: dice.pick(Object.keys(identifiers)) } : undefined),
    apply(auth, { at = "" }) {
      if (!isDigital(auth) || !Object.hasOwn(identifiers, at)) return false;
      const identifier = identifiers[at]?.(identifierIn(auth)) ?? EMPTY;
      auth.data = digital(identifier.subarray(0, 255), signatureIn(auth));
      return true;
    },
  },
  {
    name: "auth-identifier-length",
    effect: "Writes another length in front of the AlgorithmIdentifier.",
    demand: bySignature,
    draw: (dice, auth) => (isDigital(auth) ? { value: numberOr(dice, [0, 1, 2, 254, 255], 256) } : undefined),
    apply(auth, change) {
      const length = whole(change, 0, 255);
      if (length === undefined || !isDigital(auth) || length === auth.data[0]) return false;
      auth.data = concat(Uint8Array.of(length), auth.data.subarray(1));
      return true;
    },
  },
];

/** DigestInfo of SHA-256 over these octets (RFC 8017 section 9.2). */
const digestInfo = (octets: Uint8Array): Uint8Array =>
  concat(fromHex("3031300d060960864801650304020105000420"), sha256(octets));
const sha256 = (octets: Uint8Array): Uint8Array => plain(createHash("sha256").update(octets).digest());

/** 0 1 ff... 0 and the rest; as many ff as fit. */
const padded = (info: Uint8Array, size: number, pad = size - 3 - info.length): Uint8Array =>
  concat(Uint8Array.of(0, 1), new Uint8Array(Math.max(0, pad)).fill(0xff), Uint8Array.of(0), info);

/** Encodings of a digest that EMSA-PKCS1-v1_5 does not make, of exactly `size` octets. */
const encodings: Readonly<Record<string, (octets: Uint8Array, size: number) => Uint8Array>> = {
  "no DigestInfo": (octets, size) => padded(sha256(octets), size),
  "other algorithm in DigestInfo": (octets, size) =>
    padded(concat(fromHex("3031300d060960864801650304020205000420"), sha256(octets)), size),
  "octets behind the digest": (octets, size) =>
    concat(padded(digestInfo(octets), size, 8), new Uint8Array(size)),
  "octets in the parameters": (octets, size) => {
    const filler = new Uint8Array(Math.max(0, Math.min(100, size - 80)));
    const oid = fromHex("0609608648016503040201");
    const algorithm = concat(
      Uint8Array.of(0x30, oid.length + 2 + filler.length, ...oid, 4, filler.length),
      filler,
    );
    const info = concat(algorithm, Uint8Array.of(4, 32), sha256(octets));
    return padded(concat(Uint8Array.of(0x30, 0x81, info.length), info), size);
  },
  "padding of another kind": (octets, size) =>
    padded(digestInfo(octets), size).map((octet, at) => (at === 1 ? 2 : octet)),
  "digest alone": (octets, size) => concat(new Uint8Array(Math.max(0, size - 32)), sha256(octets)),
};

/** A raw RSA signature of these octets; undefined if they are no number below the modulus. */
function rawRsa(key: KeyObject, encoded: Uint8Array): Uint8Array | undefined {
  try {
    return plain(privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded));
  } catch {
    return undefined;
  }
}

const raw: Row = {
  name: "auth-digest-encoding",
  effect: "Signs by RSA what is no right encoding of the digest.",
  demand: bySignature,
  draw: (dice, auth) =>
    isDigital(auth) || auth.method === 1 ? { at: dice.pick(Object.keys(encodings)) } : undefined,
  apply(auth, { at = "" }, { core }, { sa }) {
    const own = core.policy.ownAuth;
    const octets = sa && octetsOf(core, sa);
    if (!octets || own.method !== "signature" || !Object.hasOwn(encodings, at)) return false;
    const { key } = own.credential;
    const bits = key.asymmetricKeyType === "rsa" ? key.asymmetricKeyDetails?.modulusLength : undefined;
    if (bits === undefined) return false;
    const signature = rawRsa(key, encodings[at]?.(octets, bits / 8).subarray(0, bits / 8) ?? EMPTY);
    if (!signature) return false;
    auth.data = isDigital(auth) ? digital(pkcs1Identifier("sha256", "null"), signature) : signature;
    return true;
  },
};

export const authOperators: readonly IkeOperator[] = [...overs, ...values, ...methods, ...digitals, raw].map(
  ofAuth,
);
