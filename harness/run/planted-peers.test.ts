import { expect } from "chai";
import { lies } from "../../peers/builtin/lies/index.ts";
import { square } from "./square.ts";
import { loadTests, type SuiteTest } from "./suites.ts";

interface Planted {
  /** What the peer does wrong. */
  does: string;
  lie: string;
  /** A test that fails for it. */
  test: string;
  /** What its reason says, and that of no other peer of this list. */
  reason: string;
}

const PLANTED: readonly Planted[] = [
  {
    does: "announces but never uses an extension",
    lie: "keeps-to-the-old-methods",
    test: "rfc7427/3/initiator-signs-and-verifies-by-ecdsa-sha256-with-ecdsa256",
    reason: "an old method although both ends announced RFC 7427",
  },
  {
    does: "keeps the old keys after a rekey",
    lie: "keeps-the-old-keys-after-a-rekey",
    test: "rfc7296/2.8/accepts-a-child-rekey-without-pfs-as-responder",
    reason: "ESP that opens only with the keys of the SA that was replaced",
  },
  {
    does: "expands new keys with the old SPIs",
    lie: "keys-new-ike-sas-with-the-old-spis",
    test: "rfc7296/2.18/accepts-an-ike-rekey-as-responder",
    reason: "an answer only under keys expanded from the SPIs of the old IKE SA",
  },
  {
    does: "leaks one packet in clear",
    lie: "leaks-a-packet-in-clear",
    test: "rfc4303/3.3.2/responder-sends-nothing-in-clear",
    reason: "one of them in clear",
  },
  {
    does: "accepts a replay",
    lie: "delivers-duplicates",
    test: "rfc4303/3.4.3/as-responder-delivers-a-replayed-packet-once",
    reason: "expected one echo reply to three copies of a packet, got 3 replies",
  },
  {
    does: "ignores ESN",
    lie: "leaves-high-bits-out-of-icv",
    test: "rfc4303/2.2/responder-authenticates-the-high-half-of-extended-numbers",
    reason: "ESP that opens only without extended sequence numbers",
  },
  {
    does: "answers a different Child than asked",
    lie: "answers-with-another-child-sa",
    test: "rfc7296/1.3/as-responder-makes-the-child-sa-that-was-asked-for",
    reason: "expected TSi of the Child SA that was asked for within",
  },
  {
    does: "reuses a nonce",
    lie: "repeats-its-nonce",
    test: "rfc7296/2.10/sends-fresh-nonces",
    reason: "expected no nonce twice",
  },
  {
    does: "answers INVALID_KE_PAYLOAD with a group that was not offered",
    lie: "names-a-group-that-was-not-offered",
    test: "rfc7296/1.2/names-the-group-it-wants",
    reason: "expected a group that was offered: 31, 14, got group 21",
  },
  {
    does: "treats a retransmitted request as new",
    lie: "answers-repeats-anew",
    test: "rfc7296/2.1/as-responder-answers-a-repeated-create-child-sa-request-with-the-same-octets",
    reason: "it was treated as a new one",
  },
  {
    does: "accepts an AUTH over the wrong octets",
    lie: "verifies-auth-without-the-nonce",
    test: "rfc7296/2.15/responder-refuses-an-auth-without-the-nonce",
    reason: "expected N(AUTHENTICATION_FAILED) for an AUTH over the wrong octets (without the nonce)",
  },
  {
    does: "accepts an expired certificate",
    lie: "accepts-an-expired-certificate",
    test: "rfc7296/3.6/responder-refuses-an-expired-certificate",
    reason: "expected N(AUTHENTICATION_FAILED) for an expired certificate",
  },
];

describe("the planted peers", () => {
  let tests: readonly SuiteTest[];
  const reasons = new Map<string, string>();

  before(async () => {
    tests = await loadTests();
  });

  for (const { does, lie, test: id, reason } of PLANTED) {
    it(`one that ${does} fails for that reason`, async () => {
      const test = tests.find((candidate) => candidate.id === id);
      if (!test) throw new Error(`there is no test ${id}`);
      expect(test.facts.lies, "the lies that the test is to catch").to.include(lie);
      const { rows } = await square([{ ...test, facts: { ...test.facts, lies: [lie] } }], false);
      const cell = rows[0]?.cells.find(({ kind }) => kind === "lie");
      expect(cell?.verdict).to.equal("fail");
      expect(cell?.reason).to.include(reason);
      reasons.set(lie, cell?.reason ?? "");
    });
  }

  it("fail for twelve reasons, none of which fits another", () => {
    expect(reasons.size).to.equal(PLANTED.length);
    for (const { lie, reason } of PLANTED) {
      const fitting = [...reasons].filter(([, given]) => given.includes(reason)).map(([name]) => name);
      expect(fitting).to.deep.equal([lie]);
    }
  });

  it("are lies that break a requirement and say what is seen of them", () => {
    for (const { lie: name } of PLANTED) {
      const lie = lies.find((candidate) => candidate.name === name);
      expect(lie?.breaks, name).to.match(/^[A-Z0-9-]+$/);
      expect(lie?.effect, name).to.match(/\w/);
    }
  });
});
