import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { said } from "./said.ts";

describe("bakeoff catch", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-catch-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("shows the requirement that a bug breaks, and the ladder of the test that sees it", async () => {
    const { status, out, err } = await said("catch", "omits-nonce", "--out", folder);
    expect([status, err]).to.deep.equal([0, `captures, keys and ladders: ${join(folder, "evidence")}\n`]);
    expect(out).to.match(
      /^omits-nonce: no Nonce in IKE_SA_INIT\n {2}breaks IKEV2-266, .* section 3.9, MUST\n/,
    );
    expect(out).to.match(/\n {2}seen by rfc7296\/[^\n]*: fail \(the peer is responder\)\n {2}expected /);
    expect(out).to.contain("| -- IKE_SA_INIT request 0: SA KE(CURVE25519) No");
    expect(existsSync(join(folder, "evidence"))).to.equal(true);
    expect(readdirSync(join(folder, "evidence"))).to.deep.equal(["builtin__omits-nonce"]);
  });

  it("names each of the four faults of summer 2026 by its requirement, in both roles where it has two", async () => {
    const { status, out } = await said("catch", "summer-2026", "--json", "--out", folder);
    expect(status).to.equal(0);
    const caught: { name: string; breaks: string; tests: { verdict: string }[] }[] = JSON.parse(out);
    expect(new Set(caught.map(({ breaks }) => breaks))).to.include.members([
      "INT-06",
      "MKE-28",
      "MKE-29",
      "MKE-40",
    ]);
    for (const { name, tests } of caught) expect(tests, name).not.to.be.empty;
  });

  it("gives the whole reason of a crash", async () => {
    const { out } = await said("catch", "dies-of-much-in-fragments", "--out", folder);
    expect(out).to.match(
      /: crash \(the peer is responder\)\n {2}the peer died: signal SIGSEGV \(planted\)\n/,
    );
  });

  it("says which name comes nearest to one that does not exist", async () => {
    const { status, err } = await said("catch", "summer-2025");
    expect(status).to.equal(2);
    expect(err).to.contain('unknown bug "summer-2025", nearest: summer-2026');
  });
});
