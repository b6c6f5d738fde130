import { expect } from "chai";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import { findSetup } from "../setups.ts";
import type { FuzzCase } from "../trace.ts";
import { Player } from "./player.ts";

/** Its last request makes a Child SA that our end does not take: a Delete for it is on its way when the case is over. */
const played: FuzzCase = {
  ...{ number: 0, seed: "2/114", stage: "create-child" },
  trace: {
    ...{ trace: 1, setup: "transport", peer: "initiator" },
    steps: [
      { act: "peer-initiate" },
      { act: "create-child", changes: [{ message: 0, op: "offer-weak", at: "key exchange NONE" }] },
    ],
  },
};

describe("leaving off", () => {
  it("sends nothing else under the Message ID of a request that the peer has", async () => {
    const arena = await memoryArena(findSetup("transport")?.wishes ?? {}, {
      ...{ seed: "1", lie: "waits-for-the-delete-it-knew" },
    });
    const player = new Player(arena, { peer: "initiator" });
    await player.play(played);
    expect(await player.handshake()).to.equal(undefined);
    player.close();
  });
});
