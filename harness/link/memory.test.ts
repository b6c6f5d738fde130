import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { type Impairment, MemoryNetwork } from "./memory.ts";
import type { Datagram } from "./types.ts";

const A = { host: "192.0.2.1", port: 500 };
const B = { host: "192.0.2.2", port: 500 };

const datagram = (number: number): Datagram => ({
  ...{ protocol: "udp", source: A, destination: B },
  data: Uint8Array.of(number >> 8, number & 255, 0, 0, 0, 0),
});

/** Sends `count` datagrams, one a second; gives what arrived, and when. */
async function carry(
  seed: string,
  count: number,
  impairment: Partial<Impairment>,
): Promise<{ at: number; data: Uint8Array }[]> {
  const network = new MemoryNetwork(seededRandom(seed), impairment);
  const arrived: { at: number; data: Uint8Array }[] = [];
  const link = network.attach(A.host);
  network.attach(B.host).onReceive(({ data }) => arrived.push({ at: network.clock.now(), data }));
  for (let number = 0; number < count; number++) {
    link.send(datagram(number));
    await network.until(() => false, 1000);
  }
  await network.until(() => false, 100_000);
  return arrived;
}

const numberOf = (data: Uint8Array): number => ((data[0] ?? 0) << 8) | (data[1] ?? 0);

describe("network in memory", () => {
  it("delivers everything once, in order and after the delay, unless it is impaired", async () => {
    const arrived = await carry("plain", 20, { delayMs: 7 });
    expect(arrived.map(({ data }) => numberOf(data))).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
    expect(arrived.map(({ at }) => at)).to.deep.equal(Array.from({ length: 20 }, (_, i) => 1000 * i + 7));
  });

  it("repeats a run from its seed, octet by octet", async () => {
    const bad = { loss: 0.3, duplication: 0.3, corruption: 0.2, jitterMs: 3000 };
    expect(await carry("seed", 100, bad)).to.deep.equal(await carry("seed", 100, bad));
    expect(await carry("seed", 100, bad)).not.to.deep.equal(await carry("other", 100, bad));
  });

  it("loses and spoils no more in a row than the bound, both counted together", async () => {
    const bounds = fc.record({ seed: fc.nat(), maxInARow: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(bounds, async ({ seed, maxInARow }) => {
        const arrived = await carry(`${seed}`, 60, { loss: 0.5, corruption: 0.4, maxInARow });
        const whole = new Set(
          arrived
            .filter(({ data }) => data.subarray(2).every((b) => b === 0))
            .map(({ data }) => numberOf(data)),
        );
        for (let from = 0; from + maxInARow < 60; from++) {
          const run = Array.from({ length: maxInARow + 1 }, (_, i) => whole.has(from + i));
          expect(run, `from ${from}`).to.include(true);
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it("reorders by jitter and duplicates", async () => {
    const jittered = (await carry("jitter", 50, { jitterMs: 5000 })).map(({ data }) => numberOf(data));
    expect(jittered).to.have.length(50);
    expect(jittered).not.to.deep.equal(jittered.toSorted((a, b) => a - b));
    expect(await carry("twice", 50, { duplication: 1 })).to.have.length(100);
  });

  it("waits until a condition holds, and no longer than it is told", async () => {
    const network = new MemoryNetwork(seededRandom("until"));
    let done = false;
    network.clock.at(500, () => (done = true));
    expect(await network.until(() => done, 400)).to.equal(false);
    expect(network.clock.now()).to.equal(400);
    expect(await network.until(() => done, 400)).to.equal(true);
    expect(network.clock.now()).to.equal(500);
  });

  it("forgets what is cancelled", () => {
    const network = new MemoryNetwork(seededRandom("cancel"));
    const fired: string[] = [];
    network.clock.at(1, () => fired.push("kept"));
    network.clock.at(2, () => fired.push("cancelled"))();
    network.run(10);
    expect(fired).to.deep.equal(["kept"]);
    expect(network.clock.now()).to.equal(10);
  });

  it("carries a datagram for a multicast group to everybody who joined, the sender too, and to nobody else", () => {
    const network = new MemoryNetwork(seededRandom("group"));
    const got = joined(network, ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "239.1.1.1");
    const strangers = joined(network, ["192.0.2.4"], "239.1.1.2");
    const sender = network.attach("192.0.2.9");
    sender.send({ ...datagram(1), destination: { host: "239.1.1.1", port: 848 } });
    sender.join?.("239.1.1.1");
    sender.onReceive(() => got.set("self", 1));
    sender.send({ ...datagram(2), destination: { host: "239.1.1.1", port: 848 } });
    network.run(10);
    expect([...got.values()]).to.deep.equal([2, 2, 2, 1]);
    expect([...strangers.values()]).to.deep.equal([0]);
  });

  it("loses multicast for each receiver by itself, and delivers nothing to one that closed", async () => {
    const network = new MemoryNetwork(seededRandom("lossy"), { loss: 0.4 });
    const hosts = Array.from({ length: 8 }, (_, i) => `2001:db8::${i + 1}`);
    const got = joined(network, hosts, "ff05::1");
    const sender = network.attach("2001:db8::99");
    const send = () => sender.send({ ...datagram(1), destination: { host: "ff05::1", port: 848 } });
    for (let i = 0; i < 10; i++) send();
    network.run(10);
    expect(new Set(got.values()).size).to.be.greaterThan(1);
    const leaver = network.attach("2001:db8::50");
    leaver.join?.("ff05::1");
    leaver.onReceive(() => got.set("left", 1));
    send();
    await leaver.close();
    network.run(10);
    expect(got.has("left")).to.equal(false);
  });
});

/** Hosts that joined the group, and how much each of them got. */
function joined(network: MemoryNetwork, hosts: string[], group: string): Map<string, number> {
  const got = new Map(hosts.map((host) => [host, 0]));
  for (const host of hosts) {
    const link = network.attach(host);
    link.join?.(group);
    link.onReceive(() => got.set(host, (got.get(host) ?? 0) + 1));
  }
  return got;
}
