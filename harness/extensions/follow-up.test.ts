import { createHmac } from "node:crypto";
import { expect } from "chai";
import { encrTransform } from "../crypto/encr.ts";
import { childKeymat, rekeyedSkeyseed } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import { type SeededRandom, seededRandom } from "../crypto/seeded-random.ts";
import type { ChildSa } from "../ike/child.ts";
import type { Extension } from "../ike/hooks.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { Policy } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Impairment } from "../link/memory.ts";
import { disagreements } from "../run/agreement.ts";
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import { concat, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";

/** Octets that count up. */
const from = (first: number, octets: number): Uint8Array => new Uint8Array(octets).map((_, i) => first + i);

describe("keys behind IKE_FOLLOWUP_KE", () => {
  const prf = prfTransform(5);
  const encr = encrTransform(20, 256);
  const SK_d = Buffer.from("6119a13848b49161da9e8c49ea493f2ccf35822366d66e01f07281d339ee477a", "hex");
  const [Ni, Nr, secret, further] = [from(0x90, 32), from(0xb0, 32), from(0x40, 32), [from(0xc0, 32)]];

  it("have the SKEYSEED that was computed apart from this code", () => {
    if (!prf) throw new Error("no PRF");
    expect(hex(rekeyedSkeyseed(prf, SK_d, secret, Ni, Nr, further))).to.equal(
      "8453d80ca3a6a0c0de780d2c363b23da97f2f9a58a6428587ff2f2d3888d3d24",
    );
  });

  it("have the KEYMAT that was computed apart from this code", () => {
    if (!prf || !encr) throw new Error("no PRF or cipher");
    const keys = childKeymat(prf, SK_d, Ni, Nr, encr, undefined, secret, further);
    expect(hex(concat(keys.initiatorToResponder.encr, keys.responderToInitiator.encr))).to.equal(
      "b707e243516a60edf1e0f4f9ed79deffd56bef42c8205653338715d5bb9a8806" +
        "36bb8bebfaf48c1a171610c9feae4e7640ca2a48bcf24f8bf87f4ee3433bef50fe697e12c3a0fdb3",
    );
  });
});

const IKE = ["aes256gcm16-prfsha256-x25519", "aes256gcm16-prfsha256-x25519-ke1_ecp256-ke3_x448"];
const ESP = ["aes256gcm16", "aes256gcm16-x25519-ke1_ecp256", "aes256gcm16-ecp256-ke2_x25519-ke5_mlkem512"];

const LOSSY: Partial<Impairment> = { loss: 0.2, duplication: 0.2, jitterMs: 400, maxInARow: 2 };
const patient: Partial<Policy> = { retransmitTries: 12, retransmitMs: 200 };
const ONE_DAY = 86_400_000;

interface Up {
  pair: Pair;
  a: IkeSa;
  b: IkeSa;
}

function up(options: PairOptions): Up {
  const pair = makePair(options);
  let ended = false;
  const a = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, () => {
    ended = true;
  });
  pair.a.settle();
  pair.network.run(60_000);
  const b = [...pair.b.endpoint.core.sas.values()].find((sa) => sa.state === "established");
  if (!ended || !b || a.state !== "established")
    throw new Error(`the pair did not come up: ${a.closedBecause}`);
  return { pair, a, b };
}

const only = (sa: IkeSa): ChildSa => {
  const [child] = sa.children;
  if (!child) throw new Error("no Child SA");
  return child;
};

const pick = <T>(random: SeededRandom, all: T[]): T => all[(random(1)[0] ?? 0) % all.length] as T;

/** Has an end rekey after a while, if it has that SA then. */
function command(all: Up, end: "a" | "b", what: "child" | "ike", delayMs: number, done: () => void): void {
  const { [end]: host } = all.pair;
  const { endpoint } = host;
  endpoint.core.after(delayMs, () => {
    const sa = all[end];
    const child = sa.children.find((c) => c.state === "installed");
    if (sa.state !== "established" || !child) return done();
    if (what === "ike") endpoint.rekeyIke(sa, {}, done);
    else endpoint.rekeyChild(child, {}, done);
  });
  host.settle();
}

/** Both ends rekey at about the same time; gives what is not as it must be. */
function live(seed: number): string[] {
  const random = seededRandom(`follow-up ${seed}`);
  const config = {
    ikeProposals: [...IKE].sort(() => (random(1)[0] ?? 0) - 128),
    espProposals: [pick(random, ESP)],
  };
  const impairment = pick(random, [{ delayMs: 10 }, { delayMs: 10, jitterMs: 30 }, LOSSY]);
  const all = up({ seed: `follow-up ${seed}`, impairment, config, policies: { a: patient, b: patient } });
  let ended = 0;
  const done = () => {
    ended++;
  };
  const what = pick(random, ["child", "ike"] as const);
  for (const end of ["a", "b"] as const) {
    const other = pick(random, ["child", "ike"] as const);
    const delayMs = ((random(1)[0] ?? 0) * pick(random, [80, 600])) / 255;
    command(all, end, pick(random, [what, what, other]), delayMs, done);
  }
  all.pair.network.run(ONE_DAY);
  const { a, b } = all.pair;
  const problems = disagreements(a.endpoint, b.endpoint);
  if (ended !== 2) problems.push(`${ended} commands came to an end`);
  for (const { core } of [a.endpoint, b.endpoint]) {
    if (core.sas.size !== 1) problems.push(`${core.sas.size} IKE SAs`);
    if (core.children().length !== 1) problems.push(`${core.children().length} Child SAs`);
    if (core.children().some((c) => c.state !== "installed")) problems.push("a Child SA that is not in use");
  }
  return problems;
}

