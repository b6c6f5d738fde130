import { expect } from "chai";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { Extension, OutgoingMessage } from "../ike/hooks.ts";
import { openUdp } from "../link/udp.ts";
import { plant } from "../run/hostile-bombs.ts";
import { certificateBombs } from "../script/bulk.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";

const HOST = "127.0.0.1";
const CASES = 400;

/** Spoils one octet in some of what is sent. */
function spoiling(seed: string): Extension {
  const random = seededRandom(seed);
  const octet = () => random(1)[0] ?? 0;
  return {
    name: "spoils",
    outgoing: (message: OutgoingMessage) => {
      message.octets = (datagram) => {
        const spoiled = datagram.slice();
        const at = (octet() * 256 + octet()) % spoiled.length;
        spoiled[at] = octet();
        return [spoiled, datagram];
      };
    },
  };
}

describe("hostile octets at the listener", function () {
  this.timeout(20_000);
  let lab: Lab;
  before(async () => {
    lab = await openLab({
      initsOfHost: { burst: 2_000, perSecond: 500 },
      inits: { burst: 2_000, perSecond: 500 },
    });
  });
  after(() => lab.close());

  it("cost nobody else anything, and are no fault of ours", async () => {
    const view = lab.session();
    const { ikePort, natPort } = view.endpoint;
    const link = await openUdp([{ host: HOST, port: 0 }]);
    const [source = { host: HOST, port: 0 }] = link.addresses;
    const random = seededRandom("hostile octets");
    for (let i = 0; i < CASES; i++) {
      const data = random((random(1)[0] ?? 0) * 4);
      // Every other one looks like the begin of something.
      if (i % 2 === 0 && data.length > 28) data.set([33, 0x20, EXCHANGE.IKE_SA_INIT, 0x08, 0, 0, 0, 0], 16);
      if (i % 4 === 0) data.fill(0, 8, 16);
      const destination = { host: HOST, port: i % 3 === 0 ? natPort : ikePort };
      link.send({ protocol: "udp", source, destination, data });
    }
    const spoiler = await Caller.open();
    for (let i = 0; i < 4; i++) {
      const script = spoiler.script(view);
      script.extensions.push(spoiling(`octets ${i}`));
      await script.tryDial();
    }
    const bomber = await Caller.open();
    for (const bomb of Object.values(certificateBombs).slice(0, 2)) {
      const script = bomber.script(view);
      const place = { exchange: "IKE_AUTH", of: "request" } as const;
      script.extensions.push({ name: "bomb", outgoing: (message) => plant(message, place, bomb) });
      await script.tryDial();
    }
    const honest = await Caller.open();
    const own = lab.session({ name: "honest" });
    await (await honest.script(own).dial()).deleteIke();
    const verdict = await eventOf(lab.hub, own.id, ({ kind }) => kind === "verdict");
    expect(verdict).to.include({ id: "rfc7296", verdict: "pass" });
    for (const caller of [spoiler, bomber, honest]) await caller.close();
    await link.close();
    expect(lab.faults).to.deep.equal([]);
  });

  it("make it ask for cookies, which an honest participant brings", async () => {
    const careful = await openLab({ unproven: 0 });
    const caller = await Caller.open();
    const view = careful.session();
    await caller.script(view).dial();
    await caller.script(view).dial();
    expect(careful.hub.board.dropped.get("asked for a cookie")).to.equal(1);
    await caller.close();
    await careful.close();
  });
});
