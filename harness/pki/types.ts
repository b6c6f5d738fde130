/** What the harness's CA makes for a run. */
import type { KeyObject } from "node:crypto";

/** The keys it certifies for both ends. */
export const KEY_KINDS = ["rsa2048", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519", "ed448"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** A private key and its certificates in DER: the own one first, then those of the CAs between it and the root. */
export interface Credential {
  key: KeyObject;
  chain: Uint8Array[];
}

/** How a certificate differs from a good one; not set: good. */
export interface CertificateWishes {
  /** Issued by a CA between the root and this one; `missing` leaves that CA's certificate out of the chain. */
  intermediate?: "good" | "missing" | "is no CA" | "expired";
  validity?: "expired" | "not yet valid";
  /** Has a key on a curve that IKE has no use for. */
  key?: "secp256k1";
  /** The names it certifies, instead of the identity asked for. */
  names?: string[];
  /** Key usage without digitalSignature; extended key usage for code signing only. */
  usage?: "no signature" | "code signing";
  /** One bit of the issuer's signature is turned. */
  signature?: "broken";
  /** Signed by a CA of the same name that nobody trusts, or by its own key. */
  issuer?: "unknown" | "itself";
  /** Has an extension that nobody knows and that is marked critical. */
  extension?: "unknown critical";
  /**
   * `huge`: valid, with names that fill 60 KiB. `long chain`: valid, below 100 CAs in a row. `garbage`: octets that
   * begin as a certificate does, and are none.
   */
  bomb?: "huge" | "long chain" | "garbage";
}

export interface Pki {
  /** Certificate of the CA that both ends trust, in DER. */
  ca: Uint8Array;
  /**
   * The same identity, kind of key and wishes give the same octets in every process. Identities are spelled as in
   * configurations, see `harness/ike/identity.ts`.
   */
  credential(identity: string, key: KeyKind, wishes?: CertificateWishes): Promise<Credential>;
}
