import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { concat, u16, u32 } from "../../harness/wire/bytes.ts";
import { buildIp, buildTcpPacket } from "../../harness/wire/ip.ts";
import { STREAM_PREFIX } from "../../harness/wire/tcp-encap.ts";
import type { CaptureItem, CapturePacket } from "../types.ts";
import { openCapture, parseCapture } from "./capture.ts";
import { Dissector } from "./dissect.ts";
import { MOST_INTERFACES } from "./pcapng.ts";
import { Blocks, classicFile } from "./testing.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

function used(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The most that is kept beyond what was there before, looked at ten times; what comes out is not kept. */
function growth<T>(items: Iterable<T>, about: number, each: (item: T) => void = () => {}): number {
  const before = used();
  let most = 0;
  let count = 0;
  for (const item of items) {
    each(item);
    if (++count % Math.ceil(about / 10) === 0) most = Math.max(most, used() - before);
  }
  return Math.max(most, used() - before);
}

const MIB = 1 << 20;

function* packets(count: number, ip: (index: number) => Uint8Array): Generator<CapturePacket> {
  for (let index = 0; index < count; index++) {
    const data = ip(index);
    const place = { number: index + 1, offset: 100 * index, timeMs: index / 1000 };
    yield { kind: "packet", ...place, linkType: 101, data, originalLength: data.length };
  }
}

/** What so many packets leave behind at most; reasons of faults without their numbers. `ip` may change one packet. */
function dissected(count: number, ip: (index: number) => Uint8Array): { kept: number; faults: Set<string> } {
  const faults = new Set<string>();
  const before = used();
  let most = 0;
  const looked = (function* (): Generator<CaptureItem> {
    for (const one of packets(count, ip)) {
      if (one.number % Math.ceil(count / 4) === 0) most = Math.max(most, used() - before);
      yield one;
    }
  })();
  for (const one of new Dissector().read(looked))
    if (one.kind === "fault") faults.add(one.reason.replace(/\d+/g, "N"));
  return { kept: Math.max(most, used() - before), faults };
}

const host = (index: number): Uint8Array => u32((0xc6336400 + index) >>> 0);
const PEER = Uint8Array.of(192, 0, 2, 1);

describe("memory in the face of hostile captures", function () {
  this.timeout(120_000);

  it("is bounded when fragments of many datagrams never become whole", () => {
    for (const size of [8, 1400]) {
      const packet = buildIp({
        source: host(0),
        destination: PEER,
        protocol: 17,
        payload: new Uint8Array(size),
      });
      const { kept, faults } = dissected(20_000, (index) => {
        packet.set(host(index >>> 2), 12);
        packet.set(u16(index), 4);
        packet.set(u16(0x2000 | (index & 3 ? 100 * (index & 3) : 300)), 6);
        return packet;
      });
      expect(kept).to.be.below(16 * MIB);
      expect([...faults]).to.deep.equal([
        "an IP datagram in fragments is not complete when too many others are under way: N octets are there",
        "an IP datagram in fragments is not complete when the capture ends: N octets are there",
      ]);
    }
  });

  it("is bounded when a datagram comes in the smallest pieces, again and again", () => {
    const packet = buildIp({ source: host(0), destination: PEER, protocol: 50, payload: new Uint8Array(8) });
    const { kept } = dissected(24_000, (index) => {
      packet.set(u16(Math.floor(index / 8000)), 4);
      packet.set(u16(0x2000 | (((index * 4099) % 8000) + 1)), 6);
      return packet;
    });
    expect(kept).to.be.below(16 * MIB);
  });

  it("is bounded when addresses are forged", () => {
    const address = concat(u32(0x20010db8), new Uint8Array(12));
    const packet = buildIp({
      source: address,
      destination: address,
      protocol: 50,
      payload: new Uint8Array(8),
    });
    const { kept } = dissected(80_000, (index) => {
      packet.set(u32(index), 20);
      packet.set(u32(-index >>> 0), 36);
      return packet;
    });
    expect(kept).to.be.below(24 * MIB);
  });

  it("is bounded when TCP streams begin and never end, or have gaps", () => {
    const payload = concat(STREAM_PREFIX, u16(0xffff), new Uint8Array(1400));
    const ports = { sourcePort: 1, destinationPort: 4500, acknowledgment: 0 };
    const build = (flags: number) =>
      buildTcpPacket({ source: host(0), destination: PEER }, { ...ports, sequence: 1, flags, payload });
    const [first, next] = [build(0x02), build(0x10)];
    const { kept } = dissected(32_000, (index) => {
      const packet = index & 3 ? next : first;
      packet.set(host(index >>> 2), 12);
      packet.set(u32(1_000_000 * (index & 3)), 24);
      return packet;
    });
    expect(kept).to.be.below(48 * MIB);
  });

  it("is bounded when a file has a million interfaces", () => {
    const blocks = new Blocks(true);
    const face = blocks.face(1);
    const count = 1_000_000;
    const file = new Uint8Array(28 + count * face.length);
    file.set(blocks.section());
    for (let at = 28; at < file.length; at += face.length) file.set(face, at);
    const items: CaptureItem[] = [];
    expect(growth(parseCapture(file), 1, (item) => items.push(item))).to.be.below(16 * MIB);
    expect(items).to.deep.equal([
      {
        kind: "fault",
        offset: 28 + MOST_INTERFACES * face.length,
        reason: "more than 65536 interfaces in a section; no more are taken",
      },
    ]);
  });

  it("does not grow with the file", () => {
    const data = new Uint8Array(1000);
    const shape = { little: true, nano: false, linkType: 101 };
    const part = classicFile(
      shape,
      Array.from({ length: 1000 }, () => ({ timeNs: 0n, data })),
    ).subarray(24);
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-read-"));
    try {
      const path = join(folder, "big.pcap");
      writeFileSync(path, concat(classicFile(shape, []), ...Array.from({ length: 20 }, () => part)));
      let count = 0;
      expect(growth(openCapture(path), 20_000, () => count++)).to.be.below(4 * MIB);
      expect(count).to.equal(20_000);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a capture that is a pipe", () => {
  it("is read as it comes", () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-read-"));
    try {
      const [file, pipe] = [join(folder, "file.pcap"), join(folder, "pipe")];
      const one = { timeNs: 0n, data: new Uint8Array(60_000) };
      writeFileSync(file, classicFile({ little: false, nano: true, linkType: 1 }, Array(50).fill(one)));
      execFileSync("mkfifo", [pipe]);
      spawn("sh", ["-c", `cat '${file}' > '${pipe}'`]);
      const items = [...openCapture(pipe)];
      expect(items.map(({ kind }) => kind)).to.deep.equal(Array(50).fill("packet"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
