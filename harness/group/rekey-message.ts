/** GSA_REKEY messages as a controller makes them: RFC 9838 sections 2.4.1, 2.4.1.1, 2.4.1.2. */
import type { KeyObject } from "node:crypto";
import type { HashName } from "../crypto/hash.ts";
import type { KeyWrap } from "../crypto/key-wrap.ts";
import type { SignatureScheme } from "../crypto/signatures.ts";
import { schemeByName } from "../crypto/signatures.ts";
import { signEcdsa } from "../crypto/signatures-ecdsa.ts";
import type { Random, SuiteTransforms } from "../crypto/types.ts";
import { type Protection, sealMessage } from "../ike/sk.ts";
import { concat } from "../wire/bytes.ts";
import { encodeChain, encodeMessage, firstPayloadType, type Header, type Payload } from "../wire/index.ts";
import { AUTH_METHOD } from "../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { OutgoingRekey } from "./hooks.ts";
import type { RekeyKeys } from "./keys.ts";

/** How the messages of a Rekey SA are authenticated (GCAUTH, section 4.4.2.1.1). */
export type RekeyAuth =
  | "implicit"
  | {
      scheme: SignatureScheme;
      /** DER, as the attribute of GCAUTH has it; AUTH must have the same. */
      algorithmIdentifier: Uint8Array;
      publicKey: KeyObject;
    };

/** A Rekey SA, as controller and members know it. */
export interface RekeySa extends RekeyKeys {
  /** 16 octets. */
  spi: Uint8Array;
  suite: SuiteTransforms;
  kwa: KeyWrap;
  auth: RekeyAuth;
}

/** The controller's end of a Rekey SA. */
export interface RekeySender {
  sa: RekeySa;
  /** Counts the IVs; see {@link rekeyProtection}. */
  protection: Protection;
  /** Not set with implicit authentication. */
  privateKey?: KeyObject;
  random: Random;
  /** Octets of inner payloads per fragment; not set: never in fragments. */
  chunk?: number;
}

/** Attempts to get an ECDSA signature as long as was assumed; each one is lucky about every third time. */
const MOST_ATTEMPTS = 200;
const HASHES: Readonly<Record<number, HashName>> = { 1: "sha1", 2: "sha256", 3: "sha384", 4: "sha512" };

/** GSK_e and GSK_a as the codec of Encrypted payloads takes them, with a fresh count of IVs. */
export function rekeyProtection({ suite, GSK_e, GSK_a }: RekeySa): Protection {
  return { ...suite, SK_e: GSK_e, SK_a: GSK_a, sealed: 0 };
}

/** The datagrams of a message: one, or its fragments. Copies are sent of these very octets. */
export function buildRekey(message: OutgoingRekey, sender: RekeySender): Uint8Array[] {
  const { spi, messageId, flags, payloads, reserved } = message;
  const header: Header = {
    ...{ spiI: spi.subarray(0, 8), spiR: spi.subarray(8, 16), version: 0x20 },
    ...{ exchangeType: EXCHANGE.GSA_REKEY, flags, messageId },
  };
  const all = message.signed ? [...payloads, authOf(message, header, sender)] : payloads;
  const inner = encodeChain(all);
  const type = firstPayloadType(all);
  const { protection, random, chunk } = sender;
  const seal = (part: Uint8Array, first: boolean, fragment?: { number: number; total: number }) =>
    sealMessage(protection, random, header, [], part, first ? type : 0, first ? { reserved } : {}, fragment);
  const datagrams =
    chunk === undefined || inner.length <= chunk
      ? [seal(inner, true)]
      : pieces(inner, chunk).map((part, index, { length: total }) =>
          seal(part, index === 0, { number: index + 1, total }),
        );
  return message.octets ? datagrams.flatMap(message.octets) : datagrams;
}

const pieces = (inner: Uint8Array, chunk: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(inner.length / chunk) }, (_, i) =>
    inner.subarray(i * chunk, (i + 1) * chunk),
  );

/**
 * A | P (section 2.4.1.1): the IKE header and the header of the SK payload as they were if there were no IV, padding,
 * Pad Length and ICV, then the inner payloads with a signature of zeros.
 */
export function rekeySignedOctets(
  header: Header,
  innerType: number,
  skFlags: number,
  inner: Uint8Array,
): Uint8Array {
  const sk: Payload = {
    ...{ kind: "SK", type: PAYLOAD.SK, innerType, data: inner },
    ...{ critical: (skFlags & 0x80) !== 0, reserved: skFlags & 0x7f },
  };
  return encodeMessage({ header, payloads: [sk] });
}

/** AUTH over the whole message. */
function authOf(message: OutgoingRekey, header: Header, sender: RekeySender): Payload {
  const { auth } = sender.sa;
  const chosen = auth === "implicit" ? schemeByName("ed25519") : auth.scheme;
  const identifier =
    message.algorithmIdentifier ??
    (auth === "implicit" ? chosen.algorithmIdentifier : auth.algorithmIdentifier);
  const payload = (signature: Uint8Array): Payload => ({
    ...{ kind: "AUTH", type: PAYLOAD.AUTH, method: AUTH_METHOD.DIGITAL_SIGNATURE },
    data: concat(Uint8Array.of(identifier.length), identifier, signature),
  });
  const covered = (signatureLength: number): Uint8Array => {
    const all = [...message.payloads, payload(new Uint8Array(signatureLength))];
    const octets = rekeySignedOctets(header, firstPayloadType(all), message.reserved ?? 0, encodeChain(all));
    return message.signedOctets?.(octets) ?? octets;
  };
  const signature = signed(chosen, covered, sender);
  return payload(message.signature?.(signature) ?? signature);
}

/** Octets of a signature value; undefined for ECDSA in DER. */
function signatureLength({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): number | undefined {
  if (asymmetricKeyType === "ed25519") return 64;
  if (asymmetricKeyType === "ed448") return 114;
  const bits = asymmetricKeyDetails?.modulusLength;
  return bits === undefined ? undefined : Math.ceil(bits / 8);
}

/**
 * Signs octets that depend on how long the signature is. That is known of all but ECDSA in DER, where another nonce
 * is taken until the length is the one of the attempt before.
 */
function signed(
  scheme: SignatureScheme,
  covered: (signatureLength: number) => Uint8Array,
  { privateKey, random }: RekeySender,
): Uint8Array {
  // Without a key, as for a forger or with implicit authentication, nothing could verify.
  if (!privateKey) return random(64);
  const hash = HASHES[scheme.hash];
  const known = signatureLength(privateKey);
  if (!hash || known !== undefined) return scheme.sign(privateKey, covered(known ?? 0), random);
  let length = 0;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const signature = signEcdsa(hash, privateKey, covered(length), "der", random(32));
    if (signature.length === length) return signature;
    length = signature.length;
  }
  throw new Error("no ECDSA signature of the same length twice");
}
