import { expect } from "chai";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import { Script } from "../../harness/script/script.ts";
import { halfOpenAlarm } from "./half-open.ts";

async function judge(lie?: string) {
  const arena = await memoryArena({}, { seed: "half-open", lie });
  const script = new Script(arena);
  const alarm = await halfOpenAlarm(arena.driver, arena.world, () => script.tryInit());
  script.host.stop();
  return alarm;
}

describe("half-open IKE SAs", () => {
  it("are let go by an honest peer", async () => expect(await judge()).to.equal(undefined));
});
