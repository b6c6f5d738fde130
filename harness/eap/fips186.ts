/** The pseudo-random number generator of FIPS 186-2 with change notice 1, as EAP-SIM and EAP-AKA use it (RFC 4186 appendix B). */
import { concat, readU32, u32 } from "../wire/bytes.ts";

const SEED_OCTETS = 20;
const BLOCK_OCTETS = 64;
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0] as const;
const left = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** The function and the constant of SHA-1 in each quarter of its 80 rounds (FIPS 180-4 sections 4.1.1 and 4.2.1). */
const QUARTERS: [mix: (b: number, c: number, d: number) => number, constant: number][] = [
  [(b, c, d) => (b & c) | (~b & d), 0x5a827999],
  [(b, c, d) => b ^ c ^ d, 0x6ed9eba1],
  [(b, c, d) => (b & c) | (b & d) | (c & d), 0x8f1bbcdc],
  [(b, c, d) => b ^ c ^ d, 0xca62c1d6],
];

function schedule(block: Uint8Array): number[] {
  const words = Array.from({ length: 16 }, (_, i) => readU32(block, 4 * i));
  for (let i = 16; i < 80; i++)
    words.push(left(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1));
  return words;
}

/** SHA-1 of one block without its padding: the function G, which no library shows. */
function compress(block: Uint8Array): Uint8Array {
  let [a, b, c, d, e]: [number, number, number, number, number] = [...INITIAL];
  for (const [i, word] of schedule(block).entries()) {
    const [mix, constant] = QUARTERS[Math.floor(i / 20)]!;
    const next = (left(a, 5) + mix(b, c, d) + e + constant + word) | 0;
    [a, b, c, d, e] = [next, a, left(b, 30), c, d];
  }
  return concat(...[a, b, c, d, e].map((word, i) => u32((word + INITIAL[i]!) >>> 0)));
}

/** (1 + a + b) mod 2^160. */
function addOne(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(SEED_OCTETS);
  let carry = 1;
  for (let i = SEED_OCTETS - 1; i >= 0; i--) {
    carry += a[i]! + b[i]!;
    sum[i] = carry & 0xff;
    carry >>= 8;
  }
  return sum;
}

/** `length` octets from a seed of 20. */
export function fips186(seed: Uint8Array, length: number): Uint8Array {
  let key = seed.subarray(0, SEED_OCTETS);
  const parts: Uint8Array[] = [];
  for (let octets = 0; octets < length; octets += SEED_OCTETS) {
    const block = new Uint8Array(BLOCK_OCTETS);
    block.set(key);
    const part = compress(block);
    key = addOne(key, part);
    parts.push(part);
  }
  return concat(...parts).subarray(0, length);
}
