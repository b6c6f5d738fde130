import { expect } from "chai";
import { Linter } from "../lint/linter.ts";
import type { LintFinding } from "../lint/types.ts";
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import { espProposals, ikeProposals } from "./policy.ts";
import { seenOf } from "./seen-of.ts";

const ONE_DAY = 86_400_000;

interface Judged {
  pair: Pair;
  findings: LintFinding[];
  /** Messages whose encrypted part could be judged. */
  opened: () => number;
}

/** A pair both of whose ends are judged by what the other receives. */
function judged(options: PairOptions): Judged {
  const linter = new Linter();
  const findings: LintFinding[] = [];
  let [packet, opened] = [0, 0];
  const pair: Pair = makePair({
    ...options,
    event: (_, event) => {
      if (event.type !== "received") return;
      packet += 1;
      const seen = seenOf(event.message, packet, pair.network.clock.now());
      if (seen) findings.push(...linter.see(seen));
      if (seen?.opening === "opened") opened += 1;
    },
  });
  return { pair, findings, opened: () => opened };
}

async function connect({ network, a, addresses }: Pair): Promise<void> {
  let isOver = false;
  a.endpoint.connect(addresses.a, addresses.b, () => {
    isOver = true;
  });
  a.settle();
  await network.until(() => isOver, ONE_DAY);
}

/** Rekeys the Child SA, then the IKE SA, then the Child SA that it inherited. */
async function rekeyAll({ network, a, b }: Pair): Promise<void> {
  for (const [host, what] of [
    [a, "child"],
    [b, "ike"],
    [b, "child"],
    [a, "ike"],
    [a, "child"],
  ] as const) {
    const sa = [...host.endpoint.core.sas.values()].find(({ state }) => state === "established");
    const child = sa?.children.find(({ state }) => state === "installed");
    if (!sa || !child) throw new Error("nothing to rekey");
    let result: unknown;
    const done = (made: unknown): void => {
      result = made;
    };
    if (what === "ike") host.endpoint.rekeyIke(sa, {}, done);
    else host.endpoint.rekeyChild(child, {}, done);
    host.settle();
    await network.until(() => result !== undefined, ONE_DAY);
    await network.until(() => (what === "ike" ? sa : child).state === "closed", ONE_DAY);
  }
}

const VARIANTS: Record<string, Omit<PairOptions, "seed">> = {
  "AES-CBC and a rekey of everything": {
    config: { ikeProposals: ["aes256-sha256-x25519"], espProposals: ["aes128-sha256"] },
  },
  "AES-GCM": { config: { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] } },
  "ChaCha20-Poly1305 and 64-bit numbers": {
    config: { ikeProposals: ["chacha20poly1305-prfsha512-x25519"], espProposals: ["chacha20poly1305-esn"] },
  },
  cookies: { config: { cookies: "always" } },
  "another group than the first": {
    config: { ikeProposals: ["aes256-sha256-x25519"] },
    policies: { a: { ike: ikeProposals("aes256-sha256-ecp256-x25519") } },
  },
  "perfect forward secrecy": {
    policies: {
      a: { rekeyEsp: espProposals("aes256gcm16-x25519") },
      b: { rekeyEsp: espProposals("aes256gcm16-x25519") },
    },
  },
  fragments: { fragmentation: { chunk: 150 } },
  "loss, duplication and delays": {
    impairment: { loss: 0.2, duplication: 0.2, jitterMs: 400, maxInARow: 2 },
  },
};

describe("lint of a live conversation", () => {
  for (const [name, options] of Object.entries(VARIANTS))
    it(`finds nothing wrong with an honest pair: ${name}`, async () => {
      const { pair, findings, opened } = judged({ seed: name, ...options });
      await connect(pair);
      await rekeyAll(pair);
      expect(findings).to.deep.equal([]);
      expect(opened()).to.be.at.least(20);
    });
});
