/** The key exchanges of the loss experiment, with key pairs that are made once. */
import { isKeError, keMethod } from "../crypto/ke.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { Ke, KeyPair, Random } from "../crypto/types.ts";
import type { Extension } from "../ike/hooks.ts";
import { equal } from "../wire/bytes.ts";
import { KE } from "../wire/registry/ke.ts";

/** X25519 in IKE_SA_INIT, and what comes as ADDKE1 in IKE_INTERMEDIATE. */
export interface PqMethod {
  name: string;
  /** Id of ADDKE1 and its keyword in a proposal; not set: X25519 alone. */
  additional?: { id: number; keyword: string };
}

const hybrid = (name: string, id: number, keyword: string): PqMethod => ({
  name: `X25519 + ${name}`,
  additional: { id, keyword },
});

export const PQ_METHODS: readonly PqMethod[] = [
  { name: "X25519" },
  hybrid("ML-KEM-512", KE.ML_KEM_512, "mlkem512"),
  hybrid("ML-KEM-768", KE.ML_KEM_768, "mlkem768"),
  hybrid("ML-KEM-1024", KE.ML_KEM_1024, "mlkem1024"),
  hybrid("FrodoKEM-640", KE.FRODOKEM_640_AES, "frodoa1"),
  hybrid("FrodoKEM-976", KE.FRODOKEM_976_AES, "frodoa3"),
  hybrid("FrodoKEM-1344", KE.FRODOKEM_1344_AES, "frodoa5"),
];

/** Both ends of one key exchange, with nothing left to compute. */
export interface ReadyPair {
  initiator: KeyPair;
  responder: KeyPair;
}

/** Median milliseconds of the parts of a key exchange on this machine, and octets of what is sent. */
export interface Computing {
  method: string;
  keyGenMs: number;
  /** Without a KEM: making the responder's key pair, and deriving. */
  encapsMs: number;
  /** Without a KEM: deriving. */
  decapsMs: number;
  initiatorOctets: number;
  responderOctets: number;
}

/** Pairs that handshakes take in turn. */
export const POOL = 5;

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

function timed<T>(times: number[], work: () => T): T {
  const start = performance.now();
  const result = work();
  times.push(performance.now() - start);
  return result;
}

/** The responder's end; of a method that is no KEM it is a key pair of its own. */
function respond(method: Ke, random: Random, peer: Uint8Array): KeyPair {
  if (method.respond) return method.respond(random, peer);
  const pair = method.generate(random);
  const secret = pair.derive(peer);
  return { publicValue: pair.publicValue, derive: () => secret };
}

/** Makes pairs, and measures what making and using them takes. @throws Error where the two secrets differ */
export function readyPairs({ name, additional }: PqMethod): { pairs: ReadyPair[]; computing: Computing } {
  const method = keMethod(additional?.id ?? KE.CURVE25519);
  if (!method) throw new Error(`no key exchange method for ${name}`);
  const random = seededRandom(`pairs of ${name}`);
  const times: [number[], number[], number[]] = [[], [], []];
  const pairs = Array.from({ length: POOL }, (): ReadyPair => {
    const made = timed(times[0], () => method.generate(random));
    const responder = timed(times[1], () => respond(method, random, made.publicValue));
    const secret = timed(times[2], () => made.derive(responder.publicValue));
    const other = responder.derive(made.publicValue);
    if (isKeError(secret) || isKeError(other) || !equal(secret, other))
      throw new Error(`the secrets of ${name} differ`);
    const derive = (peer: Uint8Array) => (equal(peer, responder.publicValue) ? secret : made.derive(peer));
    return { initiator: { publicValue: made.publicValue, derive }, responder };
  });
  const [keyGenMs, encapsMs, decapsMs] = [median(times[0]), median(times[1]), median(times[2])];
  const initiatorOctets = pairs[0]?.initiator.publicValue.length ?? 0;
  const responderOctets = pairs[0]?.responder.publicValue.length ?? 0;
  return {
    pairs,
    computing: { method: name, keyGenMs, encapsMs, decapsMs, initiatorOctets, responderOctets },
  };
}

/** Puts a ready pair in the place of the second key exchange, which is that of ADDKE1. For one handshake of one end. */
export function withReadyPair(end: "a" | "b", pair: ReadyPair): Extension {
  let asked = 0;
  return {
    name: "ready pair",
    keyPair: (make) => {
      asked += 1;
      if (asked === 1) return make();
      return end === "a" ? pair.initiator : pair.responder;
    },
  };
}
