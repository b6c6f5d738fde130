import { expect } from "chai";
import fc from "fast-check";
import { encrTransform } from "../crypto/encr.ts";
import { ikeKeys, mixPpk } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import type { Decisions, Extension } from "../ike/hooks.ts";
import { hasNotify, notifies, notify } from "../ike/payloads.ts";
import type { Policy, Ppk } from "../ike/policy.ts";
import type { PairOptions } from "../run/pair.ts";
import { ikeProposals } from "../script/policy.ts";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { type Connected, connect, counting, differences, HELD, inUse, ppk, SHARED } from "./ppk-lab.ts";
import { ppkOffer } from "./ppk-offer.ts";

const [prf, encr] = [prfTransform(5)!, encrTransform(20, 256)!];
const [SPI_I, SPI_R, Ni, Nr] = [counting(0, 8), counting(8, 8), counting(0x10, 32), counting(0x30, 32)];
const VECTOR: Ppk = { id: fromHex("0270706b31"), secret: counting(0xe0, 32) };
const SK_d = fromHex("6119a13848b49161da9e8c49ea493f2ccf35822366d66e01f07281d339ee477a");
/** Computed for this project by a script of its own: PRF_HMAC_SHA2_256 and AES-GCM with 256 bits. */
const KEYS = {
  SK_d: "517fd64167f10d5ec3bb7b03b09f54626a1b55d6576dc3292fe6ca8419fbcf75",
  SK_ei: "3dc2f7a4d4c197b774e31e53f6d838c7957ec697e4c8c675b187f229eff2b687c8a5e255",
  SK_er: "092c4ecfefed8a1cd62967be6824f989f9cc1b0e1d3660d9b66e7844731f9daf13423345",
  SK_pi: "f1bedbaa40364232da27cf2c3c45ed3367e5a9576890c47e25f61dc7fd3717b3",
  SK_pr: "4b770d658ee5bf93780b6ef0dc3f6e8bbcb6320c66a1b22e0785ab1461f877b6",
} as const;

type Held = keyof typeof HELD;
const KINDS: Held[] = ["none", "shared", "another one", "the same id with another secret"];
const SEVERAL: Held = "several, of which one is shared";
const HERE: Pick<Policy, "ppkIn"> = { ppkIn: ["IKE_INTERMEDIATE"] };
const end = (held: Held, insists = false): Partial<Policy> => ({
  ...HERE,
  ...{ ppks: [...HELD[held]], ppkRequired: insists && held !== "none", retransmitTries: 2 },
});

const METHODS = ["ecp256", "ecp384", "ecp521", "x448", "modp2048", "modp3072", "mlkem512"];
/** The ordinary proposal with so many additional key exchanges. */
const rounds = (count: number): Pick<Policy, "ike"> => ({
  ike: ikeProposals(
    ["aes256-sha256-x25519", ...METHODS.slice(0, count).map((m, i) => `ke${i + 1}_${m}`)].join("-"),
  ),
});

const requests = ({ sent }: Connected, exchangeType: number) =>
  sent.filter((m) => m.exchangeType === exchangeType && m.end === "a");
const offersIn = (seen: Connected): number[] =>
  requests(seen, EXCHANGE.IKE_INTERMEDIATE).map(
    ({ payloads }) => notifies(payloads, NOTIFY.PPK_IDENTITY_KEY).length,
  );

/** What came of it: "plain", "PPK", or "none" for no IKE SA. */
function result(seen: Connected): string {
  if (seen.outcome.failure) {
    expect(inUse(seen.pair)).to.deep.equal([]);
    return "none";
  }
  expect(differences(seen.pair)).to.deep.equal([]);
  expect(inUse(seen.pair)).to.have.length(2);
  const chosen = seen.sent.filter((m) => hasNotify(m.payloads, NOTIFY.PPK_IDENTITY));
  expect(chosen.every((m) => m.end === "b" && m.exchangeType === EXCHANGE.IKE_INTERMEDIATE)).to.equal(true);
  return chosen.length > 0 ? "PPK" : "plain";
}

