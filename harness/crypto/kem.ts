/** What every KEM shares on its way to being a key exchange method. */
import type { Ke, KeError, KeyPair, Random } from "./types.ts";

/** A key encapsulation mechanism. Sizes in octets; what is drawn is drawn in the order in which it is written. */
export interface Kem {
  id: number;
  name: string;
  keyLength: number;
  ciphertextLength: number;
  sharedLength: number;
  /** A new key pair; `decapsulate` gets a ciphertext of the right length. */
  generate(random: Random): { key: Uint8Array; decapsulate(ciphertext: Uint8Array): Uint8Array };
  /** Why a key of the right length is refused; undefined if it is not. */
  refuses?(key: Uint8Array): KeError | undefined;
  /** `key` is of the right length, and not refused. */
  encapsulate(random: Random, key: Uint8Array): { ciphertext: Uint8Array; secret: Uint8Array };
}

/** The key exchange method: the initiator sends the encapsulation key, the responder the ciphertext. */
export function kemMethod(kem: Kem): Ke {
  const { id, name, keyLength, ciphertextLength, sharedLength } = kem;
  return {
    id,
    name,
    publicLength: keyLength,
    responseLength: ciphertextLength,
    sharedLength,
    generate(random) {
      const { key, decapsulate } = kem.generate(random);
      return {
        publicValue: key,
        derive: (peer) => wrongLength(name, "ciphertext", peer, ciphertextLength) ?? decapsulate(peer),
      };
    },
    respond: (random, peer) => respond(kem, random, peer),
  };
}

function respond(kem: Kem, random: Random, peer: Uint8Array): KeyPair {
  const refused = wrongLength(kem.name, "encapsulation key", peer, kem.keyLength) ?? kem.refuses?.(peer);
  if (refused) return { publicValue: new Uint8Array(0), derive: () => refused };
  const { ciphertext, secret } = kem.encapsulate(random, peer);
  return { publicValue: ciphertext, derive: () => secret };
}

function wrongLength(name: string, what: string, value: Uint8Array, length: number): KeError | undefined {
  if (value.length === length) return undefined;
  return { error: "length", reason: `${what} has ${value.length} octets, ${name} needs ${length}` };
}
