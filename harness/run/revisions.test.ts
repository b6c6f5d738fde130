import { expect } from "chai";
import { variants } from "../../peers/builtin/variants.ts";
import { Behind } from "../script/verdicts.ts";
import { ordinaryConfig } from "./config.ts";
import { runTest } from "./lane.ts";
import { memoryPeer } from "./live-peer.ts";
import { fullId, plainId } from "./revisions.ts";
import { formatRow, square } from "./square.ts";
import type { SuiteTest } from "./suites.ts";

/** Passes on a peer that was told to speak what the test is about. */
const test = (document: string, revision: string): SuiteTest => ({
  ...{ id: `${document}/4/speaks-it`, document, revision, section: "4", title: "speaks it" },
  ...{ file: "", page: "", facts: { requirements: [], peer: "responder", lies: ["omits-nonce"] } },
  body: async (s) => {
    await s.dial();
    expect(s.arena.config.drafts).to.deep.equal(revision === "" ? undefined : { [document]: revision });
  },
});

const run = async (one: SuiteTest) => {
  const peer = memoryPeer({ peer: "builtin:memory", id: "builtin", seed: "1" }, "");
  return (await runTest(one, peer, { epochMs: 0, testLimitMs: 10_000 })).result;
};

describe("a test of a revision", () => {
  it("has its peer told to speak that revision, and its result names it", async () => {
    for (const [document, revision] of [
      ["esp-ping", "M"],
      ["esp-ping", "E3"],
      ["rfc7296", ""],
    ] as const)
      expect(await run(test(document, revision))).to.include({ verdict: "pass", document, revision });
  });

  it("says in its result what is provisional", async () => {
    expect(await run(test("anti-replay-subspaces", "03")))
      .to.have.property("provisional")
      .that.match(/draft/);
    expect(await run(test("esp-ping", "M"))).to.not.have.property("provisional");
  });

  it("ends behind on a peer that proves to speak an older one", async () => {
    const body = async () => {
      throw new Behind("E3", "it announced ENCRYPTED_PING_SUPPORTED");
    };
    expect(await run({ ...test("esp-ping", "M"), body })).to.include({
      verdict: "behind",
      reason: "the peer speaks revision E3: it announced ENCRYPTED_PING_SUPPORTED",
    });
  });

  it("has an id with and one without its revision", () => {
    const older = { id: "esp-ping@E3/4/x", document: "esp-ping", revision: "E3" };
    expect([plainId(older), fullId(older)]).to.deep.equal(["esp-ping/4/x", "esp-ping@E3/4/x"]);
    const newest = { id: "esp-ping/4/x", document: "esp-ping", revision: "M" };
    expect([plainId(newest), fullId(newest)]).to.deep.equal(["esp-ping/4/x", "esp-ping@M/4/x"]);
  });
});

describe("the variant that is older", () => {
  const older = variants.find(({ name }) => name === "older");
  const end = { host: "192.0.2.1", port: 500 };
  const told = (drafts?: Record<string, string>) =>
    older?.behaviour().config?.({ ...ordinaryConfig(end, end), ...(drafts ? { drafts } : {}) })?.drafts;

  it("speaks the revision before the newest, and any other as told", () => {
    expect(told({ "esp-ping": "M" })).to.deep.equal({ "esp-ping": "E3" });
    expect(told({ "esp-ping": "E3" })).to.deep.equal({ "esp-ping": "E3" });
    expect(told({ "anti-replay-subspaces": "03" })).to.deep.equal({ "anti-replay-subspaces": "03" });
    expect(told()).to.deep.equal({});
  });

  it("stands in the square where a document has an older revision, and may end behind there", async () => {
    const body = async () => {
      throw new Behind("E3", "planted");
    };
    const { rows, gaps } = await square(
      [{ ...test("esp-ping", "M"), body }, test("esp-ping", "E3"), test("rfc7296", "")],
      false,
    );
    const behind = rows[0]?.cells.filter(({ name }) => name === "older");
    expect(behind).to.deep.equal([
      { kind: "variant", name: "older", verdict: "behind", reason: "the peer speaks revision E3: planted" },
    ]);
    for (const row of rows.slice(1)) expect(formatRow(row)).to.not.include("older");
    expect(gaps[0]).to.match(/the honest peer: behind/);
  });
});
