/** AES Key Wrap with Padding (RFC 5649), the Key Wrap Algorithms (transform type 13) of RFC 9838. */
import { aeskwp } from "@noble/ciphers/aes.js";

/** Sizes in octets. */
export interface KeyWrap {
  id: number;
  name: string;
  /** Of the key that wraps. */
  keyLength: number;
  /**
   * 8 * (ceil(n / 8) + 1) octets for a key of n octets.
   * @throws RangeError for an empty key, or a `kek` of another size than `keyLength`
   */
  wrap(kek: Uint8Array, key: Uint8Array): Uint8Array;
  /** The key inside; undefined if the integrity check fails. Never throws. */
  unwrap(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined;
}

/** Shortest output of a wrap, and its unit. */
const LEAST = 16;
const UNIT = 8;

function aesKeyWrap(id: number, bits: 128 | 192 | 256): KeyWrap {
  const name = `KW_5649_${bits}`;
  const keyLength = bits / 8;
  return {
    id,
    name,
    keyLength,
    wrap: (kek, key) => {
      if (kek.length !== keyLength) throw new RangeError(`${name} takes no key of ${kek.length} octets`);
      if (key.length === 0) throw new RangeError(`${name} wraps no empty key`);
      return aeskwp(kek).encrypt(key);
    },
    unwrap: (kek, wrapped) => {
      const fits = kek.length === keyLength && wrapped.length >= LEAST && wrapped.length % UNIT === 0;
      return fits ? opened(kek, wrapped) : undefined;
    },
  };
}

/** The library throws what it finds wrong. */
function opened(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  try {
    return aeskwp(kek).decrypt(wrapped);
  } catch {
    return undefined;
  }
}

const TRANSFORMS: ReadonlyMap<number, KeyWrap> = new Map(
  [aesKeyWrap(1, 128), aesKeyWrap(2, 192), aesKeyWrap(3, 256)].map((wrap) => [wrap.id, wrap]),
);

/** The key wrap algorithm (type 13) of this IANA id; undefined for KW_ARX and everything unknown. */
export function keyWrap(id: number): KeyWrap | undefined {
  return TRANSFORMS.get(id);
}
