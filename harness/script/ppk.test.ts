import { expect } from "chai";
import { memoryArena } from "../run/arena-memory.ts";
import { expectNoPpkAuth, needPpk, SHARED_PPK } from "./ppk.ts";
import { lose } from "./raw.ts";
import { Script } from "./script.ts";
import { Failure, Unsupported } from "./verdicts.ts";

const script = async (lie?: string) =>
  new Script(await memoryArena({ config: { ppks: [SHARED_PPK] } }, { seed: "ppk", lie }));

describe("PPKs in tests", () => {
  it("tell a peer that says nothing from one that says nothing of PPKs", async () => {
    const silent = await script();
    lose(silent, () => true);
    await silent.provoke(() => false);
    expect(() => needPpk(silent, "initiator")).to.throw(Failure);
    const without = await script("announces-no-ppks");
    await without.provoke(() => without.trace.exchanges.length > 0);
    expect(() => needPpk(without, "initiator")).to.throw(Unsupported);
  });

  it("end the wait for a peer as soon as we have refused it", async () => {
    const s = await script("makes-no-ppk-auth-with-the-ppk");
    const error: unknown = await expectNoPpkAuth(s).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(Failure).with.property("actual", "AUTH does not verify");
    expect(s.arena.world.clock.now()).to.be.below(s.arena.patience / 4);
  });
});
