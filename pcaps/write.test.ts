import { expect } from "chai";
import fc from "fast-check";
import { hex } from "../harness/wire/bytes.ts";
import { parsePcap, readPcap } from "./read.ts";
import { TcpSegments } from "./tcp-segments.ts";
import type { Captured } from "./types.ts";
import { capturedFrom, encodePcap, toIpPackets } from "./write.ts";

const EPOCH = Date.UTC(2026, 10, 20, 21);

function encode(datagrams: readonly Captured[]): Uint8Array {
  const bytes = encodePcap(datagrams, EPOCH);
  if ("error" in bytes) throw new Error(bytes.reason);
  return bytes;
}

const hosts = fc.constantFrom(["192.0.2.1", "198.51.100.2"], ["2001:db8::1", "2001:db8:0:1::2"]);
const port = fc.integer({ min: 0, max: 0xffff });
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
        const pcap = parsePcap(encode(datagrams));
        expect(pcap.error).to.equal(undefined);
        const back = capturedFrom(pcap);
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

  it("reads big-endian files and nanoseconds", () => {
    const bytes = encode([SAMPLE]);
    const swapped = Uint8Array.from(bytes);
    const view = new DataView(swapped.buffer);
    for (const at of [0, 8, 12, 16, 20, 24, 28, 32, 36]) view.setUint32(at, view.getUint32(at, true));
    view.setUint32(0, 0xa1b23c4d);
    view.setUint32(28, 7_000_000);
    const { packets, linkType } = parsePcap(swapped);
    expect(linkType).to.equal(101);
    expect(packets.map(({ timeMs }) => timeMs % 1000)).to.deep.equal([7]);
  });

  it("says where a cut file ends, and keeps what stands before", () => {
    const whole = encode([SAMPLE, SAMPLE]);
    const second = 24 + (whole.length - 24) / 2;
    expect(parsePcap(whole.subarray(0, second + 3)).error).to.deep.include({
      error: "truncated",
      offset: second,
    });
    const cut = parsePcap(whole.subarray(0, whole.length - 1));
    expect(cut.error).to.deep.include({ error: "truncated", offset: second + 16 });
    expect(cut.packets).to.have.length(1);
    expect(parsePcap(whole.subarray(0, 23)).error).to.deep.include({ error: "truncated", offset: 0 });
  });

  it("says what a file is that is no pcap", () => {
    const { error } = parsePcap(new Uint8Array(40).fill(0x0a));
    expect(error).to.deep.include({ error: "magic", offset: 0 });
    expect(error?.reason).to.include("0a0a0a0a");
  });

  it("takes no record larger than any link needs", () => {
    const bytes = encode([SAMPLE]);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(32, 0xffffffff, true);
    expect(parsePcap(bytes).error).to.deep.include({ error: "record-length", offset: 32 });
  });

  it("reports a file that cannot be read", () => {
    expect(readPcap("no/such/file.pcap").error).to.deep.include({ error: "unreadable", offset: 0 });
  });

  it("survives any octets behind any header", () => {
    const header = fc.constantFrom(encode([]), encode([SAMPLE]), new Uint8Array(0));
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), (head, tail) => {
        const pcap = parsePcap(Uint8Array.from([...head, ...tail]));
        capturedFrom(pcap);
        if (pcap.error) expect(pcap.error.offset).to.be.within(0, head.length + tail.length);
      }),
    );
  });
});
