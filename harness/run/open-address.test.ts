import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { fromHex } from "../wire/bytes.ts";
import { addMarker, KEEPALIVE } from "../wire/udp.ts";
import { ordinaryConfig } from "./config.ts";
import type { LivePeer } from "./live-peer.ts";
import { openAddress } from "./open-address.ts";

const INIT = 34;
const INFORMATIONAL = 37;

/** An IKE header behind the non-ESP marker. */
const message = (exchangeType: number, flags: number): Uint8Array => {
  const octets = fromHex(`0102030405060708 ${"00".repeat(8)} 29 20 00 00 00000000 0000001c`);
  octets.set([exchangeType, flags], 18);
  return addMarker(octets);
};

describe("a person who is asked to dial", () => {
  let box: Socket;
  let peer: LivePeer;
  const told: string[] = [];
  beforeEach(() => {
    box = createSocket("udp6");
  });
  afterEach(async () => {
    box.close();
    await peer.stop();
  });

  /** A box at this address, which is asked to dial. `port`: where that has to come. */
  async function asked(host: string) {
    box.bind(0, "::1");
    await once(box, "listening");
    const where = { peer: host, port: box.address().port, natPort: 4500, encap: "udp" as const };
    const end = { host, port: 500 };
    const external = { name: host, version: "unknown", runtime: "address" as const };
    peer = await openAddress(
      { ...{ peer: host, id: host, seed: "1", runId: "prompt", lane: 0 }, network: undefined, external },
      {
        where: { ...where, localAddress: "::1", localPort: 0 },
        config: ordinaryConfig(end, end),
        means: { kind: "prompt", limitMs: 5_000 },
      },
      (text) => told.push(text),
    );
    const { local, driver } = await peer.arena("test", {});
    let isDone = false;
    const dialled = driver.initiate().then(() => {
      isDone = true;
    });
    const send = async (octets: Uint8Array) => {
      box.send(octets, local.port, "::1");
      await pause(50);
    };
    return { dialled, isDone: () => isDone, send };
  }

  it("has dialled with an IKE_SA_INIT request and nothing else, however the address is written", async () => {
    const { dialled, isDone, send } = await asked("0:0:0:0:0:0:0:1");
    const others = [
      KEEPALIVE,
      message(INFORMATIONAL, 0x08),
      message(INIT, 0x20),
      message(INIT, 0).subarray(4),
    ];
    // The last as ESP: without the marker its first octets are an SPI.
    for (const octets of others) await send(octets);
    expect(isDone()).to.equal(false);
    await send(message(INIT, 0x08));
    await dialled;
    expect(isDone()).to.equal(true);
    expect(told.join()).to.match(/dial now$/);
  });
});
