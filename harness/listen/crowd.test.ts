import { expect } from "chai";
import { Caller, type Lab, openLab } from "./testing.ts";
import type { SessionEvent, SessionView } from "./types.ts";

const MANY = 40;
const LATEST_MS = 5_000;

interface One {
  view: SessionView;
  caller: Caller;
  lastPacket: number;
}

describe("forty participants at once", function () {
  this.timeout(30_000);
  let lab: Lab;
  const all: One[] = [];
  before(async () => {
    lab = await openLab();
    for (let i = 0; i < MANY; i++)
      all.push({ view: lab.session({ name: `box ${i}` }), caller: await Caller.open(), lastPacket: 0 });
  });
  after(async () => {
    for (const { caller } of all) await caller.close();
    await lab.close();
    expect(lab.faults).to.deep.equal([]);
  });

  const dial = async (one: One) => {
    const session = await one.caller.script(one.view).dial();
    expect(await session.ping()).to.equal(true);
    await session.deleteIke();
    one.lastPacket = Date.now();
  };
  const sessionVerdict = async ({ view }: One): Promise<SessionEvent> => {
    for (;;) {
      const found = lab.hub.events(view.id, 0).find(({ kind }) => kind === "verdict");
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  it("each have their verdicts within 5 s of their last packet, and nobody else's", async () => {
    await Promise.all(all.map(dial));
    const verdicts = await Promise.all(all.map(sessionVerdict));
    const late = verdicts.map(({ at }, i) => at - (all[i]?.lastPacket ?? 0));
    expect(Math.max(...late)).to.be.below(LATEST_MS);
    for (const { view, caller } of all) {
      const events = lab.hub.events(view.id, 0);
      const sources = events.flatMap((event) => (event.kind === "dial" ? [event.source.port] : []));
      expect(new Set(sources)).to.deep.equal(new Set([caller.address.port]));
      const said = JSON.stringify(events);
      const named = all.filter((other) => said.includes(other.view.identity));
      expect(named.map((other) => other.view.name)).to.deep.equal([view.name]);
    }
  });
});