/** The tables of section 3.1, both ends at once. */
function expected(i: Held, iInsists: boolean, r: Held, rInsists: boolean): string {
  const insists = (i !== "none" && iInsists) || (r !== "none" && rInsists);
  if (i === "none" || r === "none") return insists ? "none" : "plain";
  const both = i === r || (i === SEVERAL && r === "shared") || (i === "shared" && r === SEVERAL);
  if (both) return "PPK";
  return insists ? "none" : "plain";
}

const words = (held: Held, insists: boolean): string =>
  `${held}${insists && held !== "none" ? ", mandatory" : ""}`;

const decides = (decide: Partial<{ [P in keyof Decisions]: Decisions[P] }>): Extension => ({
  name: "decides",
  decide,
});

describe("PPKs in IKE_INTERMEDIATE", () => {
  it("are offered as the vector has it", () => {
    expect(hex(ppkOffer(prf, VECTOR, concat(Ni, Nr, SPI_I, SPI_R)))).to.equal("0270706b31b0d0f945249601e8");
  });

  it("give the keys of the vector", () => {
    const SKEYSEED = mixPpk(prf, VECTOR.secret, SK_d);
    expect(hex(SKEYSEED)).to.equal("0a27841587b615ee3a94240098c1df75d0c648cf1d7c15cf1a4c07708201d9cf");
    const keys = ikeKeys(prf, encr, undefined, SKEYSEED, Ni, Nr, SPI_I, SPI_R);
    for (const name of ["SK_d", "SK_ei", "SK_er", "SK_pi", "SK_pr"] as const)
      expect(hex(keys[name]), name).to.equal(KEYS[name]);
  });

  for (const i of [...KINDS, SEVERAL])
    for (const r of KINDS)
      for (const [iInsists, rInsists] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const)
        it(`an initiator with ${words(i, iInsists)} and a responder with ${words(r, rInsists)}`, async () => {
          const seen = await connect({ policies: { a: end(i, iInsists), b: end(r, rInsists) } });
          expect(result(seen)).to.equal(expected(i, iInsists, r, rInsists));
        });

  for (const count of [1, 2, 7])
    for (const [i, r] of [
      ["shared", "shared"],
      [SEVERAL, "shared"],
      ["another one", "shared"],
      ["shared", "none"],
    ] as const)
      for (const insists of [false, true])
        it(`with ${count} more key exchanges, ${i} and ${words(r, insists)}`, async () => {
          const policies = {
            a: { ...end(i), ...rounds(count) },
            b: { ...end(r, insists), ...rounds(count) },
          };
          const seen = await connect({ policies, fragmentation: { chunk: 400 } });
          expect(result(seen)).to.equal(expected(i, false, r, insists));
          if (r === "none") return;
          const offers = Array.from({ length: count }, (_, n) => (n === count - 1 ? HELD[i].length : 0));
          expect(offersIn(seen)).to.deep.equal(offers);
        });

  const INSIST = { a: { ...end("shared", true), ...rounds(2) }, b: { ...end("shared", true), ...rounds(2) } };
  for (const where of ["the first", "one of its own"] as const)
    it(`are taken of an initiator that offers them in ${where}`, async () => {
      const extensions: PairOptions["extensions"] = (side) =>
        side === "a" ? [decides({ "exchange of PPK_IDENTITY_KEY": where })] : [];
      const seen = await connect({ policies: INSIST, extensions });
      expect(result(seen)).to.equal("PPK");
      expect(offersIn(seen)).to.deep.equal(where === "the first" ? [1, 0] : [0, 0, 1]);
    });

  const WRONG = {
    "the order of the new keys": { "order of new keys in IKE_INTERMEDIATE": "PPK first" },
    "the keys that have the PPK": { "a PPK in IKE_INTERMEDIATE": "into SK_d, SK_pi and SK_pr" },
    "whether there is a PPK": { "a PPK in IKE_INTERMEDIATE": "into nothing" },
    "when the keys are new": { "keys with a PPK": "before the response" },
  } as const;
  for (const [what, decide] of Object.entries(WRONG))
    it(`bring no IKE SA where the ends differ in ${what}`, async () => {
      const extensions: PairOptions["extensions"] = (side) => (side === "b" ? [decides(decide)] : []);
      expect(result(await connect({ policies: INSIST, extensions }))).to.equal("none");
    });

  it("of RFC 8784 and these are offered together, and one way is taken", async () => {
    const WAYS = [["IKE_AUTH"], ["IKE_INTERMEDIATE"], ["IKE_AUTH", "IKE_INTERMEDIATE"]] as const;
    for (const i of WAYS)
      for (const r of WAYS) {
        const of = (ppkIn: Policy["ppkIn"]) => ({ ppks: [SHARED], ppkIn, retransmitTries: 2 });
        const seen = await connect({ policies: { a: of(i), b: of(r) } });
        expect(seen.outcome.failure).to.equal(undefined);
        expect(differences(seen.pair)).to.deep.equal([]);
        const [, answer] = seen.sent.filter((m) => m.exchangeType === EXCHANGE.IKE_SA_INIT);
        const said = [NOTIFY.USE_PPK, NOTIFY.USE_PPK_INT].map((t) => hasNotify(answer?.payloads ?? [], t));
        const both = (way: (typeof WAYS)[number][number]) =>
          i.some((x) => x === way) && r.some((x) => x === way);
        const early = both("IKE_INTERMEDIATE");
        expect(said).to.deep.equal([both("IKE_AUTH") && !early, early]);
      }
  });

  it("need the announcement of IKE_INTERMEDIATE", async () => {
    const leaveOut: Extension = {
      name: "leave out",
      outgoing: (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED,
        );
      },
    };
    for (const side of ["a", "b"])
      for (const [insists, outcome] of [
        [false, "plain"],
        [true, "none"],
      ] as const) {
        const policies = { a: end("shared", insists), b: end("shared", insists) };
        const extensions: PairOptions["extensions"] = (which) => (which === side ? [leaveOut] : []);
        const seen = await connect({ policies, extensions });
        // What an end says of itself is changed behind its back; AUTH covers it all the same.
        if (side === "a" || insists) expect(result(seen)).to.equal(outcome);
      }
  });

  it("belong to one identity, where they are for that alone", async () => {
    const owned = (name: string): Ppk[] => [
      { ...SHARED, for: { type: 2, data: new TextEncoder().encode(name) } },
      ppk("other", "b"),
    ];
    const run = async (name: string) =>
      result(await connect({ policies: { a: end("shared", true), b: { ...HERE, ppks: owned(name) } } }));
    expect(await run("tester.example")).to.equal("PPK");
    expect(await run("somebody.example")).to.equal("none");
  });

  it("are found among many, however small the fragments are", async () => {
    const many = Array.from({ length: 200 }, (_, i) => ppk(`number ${i}`, `secret ${i}`));
    const policies = { a: { ...HERE, ppks: [...many, SHARED] }, b: end("shared", true) };
    const seen = await connect({ policies, fragmentation: { chunk: 500 } });
    expect(result(seen)).to.equal("PPK");
    expect(offersIn(seen)).to.deep.equal([201]);
  });

  it("are chosen whatever else is on offer", async () => {
    const junk = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    const property = fc.asyncProperty(junk, junk, async (before, after) => {
      const added = (all: Uint8Array[]) => all.map((data) => notify(NOTIFY.PPK_IDENTITY_KEY, data));
      const surround: Extension = {
        name: "junk",
        outgoing: (message) => {
          if (message.header.exchangeType === EXCHANGE.IKE_INTERMEDIATE && !message.isResponse)
            message.payloads = [...added(before), ...message.payloads, ...added(after)];
        },
      };
      const extensions: PairOptions["extensions"] = (side) => (side === "a" ? [surround] : []);
      const policies = { a: end("shared", true), b: end("shared", true) };
      expect(result(await connect({ policies, extensions }))).to.equal("PPK");
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
