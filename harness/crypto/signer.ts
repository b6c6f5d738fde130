/** What every way to sign has in common. */
import type { KeyObject } from "node:crypto";
import type { Random } from "./types.ts";

export interface Signer {
  name: string;
  /** Whether a key of this type can sign so. */
  fits(key: KeyObject): boolean;
  /**
   * The signature value. Equal keys, octets and `random` give equal signatures.
   * @throws Error for a public key, one that does not fit, or one too short for the hash
   */
  sign(key: KeyObject, octets: Uint8Array, random: Random): Uint8Array;
  /** Never throws; false for everything that does not verify. */
  verify(key: KeyObject, octets: Uint8Array, signature: Uint8Array): boolean;
}

/** Keeps keys that do not fit away from it, and what the library throws on a signature away from its caller. */
export function guarded<S extends Signer>(signer: S): S {
  return {
    ...signer,
    sign: (key: KeyObject, octets: Uint8Array, random: Random) => {
      if (!signer.fits(key)) throw new Error(`${signer.name} does not sign with this ${nameOf(key)} key`);
      return signer.sign(key, octets, random);
    },
    verify: (key: KeyObject, octets: Uint8Array, signature: Uint8Array) => {
      try {
        return signer.fits(key) && signer.verify(key, octets, signature);
      } catch {
        return false;
      }
    },
  };
}

const nameOf = (key: KeyObject): string =>
  key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? key.type;
