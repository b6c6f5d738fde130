import { expect } from "chai";
import fc from "fast-check";
import { encrTransform } from "../crypto/encr.ts";
import { childKeymat, mixPpk } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import type { ChildSa } from "../ike/child.ts";
import type { Extension } from "../ike/hooks.ts";
import { hasNotify, notifies } from "../ike/payloads.ts";
import type { Policy, Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { espProposals, ikeProposals } from "../script/policy.ts";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import {
  type Connected,
  connect,
  counting,
  differences,
  finished,
  HELD,
  inUse,
  ppk,
  SHARED,
} from "./ppk-lab.ts";
import { ppkOffer } from "./ppk-offer.ts";

const [prf, encr] = [prfTransform(5)!, encrTransform(20, 256)!];
const [SPI_I, SPI_R, Ni, Nr] = [counting(0, 8), counting(8, 8), counting(0x90, 32), counting(0xb0, 32)];
const VECTOR: Ppk = { id: fromHex("0270706b31"), secret: counting(0xe0, 32) };
const SK_d = fromHex("6119a13848b49161da9e8c49ea493f2ccf35822366d66e01f07281d339ee477a");
/** Computed for this project by a script of its own. */
const KEYMAT =
  "f7dc32f16ae66d3ffa338ba60502f71e01ece3ad8669f7cb3cc5d3792447e93d53b8243f28722a48168fa9bb4e041ab8" +
  "8049185cc2ebf68b6e257ab58a09d767d08a7227bf022442";

type Held = keyof typeof HELD;
const KINDS = Object.keys(HELD) as Held[];
const CREATE: Pick<Policy, "ppkIn" | "retransmitTries"> = { ppkIn: ["CREATE_CHILD_SA"], retransmitTries: 2 };
const end = (held: Held, insists = false): Partial<Policy> => ({
  ...CREATE,
  ...{ ppks: [...HELD[held]], ppkRequired: insists && held !== "none" },
});

type Made = ChildSa | IkeSa | string | undefined;
/** The three kinds of the exchange, begun by `a`. */
const WAYS = {
  "a new Child SA": (seen: Connected) =>
    finished<Made>(seen.pair, (done) => seen.pair.a.endpoint.createChild(seen.sa!, {}, done)),
  "a rekey of a Child SA": (seen: Connected) =>
    finished<Made>(seen.pair, (done) =>
      seen.pair.a.endpoint.createChild(seen.sa!, { replaces: seen.sa!.children[0]! }, done),
    ),
  "a rekey of the IKE SA": (seen: Connected) =>
    finished<Made>(seen.pair, (done) => seen.pair.a.endpoint.rekeyIke(seen.sa!, {}, done)),
};
type Way = keyof typeof WAYS;
const WAY_NAMES = Object.keys(WAYS) as Way[];

const creations = ({ sent }: Connected, isResponse: boolean) =>
  sent.filter((m) => m.exchangeType === EXCHANGE.CREATE_CHILD_SA && m.isResponse === isResponse);

/** What came of it: "plain", "PPK", or "none" for no SA, of which nothing may be left. */
async function result(seen: Connected, way: Way): Promise<string> {
  const made = await WAYS[way](seen);
  expect(differences(seen.pair)).to.deep.equal([]);
  if (made === undefined || typeof made === "string") {
    expect(seen.pair.a.pipes.length, "Child SAs").to.be.lessThan(2);
    return "none";
  }
  if (made.state === "closed") return "none";
  const [response] = creations(seen, true);
  return hasNotify(response?.payloads ?? [], NOTIFY.PPK_IDENTITY) ? "PPK" : "plain";
}

/** The tables of section 3.2, both ends at once. */
function expected(i: Held, iInsists: boolean, r: Held, rInsists: boolean): string {
  const [offered, known] = [HELD[i], HELD[r]].map((ppks: readonly Ppk[]) => ppks);
  const insists = (i !== "none" && iInsists) || (r !== "none" && rInsists);
  const same = (a: Ppk, b: Ppk) => hex(a.id) === hex(b.id) && hex(a.secret) === hex(b.secret);
  if (offered?.some((a) => known?.some((b) => same(a, b)))) return "PPK";
  return insists ? "none" : "plain";
}

const words = (held: Held, insists: boolean): string =>
  `${held}${insists && held !== "none" ? ", mandatory" : ""}`;

describe("PPKs in CREATE_CHILD_SA", () => {
  it("are offered and mixed in as the vector has it", () => {
    expect(hex(ppkOffer(prf, VECTOR, concat(Ni, SPI_I, SPI_R)))).to.equal("0270706b31d876578d14d67dfe");
    const mixed = mixPpk(prf, VECTOR.secret, SK_d);
    expect(hex(mixed)).to.equal("0a27841587b615ee3a94240098c1df75d0c648cf1d7c15cf1a4c07708201d9cf");
    const keys = childKeymat(prf, mixed, Ni, Nr, encr, undefined);
    expect(hex(keys.initiatorToResponder.encr) + hex(keys.responderToInitiator.encr)).to.equal(KEYMAT);
  });

  for (const way of WAY_NAMES)
    for (const i of KINDS)
      for (const r of KINDS)
        for (const [iInsists, rInsists] of [
          [false, false],
          [true, false],
          [false, true],
        ] as const)
          it(`${way}: ${words(i, iInsists)} and ${words(r, rInsists)}`, async () => {
            const seen = await connect({ policies: { a: end(i, iInsists), b: end(r, rInsists) } });
            expect(await result(seen, way)).to.equal(expected(i, iInsists, r, rInsists));
          });

  const METHODS = ["ecp256", "ecp384", "ecp521", "x448", "modp2048", "modp3072", "mlkem512"];
  for (const count of [1, 2, 7])
    for (const way of WAY_NAMES)
      it(`${way} with ${count} more key exchanges`, async () => {
        const more = METHODS.slice(0, count).map((m, n) => `ke${n + 1}_${m}`);
        const proposals = {
          ike: ikeProposals(["aes256-sha256-x25519", ...more].join("-")),
          rekeyEsp: espProposals(["aes256gcm16-x25519", ...more].join("-")),
        };
        const policies = {
          a: { ...end("shared"), ...proposals },
          b: { ...end("shared", true), ...proposals },
        };
        const seen = await connect({ policies, fragmentation: {} });
        expect(await result(seen, way)).to.equal("PPK");
        const followed = seen.sent.filter((m) => m.exchangeType === EXCHANGE.IKE_FOLLOWUP_KE);
        expect(followed).to.have.length(2 * count);
      });

  it("have their own SK_d each: neither that of the IKE SA, nor the one before", async () => {
    const seen = await connect({ policies: { a: end("shared"), b: end("shared") } });
    const before = hex(seen.sa!.keys!.SK_d);
    for (const way of WAY_NAMES.slice(0, 2)) expect(await result(seen, way)).to.equal("PPK");
    expect(hex(seen.sa!.keys!.SK_d)).to.equal(before);
    seen.pair.b.options.policy.ppks = [];
    expect(typeof (await WAYS["a new Child SA"](seen))).to.equal("object");
    expect(differences(seen.pair)).to.deep.equal([]);
    expect(hasNotify(creations(seen, true).at(-1)?.payloads ?? [], NOTIFY.PPK_IDENTITY)).to.equal(false);
  });

  /** The responder of the exchange names a PPK that was not offered. */
  const misnamer: Extension = {
    name: "misnamer",
    outgoing: ({ isResponse, payloads }) => {
      for (const found of isResponse ? notifies(payloads, NOTIFY.PPK_IDENTITY) : [])
        found.data = ppk("strange", "").id;
    },
  };
  for (const way of WAY_NAMES)
    it(`leave nothing of ${way} with one that was not offered`, async () => {
      const seen = await connect({
        policies: { a: end("shared"), b: end("shared") },
        extensions: (side) => (side === "b" ? [misnamer] : []),
      });
      const made = await WAYS[way](seen);
      expect(made).to.equal("the responder chose a PPK that was not offered");
      await seen.pair.network.until(() => false, 5000);
      const { a, b } = seen.pair;
      const ike = way === "a rekey of the IKE SA";
      expect([
        a.pipes.length,
        inUse(seen.pair).filter((sa) => a.endpoint.core.sas.has(hex(sa.ownSpi))).length,
      ]).to.deep.equal(ike ? [0, 0] : [1, 1]);
      if (!ike) expect(b.pipes).to.have.length(1);
    });

  it("change from rekey to rekey", async () => {
    const names = fc.array(fc.constantFrom("one", "two", "three", "none"), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(names, fc.constantFrom(...WAY_NAMES), async (chosen, way) => {
      const all = ["one", "two", "three"].map((id) => ppk(id, `secret of ${id}`));
      const seen = await connect({ policies: { a: end("none"), b: { ...CREATE, ppks: all } } });
      for (const id of chosen) {
        seen.pair.a.options.policy.ppkIn = CREATE.ppkIn;
        seen.pair.a.options.policy.ppks = all.filter((p) => hex(p.id) === hex(ppk(id, "").id));
        const made = await WAYS[way](seen);
        expect(typeof made).to.equal("object");
        expect(differences(seen.pair)).to.deep.equal([]);
        const response = creations(seen, true).at(-1);
        const named = notifies(response?.payloads ?? [], NOTIFY.PPK_IDENTITY).map(({ data }) => hex(data));
        expect(named).to.deep.equal(id === "none" ? [] : [hex(ppk(id, "").id)]);
        seen.sa = [...seen.pair.a.endpoint.core.sas.values()].find((sa) => sa.state === "established")!;
      }
    });
    await fc.assert(property, { numRuns: 15 });
  });

  it("belong to one identity, where they are for that alone", async () => {
    const owned = (name: string): Ppk[] => [
      { ...SHARED, for: { type: 2, data: new TextEncoder().encode(name) } },
    ];
    for (const [name, outcome] of [
      ["tester.example", "PPK"],
      ["somebody.example", "plain"],
    ] as const) {
      const b = { ...CREATE, ppks: [...owned(name), ppk("other", "b")] };
      const seen = await connect({ policies: { a: end("shared"), b } });
      expect(await result(seen, "a rekey of a Child SA")).to.equal(outcome);
    }
  });
});
