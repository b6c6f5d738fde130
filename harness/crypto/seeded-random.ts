import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { plain, uninitialized } from "../wire/bytes.ts";
import type { Random } from "./types.ts";

/** A repeatable stream of octets. */
export interface SeededRandom extends Random {
  /** A stream of its own for this label; it does not depend on how much was drawn from this one. */
  fork(label: string): SeededRandom;
}

const CHUNK = new Uint8Array(1024);

/** The AES-256-CTR keystream under SHA-256 of the seed: equal seeds give equal streams, however they are drawn. */
export function seededRandom(seed: string | number): SeededRandom {
  return fromKey(createHash("sha256").update(String(seed)).digest());
}

function fromKey(key: Uint8Array): SeededRandom {
  const stream = createCipheriv("aes-256-ctr", key, new Uint8Array(16));
  let ahead: Uint8Array = new Uint8Array(0);
  const draw = (octets: number): Uint8Array => {
    const out = uninitialized(octets);
    for (let filled = 0; filled < octets; ) {
      if (ahead.length === 0) ahead = stream.update(CHUNK);
      const part = ahead.subarray(0, octets - filled);
      out.set(part, filled);
      filled += part.length;
      ahead = ahead.subarray(part.length);
    }
    return out;
  };
  return Object.assign(draw, {
    fork: (label: string) => fromKey(createHmac("sha256", key).update(label).digest()),
  });
}

/** The operating system's randomness; not repeatable. */
export const systemRandom: Random = (octets) => plain(randomBytes(octets));
