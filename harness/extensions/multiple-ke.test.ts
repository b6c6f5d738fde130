import { expect } from "chai";
import fc from "fast-check";
import { encrTransform } from "../crypto/encr.ts";
import { childKeymat, ikeKeys, rekeyedSkeyseed, skeyseed } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import type { Extension } from "../ike/hooks.ts";
import { disagreements } from "../run/agreement.ts";
import { makePair, PAIR_ADDRESSES, type Pair, type PairOptions } from "../run/pair.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";

const counting = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => from + i);

/** The vectors of this harness: HMAC-SHA2-256, AES-GCM with keys of 256 bits. */
const VECTOR = {
  ...{ Ni: counting(0x10, 32), Nr: counting(0x30, 32), spiI: counting(0, 8), spiR: counting(8, 8) },
  secrets: [counting(0xa0, 32), counting(0xc0, 32)],
};
const EXPECTED = {
  SK_d0: "6119a13848b49161da9e8c49ea493f2ccf35822366d66e01f07281d339ee477a",
  SK_ei0: "b12c012a4dcb9ccc22d972a3d434ef6d11011249a207058f0967484c6f8ba45e9198f3f6",
  SK_er0: "9b364358a7e6de3b5ccde834a039b790d35d99c4450248af58a1415958d0d50a5bbd4be7",
  SKEYSEED1: "f5006d047185b88b4bd82912019fc37e8c4c908b9e79ab79cf6e68844b8b9fad",
  SK_d1: "a8e342be48d9b40d4b92cf1191da9165a1fafc34452e847f4e87cb47ef58cb53",
  SK_ei1: "1cb04b5a5a2c4660e63f06b11e3b032cf4ed01f02a0d5edebc675001547f50753ee5773d",
  SK_er1: "df35d2c07c44376a3a9516201734673fd3c5065eb44e401a3703dd3ce1644d48e8b55955",
  SK_pi1: "ad4cbfd85e187e4411b0554a8025874e789774ad9a18aa1ec6b986d335ac18e4",
  SK_pr1: "e0a2ecbe11376c26e57feaad67ec2aeabb14ccf48b3d2e5a038920f291a67b0f",
  rekeyed: "8453d80ca3a6a0c0de780d2c363b23da97f2f9a58a6428587ff2f2d3888d3d24",
  KEYMAT:
    "b707e243516a60edf1e0f4f9ed79deffd56bef42c8205653338715d5bb9a8806" +
    "36bb8bebfaf48c1a171610c9feae4e7640ca2a48bcf24f8bf87f4ee3433bef50fe697e12c3a0fdb3",
};

function gcm() {
  const [prf, encr] = [prfTransform(5), encrTransform(20, 256)];
  if (!prf || !encr) throw new Error("no HMAC-SHA2-256 or no AES-GCM");
  return { prf, encr };
}

/** Has `a` set an IKE SA up with `b`, and waits until both are at rest. */
function connected(options: Omit<PairOptions, "seed">): Pair {
  const pair = makePair({ seed: "multiple key exchanges", ...options });
  pair.a.endpoint.connect(PAIR_ADDRESSES.a, PAIR_ADDRESSES.b);
  pair.a.settle();
  pair.network.run(20_000);
  return pair;
}

const establishedAt = ({ endpoint }: Pair["a"]) =>
  [...endpoint.core.sas.values()].find(({ established }) => established);

