import { expect } from "chai";
import { playAlone } from "./hostile-play.ts";
import type { Cost } from "./hostile-stage.ts";

const MOST = 64 * 2 ** 20;
/** A whole exchange with all its retransmissions, on a busy machine. */
const LONGEST_MS = 10_000;

const play = playAlone<Cost>;

/** What is kept stays bounded, and the next handshake comes up. */
function expectHarmless(cost: Cost): void {
  expect(cost.kept, `${cost.name}: kept`).to.be.below(MOST);
  expect(cost.next, `${cost.name}: the next handshake`).to.equal(true);
}

/** So does what is resident, garbage and the hostile end included. */
function expectCheap(cost: Cost): void {
  expectHarmless(cost);
  expect(cost.resident, `${cost.name}: resident`).to.be.below(MOST);
  expect(cost.ms, `${cost.name}: milliseconds`).to.be.below(LONGEST_MS);
}

/** What is never looked at, wherever it comes. */
const EXCESSIVE =
  /^(255 proposals|7,750 transforms|15,500 attributes|10,000|15,500 SPIs|3,875 selectors|certificates in hundreds)/;

describe("a hostile peer in memory", function () {
  this.timeout(120_000);

  it("costs little by one message, in every exchange and to both ends, and leaves a finding", async () => {
    const costs = await play("messages");
    expect(costs).to.have.length(8 * 15);
    costs.forEach(expectCheap);
    for (const { name, findings } of costs.filter(({ name }) => EXCESSIVE.test(name)))
      expect(findings[0], name).to.match(/^[0-9]+ .*, of which no more than [0-9]+ are looked at$/);
  });

  it("costs little by certificates that are none and by EAP without measure, and leaves a finding", async () => {
    const costs = await play("proofs");
    expect(costs).to.have.length(2 * 6 + 2);
    costs.forEach(expectCheap);
    for (const { name, findings } of costs)
      expect(findings[0], name).to.match(/^malformed: |^300 certificates, |^EAP failed: /);
  });

  for (const end of ["a responder", "an initiator"]) {
    it(`costs little by all fragments a message can have, sent to ${end}, and leaves a finding`, async () => {
      const costs = await play(`fragments to ${end}`);
      expect(costs).to.have.length(1);
      costs.forEach(expectHarmless);
      expect(costs[0]?.findings[0]).to.equal("fragment 65535 of 65535, and more than 255 are not collected");
    });
  }

  it("fills neither a responder nor the trace of a test by handshakes that it does not finish", async () => {
    const costs = [
      ...(await play("initiators that never finish")),
      ...(await play("initiators that never finish, traced")),
    ];
    expect(costs).to.have.length(2);
    costs.forEach(expectHarmless);
  });
});
