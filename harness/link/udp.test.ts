import { expect } from "chai";
import type { Datagram } from "./types.ts";
import { openUdp, RealWorld } from "./udp.ts";

const ANY = { host: "127.0.0.1", port: 0 };

describe("UDP link", () => {
  it("carries datagrams both ways and tells where they came from", async () => {
    const world = new RealWorld();
    const [a, b] = [await openUdp([ANY]), await openUdp([ANY, ANY])];
    const seen: Datagram[] = [];
    try {
      for (const link of [a, b])
        link.onReceive((datagram) => {
          seen.push(datagram);
          world.poke();
        });
      const [source] = a.addresses;
      const destination = b.addresses[1];
      if (!source || !destination) throw new Error("not bound");
      a.send({ protocol: "udp", source, destination, data: Uint8Array.of(1, 2, 3) });
      expect(await world.until(() => seen.length === 1, 5000)).to.equal(true);
      expect(seen[0]).to.deep.equal({ protocol: "udp", source, destination, data: Uint8Array.of(1, 2, 3) });
      b.send({ protocol: "udp", source: destination, destination: source, data: Uint8Array.of(4) });
      expect(await world.until(() => seen.length === 2, 5000)).to.equal(true);
      expect(seen[1]?.source).to.deep.equal(destination);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });

  it("says which address cannot be bound, and keeps no socket open", async () => {
    const taken = await openUdp([ANY]);
    try {
      const [address] = taken.addresses;
      if (!address) throw new Error("not bound");
      const failure = await openUdp([ANY, address]).catch((error: Error) => error);
      expect(failure).to.be.instanceOf(Error);
      expect(String(failure)).to.include("EADDRINUSE");
    } finally {
      await taken.close();
    }
  });

  it("takes an unreachable peer for a silent one", async () => {
    const link = await openUdp([ANY]);
    const [source] = link.addresses;
    if (!source) throw new Error("not bound");
    const destination = { host: "127.0.0.1", port: 1 };
    for (let i = 0; i < 3; i++) link.send({ protocol: "udp", source, destination, data: new Uint8Array(1) });
    await new RealWorld().until(() => false, 20);
    await link.close();
  });

  it("sends nothing to port 0, where a forged datagram may come from, nor after its end", async () => {
    const link = await openUdp([ANY]);
    const [source] = link.addresses;
    if (!source) throw new Error("not bound");
    const to = (port: number) =>
      link.send({
        protocol: "udp",
        source,
        destination: { host: "127.0.0.1", port },
        data: new Uint8Array(1),
      });
    to(0);
    await link.close();
    to(9);
  });

  it("gives one socket to all that leaves from a new address of ours", async () => {
    const [a, b] = [await openUdp([ANY]), await openUdp([ANY])];
    const [destination] = b.addresses;
    const [first] = a.addresses;
    if (!destination || !first) throw new Error("not bound");
    const seen: Datagram[] = [];
    const world = new RealWorld();
    b.onReceive((datagram) => {
      seen.push(datagram);
      world.poke();
    });
    try {
      const source = { host: "127.0.0.2", port: first.port };
      for (let i = 0; i < 3; i++) a.send({ protocol: "udp", source, destination, data: Uint8Array.of(i) });
      await world.until(() => seen.length === 3, 2000);
      expect(seen.map((d) => d.source)).to.deep.equal([source, source, source]);
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  });
});

describe("real time", () => {
  it("waits for a condition that a timer makes true, and gives up in time", async () => {
    const world = new RealWorld();
    let done = false;
    world.clock.at(world.clock.now() + 5, () => (done = true));
    expect(await world.until(() => done, 5000)).to.equal(true);
    expect(await world.until(() => false, 5)).to.equal(false);
  });

  it("tells a condition that throws to the one that waits, not to the one that pokes", async () => {
    const world = new RealWorld();
    let broken = false;
    const waiting = world.until(() => {
      if (broken) throw new RangeError("broken");
      return false;
    }, 5000);
    broken = true;
    world.poke();
    const error = await waiting.catch((e: Error) => e);
    expect(error).to.be.instanceOf(RangeError);
  });

  it("forgets a cancelled timer", async () => {
    const world = new RealWorld();
    let fired = false;
    world.clock.at(world.clock.now() + 1, () => (fired = true))();
    await world.until(() => fired, 15);
    expect(fired).to.equal(false);
  });
});
