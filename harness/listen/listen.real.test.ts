import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import type { PeerConfig, RunningPeer } from "../../peers/contract.ts";
import { Registry, startPeer } from "../../peers/runtime/index.ts";
import { requirePeer, sas, tunnelConfig, untilStatus } from "../../peers/runtime/testing.ts";
import { RemoteListener } from "./testing-remote.ts";
import type { SessionEvent, SessionView } from "./types.ts";

describe("strongswan@6.1 dials the listener (needs root)", function () {
  this.timeout(60_000);
  let folder: string;
  let peer: RunningPeer;
  let listener: RemoteListener;

  before(async function () {
    const { definition, version, runtime } = requirePeer(this, "strongswan@6.1:netns");
    const options = { runId: "listen", lane: process.pid % 1000, registry: new Registry("listen") };
    folder = mkdtempSync(join(tmpdir(), "bakeoff-listen-real-"));
    peer = await startPeer(definition, version, runtime, options);
    listener = await RemoteListener.open(peer.testerNamespace ?? "", peer.tester, folder);
  });
  after(async () => {
    await listener?.close();
    await peer?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  async function until(view: SessionView, wanted: (event: SessionEvent) => boolean): Promise<SessionEvent> {
    const end = Date.now() + 15_000;
    for (;;) {
      const all = await listener.events(view);
      const found = all.find(wanted);
      if (found) return found;
      if (Date.now() > end)
        throw new Error(`not among\n${all.map((e) => JSON.stringify(e).slice(0, 300)).join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As a participant does what its page says. */
  async function dial({ identity, peerIdentity, secret, proposals, networks }: SessionView): Promise<void> {
    const config: PeerConfig = {
      ...tunnelConfig(proposals.ike, proposals.esp),
      ...{ psk: secret, localId: identity, remoteId: peerIdentity },
      ...{ localTs: networks.participant, remoteTs: networks.ours },
    };
    await peer.driver.configure(config);
    await peer.driver.initiate();
  }
  const established = (dialNumber: number) => (event: SessionEvent) =>
    event.kind === "dial" && event.what === "established" && event.dial === dialNumber;

  it("has its verdicts, by lint and by tests, and is dialled back", async () => {
    const view = await listener.create("rfc7619");
    await dial(view);
    await until(view, established(1));
    await untilStatus(peer, sas(1, 1));
    await peer.driver.sendTraffic({ from: "203.0.113.17", to: "203.0.113.1", count: 2 });
    await until(view, (event) => event.kind === "message" && /echo reply/.test(event.line));
    const lint = await until(view, ({ kind }) => kind === "verdict");
    expect(lint).to.include({ of: "requirement", id: "rfc7296", verdict: "pass" });
    await peer.driver.reset();
    await dial(view);
    await until(view, (event) => event.kind === "note" && /please dial again/.test(event.text));
    await dial(view);
    const test = await until(view, (event) => event.kind === "verdict" && event.of === "test");
    expect(test).to.include({ id: view.queued[0], verdict: "pass" });
    await peer.driver.reset();
    const to = { host: peer.peer, port: 500 };
    expect(await listener.ask({ ask: "dialBack", id: view.id, to }, z.null())).to.equal(null);
    await until(view, established(3));
    await untilStatus(peer, sas(1, 1));
  });

  it("has a page of its own in each of three sessions from one address", async () => {
    const views = [await listener.create(), await listener.create(), await listener.create()];
    for (const [index, view] of views.entries()) {
      await dial(view);
      // The session of the test before has a test for whoever dials from there.
      if (index === 0) {
        await until(view, (event) => event.kind === "note" && /please dial again/.test(event.text));
        await peer.driver.reset();
        await dial(view);
      }
      await until(view, established(1));
      await peer.driver.reset();
    }
    for (const view of views) {
      await until(view, ({ kind }) => kind === "verdict");
      const said = JSON.stringify(await listener.events(view));
      const named = views.filter(({ identity }) => said.includes(identity));
      expect(named.map(({ id }) => id)).to.deep.equal([view.id]);
    }
  });
});