/** 300 seeds on an ordinary run; `BAKEOFF_SEEDS=10000` for the full one. */
const SEEDS = Number(process.env.BAKEOFF_SEEDS ?? 300);

describe("rekeyings with additional key exchanges", () => {
  it(`of both ends at once end in one SA each with equal keys, whatever the network does (${SEEDS} seeds)`, function () {
    this.timeout(0);
    const failed: string[] = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const problems = live(seed);
      if (problems.length > 0) failed.push(`seed ${seed}: ${problems.join("; ")}`);
    }
    expect(failed.slice(0, 20), `${failed.length} of ${SEEDS} seeds`).to.deep.equal([]);
  });

  const hybrid = (extra: Partial<PairOptions> = {}): Up =>
    up({
      seed: "series",
      impairment: { delayMs: 10 },
      config: { espProposals: ["aes256gcm16-x25519-ke1_ecp256-ke2_ecp384"] },
      ...extra,
    });

  // Two ends of this code would agree on wrong keys as well.
  it("make the keys of both kinds of SAs out of every secret, by HMAC alone", () => {
    const secrets = new Map<string, Uint8Array[]>();
    const notes: Extension = {
      name: "notes",
      ikeKeys: ({ sharedSecret, further }) => void secrets.set("IKE", [sharedSecret, ...further]),
      childKeys: ({ sharedSecret = new Uint8Array(), further }) =>
        void secrets.set("Child", [sharedSecret, ...further]),
    };
    const ikeProposals = ["aes256gcm16-prfsha256-x25519-ke1_ecp256-ke3_x448"];
    const espProposals = ["aes256gcm16-x25519-ke1_ecp256-ke2_ecp384"];
    const all = hybrid({
      config: { ikeProposals, espProposals },
      extensions: (end) => (end === "a" ? [notes] : []),
    });
    const nonces: Uint8Array[] = [];
    all.pair.b.endpoint.core.options.extensions.push({
      name: "nonces",
      outgoing: ({ payloads }) => {
        const own = payloads.find((p) => p.kind === "Nonce");
        if (own) nonces.unshift(own.data);
      },
      incoming: ({ payloads }) => {
        const others = payloads.find((p) => p.kind === "Nonce");
        if (others) nonces.unshift(others.data);
        return undefined;
      },
    });
    const SK_d = all.a.keys?.SK_d ?? new Uint8Array();
    const hmac = (key: Uint8Array, ...parts: Uint8Array[]) =>
      createHmac("sha256", key)
        .update(concat(...parts))
        .digest();
    const { endpoint } = all.pair.a;
    endpoint.rekeyChild(only(all.a));
    all.pair.a.settle();
    all.pair.network.run(3_000);
    const [shared = SK_d, ...further] = secrets.get("Child") ?? [];
    expect(further).to.have.length(2);
    const [Nr = SK_d, Ni = SK_d] = nonces;
    const keymat = hmac(SK_d, shared, Ni, Nr, ...further, Uint8Array.of(1));
    expect(hex(only(all.a).keysOut.encr.subarray(0, 32))).to.equal(hex(keymat));

    endpoint.rekeyIke(all.a);
    all.pair.a.settle();
    all.pair.network.run(3_000);
    const fresh = all.a.replacedBy;
    const [gir = SK_d, ...more] = secrets.get("IKE") ?? [];
    expect(more).to.have.length(2);
    const [newNr = SK_d, newNi = SK_d] = nonces;
    const SKEYSEED = hmac(SK_d, gir, newNi, newNr, ...more);
    const spis = [fresh?.spiI ?? SK_d, fresh?.spiR ?? SK_d];
    expect(hex(fresh?.keys?.SK_d ?? SK_d)).to.equal(
      hex(hmac(SKEYSEED, newNi, newNr, ...spis, Uint8Array.of(1))),
    );
  });

  it("end with the IKE SA when the peer has forgotten three of them in a row", () => {
    const forgets: Extension = {
      name: "forgets",
      answers: (_core, _sa, { header }) =>
        header.exchangeType === EXCHANGE.IKE_FOLLOWUP_KE
          ? { payloads: [notify(NOTIFY.STATE_NOT_FOUND)] }
          : undefined,
    };
    const all = hybrid();
    all.pair.b.endpoint.core.options.extensions.unshift(forgets);
    const results: string[] = [];
    const { endpoint } = all.pair.a;
    const old = only(all.a);
    const states = [1, 2, 3].map(() => {
      endpoint.rekeyChild(old, {}, (made) => results.push(typeof made));
      all.pair.a.settle();
      all.pair.network.run(1_000);
      return all.a.state;
    });
    expect(states).to.deep.equal(["established", "established", "closed"]);
    expect(results).to.deep.equal(["string", "string", "string"]);
    expect(all.pair.b.endpoint.core.sas.size).to.equal(0);
  });

  it("are freed by the responder in the end", () => {
    const all = hybrid();
    const { endpoint } = all.pair.a;
    const links: Uint8Array[] = [];
    const paused = endpoint.core.options.extensions.find((e) => e.name === "multiple-ke");
    if (!paused) throw new Error("no extension");
    paused.continues = (_core, _sa, _proposal, response) => {
      links.push(...notifies(response.payloads, NOTIFY.ADDITIONAL_KEY_EXCHANGE).map(({ data }) => data));
      return true;
    };
    for (let i = 0; i < 20; i++) endpoint.createChild(all.a);
    all.pair.a.settle();
    all.pair.network.run(2_000);
    expect(links.length).to.equal(20);
    expect(new Set(links.map(hex)).size, "each link of its own").to.equal(20);
    const before = all.pair.b.endpoint.core.timers.size;
    all.pair.network.run(30_000);
    expect(all.pair.b.endpoint.core.timers.size).to.be.below(before);
    expect(only(all.b).state).to.equal("installed");
  });
});
