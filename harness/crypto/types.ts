/** Source of random octets; injected everywhere so that a run can be repeated from its seed. */
export type Random = (octets: number) => Uint8Array;

/** An encryption transform (type 1). Sizes in octets. */
export interface Encr {
  id: number;
  name: string;
  /** AEAD ciphers carry their own ICV, and take no integrity transform. */
  aead: boolean;
  /** KEYMAT taken per direction: cipher key, then salt or nonce. */
  keyLength: number;
  saltLength: number;
  /** Of the IV that travels in the packet. */
  ivLength: number;
  /** True where the IV is the 64-bit sequence number, which ESP alone has, and does not travel (RFC 8750). */
  implicitIv?: boolean;
  /** Plaintext is padded to a multiple of this (1: none needed). */
  blockSize: number;
  /** ICV of an AEAD cipher; 0 for the others. */
  icvLength: number;
  /** True where the IV must be unpredictable (CBC); else a counter is right. */
  randomIv: boolean;
  /**
   * Returns ciphertext, for AEAD followed by the ICV. `key` is KEYMAT with the salt at its end. `aad` is ignored by
   * non-AEAD ciphers. A cipher may write into `target`, of exactly the size of the result, and return that.
   */
  seal(
    key: Uint8Array,
    iv: Uint8Array,
    plaintext: Uint8Array,
    aad: Uint8Array,
    target?: Uint8Array,
  ): Uint8Array;
  /** Returns the plaintext; undefined if the ICV of an AEAD cipher is wrong or the size is no multiple of the block. */
  open(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Uint8Array | undefined;
}

/** An integrity transform (type 3). */
export interface Integ {
  id: number;
  name: string;
  keyLength: number;
  icvLength: number;
  /** The ICV, truncated to `icvLength`. */
  compute(key: Uint8Array, data: Uint8Array): Uint8Array;
}

/** A pseudo-random function (type 2). */
export interface Prf {
  id: number;
  name: string;
  /** Preferred key size; SK_d, SK_pi and SK_pr have it. */
  keyLength: number;
  outputLength: number;
  compute(key: Uint8Array, data: Uint8Array): Uint8Array;
}

/** Why a peer's public value was refused (RFC 6989, RFC 8031). */
export interface KeError {
  error: "length" | "range" | "off-curve" | "zero-secret";
  reason: string;
}

export interface KeyPair {
  /** What goes into our KE payload: a public value, the encapsulation key or the ciphertext of a KEM. */
  publicValue: Uint8Array;
  /** The shared secret g^ir in the form SKEYSEED wants it, or why the peer's value is refused. */
  derive(peerPublic: Uint8Array): Uint8Array | KeError;
}

/** A key exchange method (type 4). */
export interface Ke {
  id: number;
  name: string;
  /** Octets of the public value; of a KEM, of the initiator's, its encapsulation key. */
  publicLength: number;
  /** Octets of the responder's public value where it differs: the ciphertext of a KEM. */
  responseLength?: number;
  sharedLength: number;
  /** Either side's key pair; of a KEM the initiator's, whose `derive` takes the ciphertext. */
  generate(random: Random): KeyPair;
  /**
   * KEMs only: the responder's end. `publicValue` is the ciphertext for the encapsulation key `peerPublic`, and
   * `derive` gives the secret whatever it is called with. For a key that is refused `publicValue` is empty, and
   * `derive` gives the reason.
   */
  respond?(random: Random, peerPublic: Uint8Array): KeyPair;
}

/** The transforms an SA uses. */
export interface SuiteTransforms {
  encr: Encr;
  /** Absent for AEAD ciphers. */
  integ?: Integ;
}
