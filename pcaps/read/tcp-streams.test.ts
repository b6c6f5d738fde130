import { expect } from "chai";
import fc from "fast-check";
import { concat, fromHex, hex } from "../../harness/wire/bytes.ts";
import { buildTcpPacket, parseAddress } from "../../harness/wire/ip.ts";
import { encodeFrame, STREAM_PREFIX } from "../../harness/wire/tcp-encap.ts";
import { REAL_MESSAGES } from "../../harness/wire/vectors.ts";
import type { Captured, CapturePacket, Datagram } from "../types.ts";
import { encodePcap } from "../write.ts";
import { parseCapture } from "./capture.ts";
import { type Dissected, type DissectOptions, Dissector } from "./dissect.ts";

const IKE = concat(new Uint8Array(4), fromHex(REAL_MESSAGES["IKE_SA_INIT request"] ?? ""));
const ESP = fromHex("c0ffee01000000010102030405060708090a0b0c0d0e0f10");
const [SYN, RST, ACK] = [0x02, 0x04, 0x10];
/** Near the end of sequence numbers, so that they begin anew. */
const [ISN, PEER_ISN] = [0xfffffff0, 1000];

const frame = (content: Uint8Array): Uint8Array => {
  const octets = encodeFrame(content);
  if (!(octets instanceof Uint8Array)) throw new Error(octets.reason);
  return octets;
};

interface Sent {
  /** Octets from the start of the stream. */
  at: number;
  data?: Uint8Array;
  flags?: number;
  fromPeer?: boolean;
  port?: number;
}

function packets(all: readonly Sent[]): CapturePacket[] {
  const us = parseAddress("192.0.2.1")!;
  const peer = parseAddress("192.0.2.2")!;
  return all.map(({ at, data = new Uint8Array(0), flags = ACK, fromPeer, port = 4500 }, index) => {
    const own = fromPeer ? PEER_ISN : ISN;
    const octets = buildTcpPacket(
      fromPeer ? { source: peer, destination: us } : { source: us, destination: peer },
      {
        sourcePort: fromPeer ? port : 40_000,
        destinationPort: fromPeer ? 40_000 : port,
        sequence: (own + at + (flags & SYN ? 0 : 1)) >>> 0,
        acknowledgment: ((fromPeer ? ISN : PEER_ISN) + 1) >>> 0,
        flags,
        payload: data,
      },
    );
    const place = { number: index + 1, offset: 100 * index, timeMs: index };
    return { kind: "packet", ...place, linkType: 101, data: octets, originalLength: octets.length };
  });
}

const found = (all: readonly Sent[], options?: DissectOptions): Dissected[] => [
  ...new Dissector(options).read(packets(all)),
];
const datagrams = (all: readonly Dissected[]): Datagram[] => all.filter((one) => one.kind === "datagram");
const reasons = (all: readonly Dissected[]) => all.flatMap((one) => (one.kind === "fault" ? one.reason : []));

/** The stream in pieces of those sizes, in turn. */
function cut(stream: Uint8Array, sizes: readonly number[]): Sent[] {
  const out: Sent[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const data = stream.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    out.push({ at, data });
    at += data.length;
  }
  return out;
}

const OPEN: Sent[] = [
  { at: 0, flags: SYN },
  { at: 0, flags: SYN | ACK, fromPeer: true },
];
const stream = concat(STREAM_PREFIX, frame(IKE), frame(ESP), frame(Uint8Array.of(0xff)), frame(IKE));
const CONTENTS = [IKE, ESP, Uint8Array.of(0xff), IKE].map(hex);

