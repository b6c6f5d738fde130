/**
 * MD4 (RFC 1320), for the password hash of MSCHAPv2. Our own: OpenSSL 3 has it only in its legacy provider, which
 * node:crypto does not load, @noble/hashes leaves it out, and hash-wasm makes its hashes asynchronously.
 */

type Round = readonly [
  mix: (x: number, y: number, z: number) => number,
  constant: number,
  words: string,
  shifts: number[],
];

/** Function, constant, the order in which words of the block are used (as hex digits), and the rotations. */
const ROUNDS: readonly Round[] = [
  [(x, y, z) => (x & y) | (~x & z), 0, "0123456789abcdef", [3, 7, 11, 19]],
  [(x, y, z) => (x & y) | (x & z) | (y & z), 0x5a827999, "048c159d26ae37bf", [3, 5, 9, 13]],
  [(x, y, z) => x ^ y ^ z, 0x6ed9eba1, "084c2a6e195d3b7f", [3, 9, 11, 15]],
];

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Mixes the 64-octet block at `offset` into the state. */
function compress(state: Int32Array, blocks: DataView, offset: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const [mix, constant, words, shifts] of ROUNDS) {
    for (let step = 0; step < 16; step++) {
      const word = blocks.getInt32(offset + 4 * Number.parseInt(words[step]!, 16), true);
      const mixed = rotate((a + mix(b, c, d) + word + constant) | 0, shifts[step % 4]!);
      [a, b, c, d] = [d, mixed, b, c];
    }
  }
  [a, b, c, d].forEach((value, index) => {
    state[index] = state[index]! + value;
  });
}

/** The 16 octets of the digest. */
export function md4(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array((Math.floor((message.length + 8) / 64) + 1) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const blocks = new DataView(padded.buffer);
  blocks.setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, blocks, offset);
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  state.forEach((value, index) => {
    out.setInt32(4 * index, value, true);
  });
  return digest;
}
