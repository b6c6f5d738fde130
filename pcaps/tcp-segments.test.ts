import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../harness/wire/bytes.ts";
import { isIpError, parseAddress, parseIp, parseTcp } from "../harness/wire/ip.ts";
import { StreamReader } from "../harness/wire/tcp-encap.ts";
import { REAL_MESSAGES } from "../harness/wire/vectors.ts";
import { TcpSegments } from "./tcp-segments.ts";
import { tsharkVersion } from "./tshark.ts";
import type { Captured } from "./types.ts";
import { writePcap } from "./write.ts";

const US = { host: "192.0.2.1", port: 40_000 };
const PEER = { host: "192.0.2.2", port: 4500 };

const sent = (data: Uint8Array): Captured => ({
  timeMs: 0,
  protocol: "tcp",
  source: US,
  destination: PEER,
  data,
});
const received = (data: Uint8Array): Captured => ({ ...sent(data), source: PEER, destination: US });
const marked = (name: string): Uint8Array => concat(new Uint8Array(4), fromHex(REAL_MESSAGES[name] ?? ""));

function segments(all: readonly Captured[]) {
  const tcp = new TcpSegments();
  const address = (host: string) => parseAddress(host) ?? new Uint8Array(4);
  return all.flatMap((one) =>
    tcp
      .packets(one, { source: address(one.source.host), destination: address(one.destination.host) })
      .map((octets) => {
        const packet = parseIp(octets);
        if (isIpError(packet)) throw new Error(packet.error);
        const segment = parseTcp(packet);
        if (isIpError(segment)) throw new Error(segment.error);
        return segment;
      }),
  );
}

describe("TCP in captures", () => {
  it("counts the octets of both directions, with the prefix of who sent first", () => {
    const all = segments([sent(fromHex("ff")), received(fromHex("ff")), sent(fromHex("ff"))]);
    expect(all.map(({ sequence, acknowledgment }) => [sequence, acknowledgment])).to.deep.equal([
      [1, 1],
      [1, 10],
      [10, 4],
    ]);
    expect(all.map(({ payload }) => hex(payload))).to.deep.equal(["494b455443500003ff", "0003ff", "0003ff"]);
    expect(all.every(({ checksumOk }) => checksumOk)).to.equal(true);
  });

  it("holds frames of any size, as the reader of the stream finds them", () => {
    const sizes = fc.array(fc.oneof(fc.nat(2000), fc.integer({ min: 60_000, max: 65_533 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(sizes, (given) => {
        const reader = new StreamReader({ prefix: true });
        const all = segments(given.map((size) => sent(new Uint8Array(size).fill(7))));
        const read = all.flatMap(({ payload }) => reader.push(payload));
        expect(read.map(({ content }) => content.length)).to.deep.equal(given);
      }),
      { numRuns: 20 },
    );
  });

  it("is decoded by tshark with the script beside this file", async function () {
    if ((await tsharkVersion()) === undefined) this.skip();
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-tcp-"));
    try {
      const capture = join(folder, "capture.pcap");
      const esp = fromHex("c0ffee01000000010102030405060708090a0b0c0d0e0f10");
      const all = [sent(marked("IKE_SA_INIT request")), received(marked("IKE_SA_INIT response")), sent(esp)];
      expect(writePcap(capture, [...all, sent(fromHex("ff"))], 0)).to.equal(undefined);
      const script = `lua_script:${join(import.meta.dirname, "iketcp.lua")}`;
      const fields = ["-T", "fields", "-e", "_ws.col.Protocol", "-e", "isakmp.exchangetype", "-e", "esp.spi"];
      const args = ["-X", script, "-n", "-r", capture, ...fields];
      const lines = execFileSync("tshark", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      expect(
        lines
          .trimEnd()
          .split("\n")
          .map((line) => line.trimEnd()),
      ).to.deep.equal(["ISAKMP\t34", "ISAKMP\t34", "ESP\t\t0xc0ffee01", "IKETCP"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
