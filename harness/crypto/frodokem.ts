/** FrodoKEM, salted, as key exchange methods: draft-ietf-ipsecme-hybrid-kem-ikev2-frodo; numbers of strongSwan's branch. */
import { concat, equal } from "../wire/bytes.ts";
import {
  decode,
  encode,
  NBAR,
  pack,
  product,
  type RowsOfA,
  rowsByAes,
  rowsByShake,
  sample,
  secretTimes,
  timesSecret,
  transpose,
  unpack,
} from "./frodokem-matrix.ts";
import { kemMethod } from "./kem.ts";
import { shake } from "./shake.ts";
import type { Ke, Random } from "./types.ts";

/** Names as in the specification of FrodoKEM. */
interface Parameters {
  n: number;
  /** q is 2^D. */
  D: number;
  /** Bits of the message in an entry. */
  B: number;
  /** Octets of s, u, pkh, k and the shared secret; half those of seedSE and of the salt. */
  L: number;
  xof: "shake128" | "shake256";
  cdf: readonly number[];
}

interface Frodo extends Parameters {
  rowsOfA(n: number, seedA: Uint8Array): RowsOfA;
}

interface DecapsulationKey {
  s: Uint8Array;
  key: Uint8Array;
  /** S^T, 8 x n. */
  transposed: Int16Array;
}

const SEED_A = 16;
/** What SHAKE reads in front of seedSE, for key generation and for encapsulation. */
const OF_KEYS = Uint8Array.of(0x5f);
const OF_CIPHERTEXTS = Uint8Array.of(0x96);

const FRODO_640: Parameters = {
  n: 640,
  D: 15,
  B: 2,
  L: 16,
  xof: "shake128",
  cdf: [4643, 13363, 20579, 25843, 29227, 31145, 32103, 32525, 32689, 32745, 32762, 32766, 32767],
};
const FRODO_976: Parameters = {
  n: 976,
  D: 16,
  B: 3,
  L: 24,
  xof: "shake256",
  cdf: [5638, 15915, 23689, 28571, 31116, 32217, 32613, 32731, 32760, 32766, 32767],
};
const FRODO_1344: Parameters = {
  n: 1344,
  D: 16,
  B: 4,
  L: 32,
  xof: "shake256",
  cdf: [9142, 23462, 30338, 32361, 32725, 32765, 32767],
};

function generate(frodo: Frodo, random: Random): DecapsulationKey {
  const { n, D, L, xof, cdf } = frodo;
  const [s, seedSE, z] = [random(L), random(2 * L), random(SEED_A)];
  const seedA = shake(xof, SEED_A, z);
  const words = sample(cdf, shake(xof, 4 * NBAR * n, OF_KEYS, seedSE));
  const [transposed, E] = [words.subarray(0, NBAR * n), words.subarray(NBAR * n)];
  const B = timesSecret(frodo.rowsOfA(n, seedA), n, transposed, E);
  return { s, key: concat(seedA, pack(B, D)), transposed };
}

/** c1 | c2 and k, for this message u and this salt: the same each time. */
function encrypt(frodo: Frodo, key: Uint8Array, u: Uint8Array, salt: Uint8Array) {
  const { n, D, B: bits, L, xof, cdf } = frodo;
  const seeds = shake(xof, 3 * L, shake(xof, L, key), u, salt);
  const [seedSE, k] = [seeds.subarray(0, 2 * L), seeds.subarray(2 * L)];
  const words = sample(cdf, shake(xof, 2 * NBAR * (2 * n + NBAR), OF_CIPHERTEXTS, seedSE));
  const [S, E, last] = [
    words.subarray(0, NBAR * n),
    words.subarray(NBAR * n, 2 * NBAR * n),
    words.subarray(2 * NBAR * n),
  ];
  const c1 = pack(secretTimes(frodo.rowsOfA(n, key.subarray(0, SEED_A)), n, S, E), D);
  const V = product(n, S, transpose(n, unpack(key.subarray(SEED_A), D)));
  const message = encode(u, D, bits);
  const c2 = pack(
    V.map((entry, m) => entry + last[m]! + message[m]!),
    D,
  );
  return { c: concat(c1, c2), k };
}

function encapsulate(frodo: Frodo, random: Random, key: Uint8Array) {
  const { L, xof } = frodo;
  const [u, salt] = [random(L), random(2 * L)];
  const { c, k } = encrypt(frodo, key, u, salt);
  const ciphertext = concat(c, salt);
  return { ciphertext, secret: shake(xof, L, ciphertext, k) };
}

/** A ciphertext that does not fit gives a secret that depends on s, and no error. */
function decapsulate(frodo: Frodo, { s, key, transposed }: DecapsulationKey, ciphertext: Uint8Array) {
  const { n, D, B: bits, L, xof } = frodo;
  const received = ciphertext.subarray(0, -2 * L);
  const c1Length = (NBAR * n * D) / 8;
  const [B, C] = [unpack(received.subarray(0, c1Length), D), unpack(received.subarray(c1Length), D)];
  const BS = product(n, B, transposed);
  const u = decode(
    C.map((entry, m) => entry - BS[m]!),
    D,
    bits,
  );
  const { c, k } = encrypt(frodo, key, u, ciphertext.subarray(-2 * L));
  return shake(xof, L, ciphertext, equal(c, received) ? k : s);
}

function method(id: number, name: string, parameters: Parameters, rowsOfA: Frodo["rowsOfA"]): Ke {
  const { n, D, L } = parameters;
  const frodo = { ...parameters, rowsOfA };
  return kemMethod({
    id,
    name,
    keyLength: SEED_A + (NBAR * n * D) / 8,
    ciphertextLength: (NBAR * (n + NBAR) * D) / 8 + 2 * L,
    sharedLength: L,
    generate(random) {
      const own = generate(frodo, random);
      return { key: own.key, decapsulate: (ciphertext) => decapsulate(frodo, own, ciphertext) };
    },
    encapsulate: (random, key) => encapsulate(frodo, random, key),
  });
}

export const FRODOKEM_METHODS: readonly Ke[] = [
  method(1083, "FRODOKEM_640_AES", FRODO_640, rowsByAes),
  method(1084, "FRODOKEM_976_AES", FRODO_976, rowsByAes),
  method(1085, "FRODOKEM_1344_AES", FRODO_1344, rowsByAes),
  method(1086, "FRODOKEM_640_SHAKE", FRODO_640, rowsByShake),
  method(1087, "FRODOKEM_976_SHAKE", FRODO_976, rowsByShake),
  method(1088, "FRODOKEM_1344_SHAKE", FRODO_1344, rowsByShake),
];
