import { expect } from "chai";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import { Script } from "../../harness/script/script.ts";
import type { Planted } from "../../peers/builtin/lies/lie.ts";
import { halfOpenAlarm } from "./half-open.ts";

/** Never lets go of one. */
const KEEPS: Planted = {
  name: "keeps half-open IKE SAs",
  behaviour: () => ({
    ike: {
      incoming: (_message, core) => {
        core.policy.halfOpenMs = 3_600_000;
        return undefined;
      },
    },
  }),
};

async function judge(lie?: Planted) {
  const arena = await memoryArena({}, { seed: "half-open", lie });
  const script = new Script(arena);
  const alarm = await halfOpenAlarm(arena.driver, arena.world, () => script.tryInit());
  script.host.stop();
  return alarm;
}

describe("half-open IKE SAs", () => {
  it("are let go by an honest peer", async () => expect(await judge()).to.equal(undefined));
  it("raise an alarm where they stay", async () => {
    expect((await judge(KEEPS))?.detail).to.match(
      /^0 IKE SAs before, 20 with 20 half-open ones, 20 after 180 s$/,
    );
  });
});
