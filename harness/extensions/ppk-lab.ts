/** Two ends with PPKs of RFC 9867, for tests. */
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import type { Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { disagreements } from "../run/agreement.ts";
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import type { Payload } from "../wire/types.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

export const ppk = (id: string, secret: string): Ppk => ({
  id: Uint8Array.of(2, ...text(id)),
  secret: text(secret),
});

export const SHARED = ppk("shared", "a secret");
/** What an end can have, seen from the other. */
export const HELD = {
  none: [],
  shared: [SHARED],
  "another one": [ppk("other", "a secret")],
  "the same id with another secret": [ppk("shared", "no secret")],
  "several, of which one is shared": [ppk("first", "b"), SHARED],
} as const satisfies Record<string, Ppk[]>;

/** Octets `from`, `from` + 1 and so on, as the vectors have them. */
export const counting = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => from + i);

export interface Sent {
  end: "a" | "b";
  exchangeType: number;
  isResponse: boolean;
  payloads: Payload[];
}

export interface Connected {
  pair: Pair;
  outcome: AuthOutcome;
  /** Messages of both ends in order, each once. */
  sent: Sent[];
  /** The IKE SA at `a`. */
  sa?: IkeSa;
}

/** Has `a` set an IKE SA up with `b`, and waits until both are at rest. */
export async function connect(options: Partial<PairOptions>): Promise<Connected> {
  const sent: Sent[] = [];
  const event: PairOptions["event"] = (end, e) => {
    if (e.type !== "sent" || e.copy > 0) return;
    const { header, isResponse, payloads } = e.message;
    sent.push({ end, exchangeType: header.exchangeType, isResponse, payloads });
  };
  const pair = makePair({ seed: "ppk", event, ...options });
  const outcome = await finished<AuthOutcome>(pair, (done) =>
    pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, done),
  );
  const sa = [...pair.a.endpoint.core.sas.values()].find((s) => s.established);
  return { pair, outcome: outcome ?? { failure: "no outcome" }, sent, ...(sa && { sa }) };
}

/** Gives a command to `a`, and waits for its result and until both ends are at rest. */
export async function finished<T>(
  { a, network }: Pair,
  command: (done: (result: T) => void) => void,
): Promise<T | undefined> {
  let result: { value: T } | undefined;
  command((value) => {
    result = { value };
  });
  a.settle();
  await network.until(() => result !== undefined, 600_000);
  await network.until(() => false, 1000);
  return result?.value;
}

/** IKE SAs in use at both ends. */
export const inUse = ({ a, b }: Pair): IkeSa[] =>
  [a, b].flatMap(({ endpoint }) => [...endpoint.core.sas.values()].filter((sa) => sa.established));

/** What the two ends do not have in common, in words. */
export const differences = ({ a, b }: Pair): string[] => disagreements(a.endpoint, b.endpoint);
