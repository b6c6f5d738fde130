/** Milenage, the example functions of 3GPP TS 35.206: what a SIM card and its home network compute. */
import { createCipheriv, createHash } from "node:crypto";
import { concat, plain } from "../wire/bytes.ts";

const BLOCK = 16;
const NOTHING = new Uint8Array(BLOCK);
/** Turns in octets and constants of section 4.1: the functions f1 to f5* are five encryptions that differ in these. */
const TURN = [8, 0, 4, 8, 12] as const;
const CONSTANT = [0, 1, 2, 4, 8] as const;

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((octet, i) => octet ^ (b[i] ?? 0));

/** All of 16 octets. */
export interface CardSecret {
  K: Uint8Array;
  OPc: Uint8Array;
}

export interface Vector {
  /** 8 octets each: f1 and f1*. */
  macA: Uint8Array;
  macS: Uint8Array;
  /** 8 octets: f2. */
  RES: Uint8Array;
  /** 16 octets each: f3 and f4. */
  CK: Uint8Array;
  IK: Uint8Array;
  /** 6 octets each: f5 and f5*. */
  AK: Uint8Array;
  AKs: Uint8Array;
}

function encrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return plain(concat(cipher.update(block), cipher.final()));
}

export const opcOf = (K: Uint8Array, OP: Uint8Array): Uint8Array => xor(encrypt(K, OP), OP);

/** The output of the function with this index: for f1, `input` is SQN and AMF twice, and TEMP goes in beside it. */
function output({ K, OPc }: CardSecret, input: Uint8Array, index: number, beside: Uint8Array) {
  const mixed = xor(input, OPc);
  const turned = mixed.map((_, i) => mixed[(i + TURN[index]!) % BLOCK]!);
  turned[BLOCK - 1]! ^= CONSTANT[index]!;
  return xor(encrypt(K, xor(turned, beside)), OPc);
}

/** All that comes of a challenge. `RAND` has 16 octets, `SQN` 6, `AMF` 2. */
export function milenage(secret: CardSecret, RAND: Uint8Array, SQN: Uint8Array, AMF: Uint8Array): Vector {
  const temp = encrypt(secret.K, xor(RAND, secret.OPc));
  const macs = output(secret, concat(SQN, AMF, SQN, AMF), 0, temp);
  const [two, three, four, five] = [1, 2, 3, 4].map((index) => output(secret, temp, index, NOTHING));
  return {
    macA: macs.subarray(0, 8),
    macS: macs.subarray(8),
    RES: two!.subarray(8),
    CK: three!,
    IK: four!,
    AK: two!.subarray(0, 6),
    AKs: five!.subarray(0, 6),
  };
}

const hashed = (label: string, password: string): Uint8Array =>
  plain(createHash("sha256").update(`ipsec-bakeoff ${label}\0`).update(password, "utf8").digest()).subarray(
    0,
    16,
  );

/**
 * The secret of the card that a password stands for: K and OP are the first 16 octets of SHA-256 over the text
 * "ipsec-bakeoff K" or "ipsec-bakeoff OP", an octet 0, and the password in UTF-8.
 */
export function cardOf(password: string): CardSecret {
  const K = hashed("K", password);
  return { K, OPc: opcOf(K, hashed("OP", password)) };
}

/** A GSM triplet's SRES (4 octets) and Kc (8), made from Milenage by c2 and c3 (3GPP TS 33.102 section 6.8.1.2). */
export function gsmTriplet(secret: CardSecret, RAND: Uint8Array): { SRES: Uint8Array; Kc: Uint8Array } {
  const { RES, CK, IK } = milenage(secret, RAND, new Uint8Array(6), new Uint8Array(2));
  const halves = [CK, IK].flatMap((key) => [key.subarray(0, 8), key.subarray(8)]);
  return { SRES: xor(RES.subarray(0, 4), RES.subarray(4)), Kc: halves.reduce(xor) };
}