describe("keys of additional key exchanges", () => {
  it("have the octets of the vectors, in a handshake of both ends with these nonces, SPIs and secrets", () => {
    const generations: string[][] = [];
    const bend = (end: "a" | "b"): Extension => ({
      name: "vectors",
      ikeKeys: (inputs) => {
        const { secrets, ...rest } = VECTOR;
        Object.assign(inputs, rest, { sharedSecret: secrets[inputs.round ?? 0] });
      },
      afterIkeKeys: (_sa, { SK_d, SK_ei, SK_er, SK_pi, SK_pr }) => {
        if (end === "a") generations.push([SK_d, SK_ei, SK_er, SK_pi, SK_pr].map(hex));
      },
    });
    const pair = connected({
      config: { ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_ecp256"] },
      extensions: (end) => [bend(end)],
    });
    const { SK_d0, SK_ei0, SK_er0, SK_d1, SK_ei1, SK_er1, SK_pi1, SK_pr1 } = EXPECTED;
    expect(generations[0]?.slice(0, 3)).to.deep.equal([SK_d0, SK_ei0, SK_er0]);
    expect(generations[1]).to.deep.equal([SK_d1, SK_ei1, SK_er1, SK_pi1, SK_pr1]);
    expect(establishedAt(pair.a)?.children.length).to.equal(1);
    expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
  });

  it("have the octets of the vectors, taken one by one", () => {
    const { prf, encr } = gcm();
    const { Ni, Nr, spiI, spiR, secrets } = VECTOR;
    const [first = Ni, second = Ni] = secrets;
    const { SK_d } = ikeKeys(prf, encr, undefined, skeyseed(prf, Ni, Nr, first), Ni, Nr, spiI, spiR);
    expect(hex(rekeyedSkeyseed(prf, SK_d, second, Ni, Nr))).to.equal(EXPECTED.SKEYSEED1);
    const [newNi, newNr, newSecret] = [counting(0x90, 32), counting(0xb0, 32), counting(0x40, 32)];
    const rekeyed = rekeyedSkeyseed(prf, SK_d, newSecret, newNi, newNr, [second]);
    expect(hex(rekeyed)).to.equal(EXPECTED.rekeyed);
    const keymat = childKeymat(prf, SK_d, newNi, newNr, encr, undefined, newSecret, [second]);
    const { initiatorToResponder, responderToInitiator } = keymat;
    expect(hex(initiatorToResponder.encr) + hex(responderToInitiator.encr)).to.equal(EXPECTED.KEYMAT);
  });
});

const METHODS = { ecp256: 19, ecp384: 20, x448: 32, ecp521: 21, mlkem512: 35 } as const;
type Method = keyof typeof METHODS | "none";

/** For each of seven types a method, NONE, or nothing; no method twice. */
const rounds = fc
  .tuple(
    fc.shuffledSubarray(Object.keys(METHODS) as Method[]),
    fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 5 }),
  )
  .map(([methods, types]) =>
    types.toSorted((a, b) => a - b).map((type, i) => ({ type, method: methods[i] ?? "none" })),
  );

describe("rounds of additional key exchanges", () => {
  it("are one IKE_INTERMEDIATE for each method but NONE, in the order of the types, and both ends have the same keys", () => {
    fc.assert(
      fc.property(rounds, (all) => {
        const seen: number[] = [];
        const added = all.map(({ type, method }) => `-ke${type}_${method}`).join("");
        const pair = connected({
          config: { ikeProposals: [`aes256-sha256-x25519${added}`] },
          event: (end, event) => {
            if (end !== "a" || event.type !== "sent" || event.copy > 0) return;
            if (event.message.header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) return;
            for (const p of event.message.payloads) if (p.kind === "KE") seen.push(p.group);
          },
        });
        const expected = all.flatMap(({ method }) => (method === "none" ? [] : [METHODS[method]]));
        expect(seen).to.deep.equal(expected);
        expect(establishedAt(pair.a)?.nextMessageId).to.equal(2 + expected.length);
        expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
      }),
      { numRuns: 25 },
    );
  });

  it("come to the same keys although a third of all datagrams is lost", () => {
    for (let i = 0; i < 5; i++) {
      const pair = makePair({
        seed: `loss ${i}`,
        impairment: { loss: 0.3 },
        config: { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256-ke2_mlkem768-ke3_ecp384"] },
      });
      pair.a.endpoint.connect(PAIR_ADDRESSES.a, PAIR_ADDRESSES.b);
      pair.a.settle();
      pair.network.run(120_000);
      const [a, b] = [establishedAt(pair.a), establishedAt(pair.b)];
      if (a && b) expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
      expect(a === undefined || b !== undefined).to.equal(true);
    }
  });
});
