/** Lies about signatures in AUTH: the AlgorithmIdentifier in front, and the encoding of the digest (RFC 7427, RFC 8017). */
import { constants, createHash, type KeyObject, privateEncrypt } from "node:crypto";
import { pkcs1Identifier } from "../../harness/crypto/signatures-identifier.ts";
import { concat, EMPTY, fromHex, plain } from "../../harness/wire/bytes.ts";
import { AUTH_METHOD } from "../../harness/wire/registry/auth-methods.ts";
import {
  type AuthRow,
  digital,
  identifierIn,
  isDigital,
  octetsOf,
  ofAuth,
  signatureIn,
} from "./auth-payload.ts";
import { numberOr, whole } from "./bend.ts";
import type { Demand, IkeOperator } from "./operator.ts";

const bySignature: Demand = { document: "rfc7427", requirement: "SIGAUTH-29", never: "established" };

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

const digitals: AuthRow[] = [
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

const raw: AuthRow = {
  name: "auth-digest-encoding",
  effect: "Signs by RSA what is no right encoding of the digest.",
  demand: bySignature,
  draw: (dice, auth) =>
    isDigital(auth) || auth.method === AUTH_METHOD.RSA_DIGITAL_SIGNATURE
      ? { at: dice.pick(Object.keys(encodings)) }
      : undefined,
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

export const signatureOperators: readonly IkeOperator[] = [...digitals, raw].map(ofAuth);
