import { expect } from "chai";
import { memoryArena } from "../run/arena-memory.ts";
import { lose } from "./raw.ts";
import { Script } from "./script.ts";
import { Failure } from "./verdicts.ts";

describe("a session", () => {
  it("tells a response that cannot be taken from silence", async () => {
    const arena = await memoryArena({}, { seed: "session" });
    const script = new Script(arena);
    const session = await script.dial();
    lose(script, () => true);
    const error: unknown = await session.informational().catch((e: unknown) => e);
    expect(error).to.be.instanceOf(Failure);
    expect(error).to.have.property("actual", "only what was dropped: an extension dropped it");
  });
});
