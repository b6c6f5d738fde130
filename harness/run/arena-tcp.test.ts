import { expect } from "chai";
import { Script } from "../script/script.ts";
import { memoryArena } from "./arena-memory.ts";
import { openPeer } from "./open-peer.ts";

/** Protocols of all that was sent or received, each once. */
const protocolsOf = (script: Script): string[] => [
  ...new Set(
    script.trace.entries.flatMap(({ event }) =>
      event.type === "datagram-sent" || event.type === "datagram-received" ? [event.datagram.protocol] : [],
    ),
  ),
];

const overTcp = (impairment = {}) =>
  memoryArena({ config: { transport: "tcp" } }, { seed: "tcp", impairment });

describe("the arena in memory over TCP", () => {
  it("carries IKE and ESP of both roles in frames alone", async () => {
    for (const role of ["responder", "initiator"] as const) {
      const script = new Script(await overTcp());
      const session = await script.establish(role);
      await session.proveTraffic();
      await session.rekeyChild();
      const fresh = await session.rekeyIke();
      await fresh.proveTraffic();
      expect(fresh.sa.remote).to.deep.equal({ host: "192.0.2.2", port: 4500, transport: "tcp" });
      await fresh.deleteIke();
      expect(protocolsOf(script)).to.deep.equal(["tcp"]);
    }
  });

  it("does so over real sockets, with the builtin peer in a process of its own", async () => {
    const settings = { testLimitMs: 60_000, runId: "tcp", lane: 0, seed: "tcp" };
    const peer = await openPeer({
      ...settings,
      kind: "order",
      peer: "builtin:process",
      id: "peer",
      tests: [],
    });
    try {
      for (const role of ["responder", "initiator"] as const) {
        const script = new Script(await peer.arena(role, { config: { transport: "tcp" } }));
        const session = await script.establish(role);
        await session.proveTraffic();
        const fresh = await session.rekeyIke();
        await fresh.proveTraffic();
        expect(protocolsOf(script)).to.deep.equal(["tcp"]);
        script.host.stop();
      }
    } finally {
      await peer.stop();
    }
  }).timeout(30_000);

  it("neither loses nor repeats a frame where datagrams get lost", async () => {
    const script = new Script(await overTcp({ loss: 0.5, corruption: 0.3, duplication: 0.5, jitterMs: 500 }));
    const session = await script.dial();
    expect(await session.ping({ tries: 1 })).to.equal(true);
    const copies = script.trace.entries.filter(({ event }) => event.type === "sent" && event.copy > 0);
    expect(copies).to.deep.equal([]);
  });

  it("sends nothing again to a peer that does not answer, and gives up in the end", async () => {
    const script = new Script(await overTcp());
    script.arena.link.onReceive(() => {});
    const { sa } = await script.tryInit();
    expect(sa.state).to.equal("closed");
    expect(script.trace.entries.filter(({ event }) => event.type === "datagram-sent")).to.have.length(1);
  });
});