describe("TCP streams in captures", () => {
  it("are read as our writer writes them", () => {
    const content = fc.uint8Array({ minLength: 1, maxLength: 3000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(content, fc.boolean()), { maxLength: 6 }), (given) => {
        const ends = [
          { host: "2001:db8::1", port: 40_000 },
          { host: "2001:db8::2", port: 4500 },
        ];
        const all = given.map(([data, back], timeMs): Captured => {
          const [source, destination] = (back ? ends.toReversed() : ends) as [
            Datagram["source"],
            Datagram["source"],
          ];
          return { timeMs, protocol: "tcp", source, destination, data };
        });
        const file = encodePcap(all, 0);
        if ("error" in file) throw new Error(file.reason);
        const back = [...new Dissector().read(parseCapture(file))].map((one) => {
          if (one.kind !== "datagram") throw new Error("no datagram");
          const { kind: _, packet: __, offset: ___, ...rest } = one;
          return { ...rest, data: hex(rest.data) };
        });
        expect(back).to.deep.equal(all.map((one) => ({ ...one, data: hex(one.data) })));
      }),
    );
  });

  it("are read from segments of any size, reordered and repeated, on any port", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });
    const swaps = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(sizes, swaps, fc.boolean(), fc.constantFrom(4500, 443), (given, places, syn, port) => {
        const pieces = cut(stream, given);
        // Without SYN the first segment tells what it is.
        const from = syn ? 0 : 1;
        for (const place of places) {
          const at = from + (place % Math.max(1, pieces.length - from - 1));
          const [a, b] = [pieces[at], pieces[at + 1]];
          if (a && b) pieces.splice(at, 2, b, a, a);
        }
        if (!syn)
          pieces.splice(0, 1, { at: 0, data: stream.subarray(0, Math.max(6, pieces[0]!.data!.length)) });
        const all = [...(syn ? OPEN : []), ...pieces].map((one) => ({ ...one, port }));
        const back = found(all);
        expect(reasons(back)).to.deep.equal([]);
        expect(datagrams(back).map(({ data }) => hex(data))).to.deep.equal(CONTENTS);
      }),
    );
  });

  it("are read in both directions, and not before the prefix came", () => {
    const answer: Sent = { at: 0, data: frame(IKE), fromPeer: true, port: 443 };
    const all = [...OPEN, answer, ...cut(stream, [1000])].map((one) => ({ ...one, port: 443 }));
    expect(datagrams(found(all)).map(({ source }) => source.port)).to.deep.equal([
      ...[40_000, 40_000, 40_000, 40_000, 443],
    ]);
    expect(found([...OPEN, answer].map((one) => ({ ...one, port: 443 })))).to.deep.equal([]);
  });

  it("of others are passed over", () => {
    const dissector = new Dissector();
    const web = [...OPEN, { at: 0, data: Buffer.from("GET / HTTP/1.1") }, { at: 14, data: IKE }];
    expect([...dissector.read(packets(web.map((one) => ({ ...one, port: 80 }))))]).to.deep.equal([]);
    expect(dissector.passedOver.other).to.equal(2);
    expect(reasons(found([...OPEN, { at: 0, data: Buffer.from("GET / HTTP/1.1") }]))).to.deep.equal([
      "at octet 0 of a TCP stream: the stream does not begin with IKETCP",
    ]);
  });

  it("with a gap are read on where an IKE message begins", () => {
    const first = concat(STREAM_PREFIX, frame(IKE));
    const lost = frame(ESP);
    const all: Sent[] = [...OPEN, { at: 0, data: first }];
    let at = first.length + lost.length;
    for (const content of [ESP, IKE, ESP]) {
      all.push({ at, data: frame(content) });
      at += frame(content).length;
    }
    const back = found(all);
    expect(reasons(back)).to.deep.equal([
      `${lost.length} octets of a TCP stream are missing; it is read on where an IKE message begins`,
    ]);
    expect(datagrams(back).map(({ data }) => hex(data))).to.deep.equal([IKE, IKE, ESP].map(hex));
  });

  it("whose beginning is not there are read from where an IKE message begins", () => {
    const back = found([
      { at: 500, data: frame(ESP) },
      { at: 500 + frame(ESP).length, data: concat(frame(IKE), frame(ESP)) },
      { at: 0, data: frame(IKE), fromPeer: true },
    ]);
    expect(reasons(back)).to.deep.equal([
      "the beginning of a TCP stream is not in the capture; it is read on where an IKE message begins",
    ]);
    expect(datagrams(back).map(({ packet }) => packet)).to.deep.equal([2, 2, 3]);
    const shorter = frame(IKE);
    shorter.set([0, 0, 0, 28], 30);
    expect(datagrams(found([{ at: 500, data: shorter }])), "a Length that is not the frame's").to.deep.equal(
      [],
    );
  });

  it("with a wrong length, or without their end, are a fault", () => {
    const wrong = [...OPEN, { at: 0, data: concat(STREAM_PREFIX, frame(ESP), Uint8Array.of(0, 1, 7)) }];
    expect(reasons(found(wrong))).to.deep.equal([
      "at octet 32 of a TCP stream: a Length of 1, which counts its own 2 octets",
    ]);
    const short = [...OPEN, { at: 0, data: stream.subarray(0, 20) }];
    expect(reasons(found(short))).to.deep.equal([
      "14 octets of a frame that is not complete when the capture ends",
    ]);
    expect(reasons(found([...short, { at: 20, flags: RST }]))).to.deep.equal([
      "14 octets of a frame that is not complete when its connection is reset",
    ]);
  });

  it("begin anew with a SYN of other numbers, and not with one that is repeated", () => {
    const all: Sent[] = [
      ...OPEN,
      { at: 0, data: stream },
      { at: 7777, flags: SYN },
      { at: 7777, data: stream },
    ];
    expect(datagrams(found(all))).to.have.length(8);
    expect(datagrams(found([...OPEN, ...OPEN, { at: 0, data: stream }, ...OPEN]))).to.have.length(4);
  });

  it("survive any segments", () => {
    const segment = fc.record(
      {
        at: fc.oneof(fc.nat(200), fc.nat(0xffffffff)),
        data: fc.constantFrom(...[STREAM_PREFIX, stream, frame(IKE), frame(ESP), Uint8Array.of(0)]),
        flags: fc.constantFrom(ACK, SYN, SYN | ACK, RST, 0, 0xff),
        fromPeer: fc.boolean(),
        port: fc.constantFrom(4500, 443),
      },
      { requiredKeys: ["at"] },
    );
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 20 }), (all) => {
        for (const one of found(all)) expect(one.kind).to.be.oneOf(["datagram", "fault"]);
      }),
    );
  });
});
