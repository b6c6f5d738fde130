/** The pairs: 30 with one planted change each, and 30 that differ in random values and circumstances alone. */
import type { Impairment } from "../../harness/link/memory.ts";
import { PLANTED } from "./planted.ts";
import { type Circumstances, type Conversation, type Recording, record } from "./recording.ts";

export interface Pair {
  name: string;
  a: Recording;
  b: Recording;
  /** The one difference, as in `added IKE_SA_INIT response > N(COOKIE)`; not set: there is none. */
  expected?: string;
}

/** Pairs with a planted change. B has other random values than A, too. */
export async function* plantedPairs(): AsyncGenerator<Pair> {
  const recorded = new Map<Conversation, { a: Recording; b: Recording }>();
  for (const { name, conversation, expected, plant } of PLANTED) {
    const known = recorded.get(conversation);
    const { a, b } = known ?? {
      a: await record(conversation, { seed: "a" }),
      b: await record(conversation, { seed: "b" }),
    };
    if (!known) recorded.set(conversation, { a, b });
    yield { name, a, b: plant(b), expected };
  }
}

const LOSSY: Partial<Impairment> = { loss: 0.2, duplication: 0.2, jitterMs: 300, maxInARow: 2 };

/** What may be otherwise without a difference in meaning. */
const CIRCUMSTANCES: readonly Circumstances[] = [
  { seed: "b" },
  { seed: "c", impairment: { delayMs: 40 } },
  { seed: "d", impairment: LOSSY },
];

const LONG = [
  "ping",
  "liveness",
  "rekey child",
  "ping",
  "rekey ike",
  "rekey child",
  "ping",
  "delete",
] as const;

const CONVERSATIONS: readonly Conversation[] = [
  { name: "a secret", acts: LONG },
  { name: "AEAD", config: { ikeProposals: ["aes256gcm16-prfsha256-ecp256"] }, acts: LONG },
  { name: "cookies", config: { cookies: "always" }, acts: ["ping", "delete"] },
  { name: "fragments", chunk: 150, acts: ["ping", "rekey child", "delete"] },
  {
    name: "certificates",
    config: {
      auth: { method: "signature", key: "ecdsa256" },
      testerAuth: { method: "signature", key: "ecdsa256" },
    },
    acts: ["ping", "delete"],
  },
  { name: "EAP", config: { testerAuth: { method: "eap", type: "mschapv2" } }, acts: ["ping", "delete"] },
  { name: "EAP-TLS", config: { testerAuth: { method: "eap", type: "tls" } }, acts: ["ping"] },
  {
    name: "more key exchanges",
    config: { ikeProposals: ["aes256-sha256-x25519-ke1_mlkem768-ke2_ecp256"] },
    acts: ["ping", "rekey ike"],
  },
  { name: "ESN", config: { espProposals: ["aes128-sha256-esn"] }, acts: ["ping", "rekey child", "ping"] },
  { name: "IKE_INTERMEDIATE", config: { intermediate: true }, acts: ["ping", "delete"] },
];

/** Pairs that differ in random values, timing, losses and retransmissions. */
export async function* equalPairs(): AsyncGenerator<Pair> {
  for (const conversation of CONVERSATIONS) {
    const a = await record(conversation, { seed: "a" });
    for (const circumstances of CIRCUMSTANCES) {
      const name = `${conversation.name} ${circumstances.seed}`;
      yield { name, a, b: await record(conversation, circumstances) };
    }
  }
}
