/** Waiting for a peer that may die. */
import { expect } from "chai";
import { MortalWorld } from "./mortal-world.ts";

const LONG = 30_000;

describe("MortalWorld", () => {
  it("waits no longer for a peer that has died", async () => {
    let dead = false;
    const world = new MortalWorld(() => dead);
    setTimeout(() => {
      dead = true;
    }, 20);
    const started = performance.now();
    expect(await world.until(() => false, LONG)).to.equal(false);
    expect(performance.now() - started).to.be.lessThan(2_000);
  });

  it("tells what came before the end", async () => {
    const world = new MortalWorld(() => true);
    let come = false;
    setTimeout(() => {
      come = true;
    }, 5);
    expect(await world.until(() => come, LONG)).to.equal(true);
  });

  it("waits for one that lives", async () => {
    const world = new MortalWorld(() => false);
    expect(await world.until(() => false, 80)).to.equal(false);
    let come = false;
    world.clock.at(world.clock.now() + 120, () => {
      come = true;
    });
    expect(await world.until(() => come, LONG)).to.equal(true);
  });
});
