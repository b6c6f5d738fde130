import { expect } from "chai";
import fc from "fast-check";
import { hex } from "../harness/wire/bytes.ts";
import { dissect, parseCapture } from "./read/index.ts";
import { TcpSegments } from "./tcp-segments.ts";
import type { Captured } from "./types.ts";
import { encodePcap, toIpPackets } from "./write.ts";

const EPOCH = Date.UTC(2026, 10, 20, 21);

function encode(datagrams: readonly Captured[]): Uint8Array {
  const bytes = encodePcap(datagrams, EPOCH);
  if ("error" in bytes) throw new Error(bytes.reason);
  return bytes;
}

const hosts = fc.constantFrom(["192.0.2.1", "198.51.100.2"], ["2001:db8::1", "2001:db8:0:1::2"]);
const port = fc.constantFrom(500, 4500, 848);
const captured: fc.Arbitrary<Captured> = fc
  .record({
    hosts,
    udp: fc.boolean(),
    ports: fc.tuple(port, port),
    timeUs: fc.integer({ min: 0, max: 1e9 }),
    data: fc.uint8Array({ maxLength: 1500 }),
  })
  .map(({ hosts: [from = "", to = ""], udp, ports, timeUs, data }) => ({
    timeMs: timeUs / 1000,
    protocol: udp ? "udp" : "esp",
    source: { host: from, port: udp ? ports[0] : 0 },
    destination: { host: to, port: udp ? ports[1] : 0 },
    data,
  }));

const SAMPLE: Captured = {
  timeMs: 1500.25,
  protocol: "udp",
  source: { host: "192.0.2.1", port: 500 },
  destination: { host: "198.51.100.2", port: 500 },
  data: Uint8Array.of(1, 2, 3),
};

describe("pcap", () => {
  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(fc.array(captured, { maxLength: 8 }), (datagrams) => {
        const back = [...dissect(parseCapture(encode(datagrams)))].filter((one) => one.kind === "datagram");
        expect(back).to.have.length(datagrams.length);
        back.forEach((one, index) => {
          const { timeMs, data, ...rest } = datagrams[index]!;
          expect(one).to.deep.include(rest);
          expect(hex(one.data)).to.equal(hex(data));
          expect(one.timeMs - EPOCH).to.be.closeTo(timeMs, 0.001);
        });
      }),
    );
  });

  it("writes the header Wireshark knows, with raw IP inside", () => {
    const bytes = encode([SAMPLE]);
    expect(hex(bytes.subarray(0, 24))).to.equal("d4c3b2a1020004000000000000000000" + "00000400" + "65000000");
    expect(hex(bytes.subarray(40, 42))).to.equal("4500");
  });

  it("refuses addresses that are none, or of two families", () => {
    const other = { ...SAMPLE, destination: { host: "2001:db8::1", port: 500 } };
    expect(toIpPackets(other, new TcpSegments())).to.deep.include({ error: "address" });
    expect(encodePcap([{ ...SAMPLE, source: { host: "nobody", port: 1 } }], 0)).to.deep.include({
      error: "address",
    });
  });
});
