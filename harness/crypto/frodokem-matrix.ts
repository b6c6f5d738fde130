/**
 * The arithmetic of FrodoKEM: matrices of integers modulo q, a power of two of at most 16 bits. Arrays hold the rows
 * one after another, as words that wrap at 16 bits; what is above q falls away where a matrix is packed.
 */
import { createCipheriv } from "node:crypto";
import { shake } from "./shake.ts";

/** Rows of S' and B', columns of S and B. */
export const NBAR = 8;

/** Calls with every row of A in turn; the array is the same each time. */
export type RowsOfA = (visit: (row: number, words: Uint16Array) => void) => void;

type Words = Uint16Array | Int16Array;

/** Rows of A that AES makes at a time: 20 to 43 kB. Every n is a multiple of it. */
const CHUNK = 16;
const BLOCK = 16;

function readWords(octets: Uint8Array, at: number, words: Uint16Array): void {
  for (let j = 0; j < words.length; j++) words[j] = octets[at + 2 * j]! | (octets[at + 2 * j + 1]! << 8);
}

/** Row i is SHAKE128(i | seed), for every parameter set. */
export const rowsByShake =
  (n: number, seed: Uint8Array): RowsOfA =>
  (visit) => {
    const words = new Uint16Array(n);
    for (let row = 0; row < n; row++) {
      readWords(shake("shake128", 2 * n, Uint8Array.of(row & 0xff, row >> 8), seed), 0, words);
      visit(row, words);
    }
  };

/** Eight words at a time: AES-128 of i | j | 0, with the seed as its key. */
export const rowsByAes =
  (n: number, seed: Uint8Array): RowsOfA =>
  (visit) => {
    const cipher = createCipheriv("aes-128-ecb", seed, null).setAutoPadding(false);
    const words = new Uint16Array(n);
    const rowOctets = 2 * n;
    const blocks = Buffer.alloc(CHUNK * rowOctets);
    for (let first = 0; first < n; first += CHUNK) {
      for (let at = 0; at < blocks.length; at += BLOCK) {
        blocks.writeUInt16LE(first + Math.floor(at / rowOctets), at);
        blocks.writeUInt16LE((at % rowOctets) / 2, at + 2);
      }
      const chunk = cipher.update(blocks);
      for (let row = first; row < first + CHUNK; row++) {
        readWords(chunk, (row - first) * rowOctets, words);
        visit(row, words);
      }
    }
  };

/** Sum of the products of `n` words from these places on. */
function dot(left: Words, leftAt: number, right: Words, rightAt: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j++) sum = (sum + Math.imul(left[leftAt + j]!, right[rightAt + j]!)) | 0;
  return sum;
}

/** A * S + E (n x 8); `transposed` is S^T (8 x n). */
export function timesSecret(rowsOfA: RowsOfA, n: number, transposed: Int16Array, E: Int16Array): Uint16Array {
  const out = new Uint16Array(E);
  rowsOfA((row, words) => {
    for (let k = 0; k < NBAR; k++) out[row * NBAR + k]! += dot(words, 0, transposed, k * n, n);
  });
  return out;
}

/** S' * A + E' (8 x n). */
export function secretTimes(rowsOfA: RowsOfA, n: number, S: Int16Array, E: Int16Array): Uint16Array {
  const out = new Uint16Array(E);
  rowsOfA((row, words) => {
    for (let k = 0; k < NBAR; k++) addScaled(out, k * n, S[k * n + row]!, words);
  });
  return out;
}

function addScaled(out: Uint16Array, at: number, factor: number, words: Uint16Array): void {
  for (let j = 0; j < words.length; j++) out[at + j]! += Math.imul(factor, words[j]!);
}

/** left * right (8 x 8); `left` is 8 x n, `transposed` the transpose of `right`, 8 x n too. */
export function product(n: number, left: Words, transposed: Words): Uint16Array {
  return Uint16Array.from({ length: NBAR * NBAR }, (_, m) =>
    dot(left, Math.floor(m / NBAR) * n, transposed, (m % NBAR) * n, n),
  );
}

/** The transpose (8 x n) of an n x 8 matrix. */
export function transpose(n: number, matrix: Uint16Array): Uint16Array {
  return Uint16Array.from({ length: matrix.length }, (_, m) => matrix[(m % n) * NBAR + Math.floor(m / n)]!);
}

/** Each entry as `bits` bits, the most significant first, in one bit stream. */
export function pack(matrix: Uint16Array, bits: number): Uint8Array {
  const out = new Uint8Array((matrix.length * bits) / 8);
  let [at, held, pending] = [0, 0, 0];
  for (const entry of matrix) {
    pending = (pending << bits) | (entry & ((1 << bits) - 1));
    for (held += bits; held >= 8; held -= 8) out[at++] = pending >> (held - 8);
    pending &= (1 << held) - 1;
  }
  return out;
}

/** The reverse of {@link pack}. */
export function unpack(octets: Uint8Array, bits: number): Uint16Array {
  const out = new Uint16Array((octets.length * 8) / bits);
  let [at, held, pending] = [0, 0, 0];
  for (const octet of octets) {
    pending = (pending << 8) | octet;
    held += 8;
    if (held < bits) continue;
    held -= bits;
    out[at++] = pending >> held;
    pending &= (1 << held) - 1;
  }
  return out;
}

/** Entries of the error distribution, one for each two octets; `cdf` is its cumulative table. */
export function sample(cdf: readonly number[], octets: Uint8Array): Int16Array {
  const out = new Int16Array(octets.length / 2);
  const steps = cdf.slice(0, -1);
  for (let m = 0; m < out.length; m++) {
    const word = octets[2 * m]! | (octets[2 * m + 1]! << 8);
    let size = 0;
    for (const step of steps) if (step < word >> 1) size++;
    out[m] = word & 1 ? -size : size;
  }
  return out;
}

/** The message in the top `B` bits of 8 x 8 entries of `D` bits; its bits are taken from the least significant on. */
export function encode(message: Uint8Array, D: number, B: number): Uint16Array {
  const out = new Uint16Array(NBAR * NBAR);
  for (let bit = 0; bit < out.length * B; bit++) {
    const value = (message[bit >> 3]! >> (bit & 7)) & 1;
    out[Math.floor(bit / B)]! |= value << (D - B + (bit % B));
  }
  return out;
}

/** The message nearest to these entries. */
export function decode(matrix: Uint16Array, D: number, B: number): Uint8Array {
  const out = new Uint8Array((NBAR * NBAR * B) / 8);
  for (let bit = 0; bit < out.length * 8; bit++) {
    const rounded = (matrix[Math.floor(bit / B)]! + (1 << (D - B - 1))) >> (D - B);
    out[bit >> 3]! |= ((rounded >> (bit % B)) & 1) << (bit & 7);
  }
  return out;
}
