import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "./bytes.ts";
import {
  encodeFrame,
  isTooLong,
  MOST_CONTENT,
  STREAM_PREFIX,
  type StreamFrame,
  StreamReader,
} from "./tcp-encap.ts";

function frame(content: Uint8Array): Uint8Array {
  const octets = encodeFrame(content);
  if (isTooLong(octets)) throw new Error(octets.reason);
  return octets;
}

/** Reads the stream in pieces of these sizes, again and again. */
function read(stream: Uint8Array, prefix: boolean, sizes: readonly number[] = [stream.length || 1]) {
  const reader = new StreamReader({ prefix });
  const frames: StreamFrame[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    frames.push(...reader.push(stream.subarray(at, at + size)));
    at += size;
  }
  return { reader, frames };
}

const shown = ({ offset, kind, content }: StreamFrame) => ({ offset, kind, content: hex(content) });

describe("TCP encapsulation (RFC 9329)", () => {
  it("reads IKE, ESP, keepalive, empty and unparsable frames of an originator", () => {
    const stream = fromHex(
      `494b45544350 000a 00000000 deadbeef 000c c0ffee01 00000001 5566 0003 ff 0002 0003 fe 0006 00000000`,
    );
    const { reader, frames } = read(stream, true);
    expect(reader.fault).to.equal(undefined);
    expect(reader.unfinished).to.equal(0);
    expect(frames.map(shown)).to.deep.equal([
      { offset: 6, kind: "ike", content: "00000000deadbeef" },
      { offset: 16, kind: "esp", content: "c0ffee01000000015566" },
      { offset: 28, kind: "keepalive", content: "ff" },
      { offset: 31, kind: "empty", content: "" },
      { offset: 33, kind: "short", content: "fe" },
      { offset: 36, kind: "ike", content: "00000000" },
    ]);
  });

  it("writes Length with its own two octets", () => {
    expect(hex(frame(fromHex("00000000a1")))).to.equal("000700000000a1");
    expect(hex(STREAM_PREFIX)).to.equal("494b45544350");
    expect(frame(new Uint8Array(MOST_CONTENT)).subarray(0, 2)).to.deep.equal(Uint8Array.of(255, 255));
    expect(encodeFrame(new Uint8Array(MOST_CONTENT + 1))).to.include({ error: "length" });
  });

  for (const [what, stream, prefix, fault] of [
    ["another prefix", "494b45544351 0002", true, { offset: 0, field: "prefix" }],
    ["a message without prefix", "000a00000000deadbeef", true, { offset: 0, field: "prefix" }],
    ["Length 0", "0003ff 0000 0003ff", false, { offset: 3, field: "length" }],
    ["Length 1", "0001", false, { offset: 0, field: "length" }],
  ] as const) {
    it(`ends at ${what}`, () => {
      const { reader, frames } = read(fromHex(stream), prefix);
      expect(reader.fault).to.include(fault);
      expect(frames.length).to.equal(what === "Length 0" ? 1 : 0);
      expect(reader.push(fromHex("0003ff"))).to.deep.equal([]);
    });
  }

  it("waits for the rest, and takes a prefix of the responder for a Length", () => {
    expect(read(fromHex("494b4554"), true).reader.unfinished).to.equal(4);
    const { reader, frames } = read(fromHex("494b45544350"), false);
    expect(frames).to.deep.equal([]);
    expect(reader.unfinished).to.equal(6);
  });

  const contents = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
  const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 });

  it("gives the same frames however the stream is cut", () => {
    fc.assert(
      fc.property(contents, fc.boolean(), sizes, (all, prefix, cut) => {
        const stream = concat(...(prefix ? [STREAM_PREFIX] : []), ...all.map(frame));
        const whole = read(stream, prefix);
        const pieces = read(stream, prefix, cut);
        expect(pieces.frames.map(shown)).to.deep.equal(whole.frames.map(shown));
        expect(whole.frames.map(({ content }) => hex(content))).to.deep.equal(all.map(hex));
      }),
    );
  });

  it("never throws, and finds every octet in a frame, in the rest or behind the fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), sizes, (stream, prefix, cut) => {
        const { reader, frames } = read(stream, prefix, cut);
        const framed = frames.reduce((sum, { content }) => sum + content.length + 2, 0);
        const begun = prefix && stream.length >= 6 && reader.fault?.field !== "prefix" ? 6 : 0;
        if (!reader.fault) expect(begun + framed + reader.unfinished).to.equal(stream.length);
      }),
    );
  });
});
