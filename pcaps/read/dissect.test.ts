import { expect } from "chai";
import fc from "fast-check";
import { concat, hex, u16, u32 } from "../../harness/wire/bytes.ts";
import { buildIp, buildUdpPacket, parseAddress } from "../../harness/wire/ip.ts";
import type { CaptureFault, CapturePacket, Datagram } from "../types.ts";
import { parseCapture } from "./capture.ts";
import { type Dissected, Dissector, dissect } from "./dissect.ts";
import { Blocks, classicFile, LINKS } from "./testing.ts";

const V4 = { source: "192.0.2.1", destination: "198.51.100.2" };
const V6 = { source: "2001:db8::1", destination: "2001:db8:0:1::2" };

const octetsOf = ({ source, destination }: typeof V4) => ({
  source: parseAddress(source)!,
  destination: parseAddress(destination)!,
});

const udp = (ends: typeof V4, payload: Uint8Array, ports = [500, 4500]): Uint8Array =>
  buildUdpPacket(octetsOf(ends), { sourcePort: ports[0]!, destinationPort: ports[1]!, payload });

const esp = (ends: typeof V4, payload: Uint8Array): Uint8Array =>
  buildIp({ ...octetsOf(ends), protocol: 50, payload });

function packets(ip: readonly Uint8Array[], linkType = 101, cutAt = 65_535): CapturePacket[] {
  return ip.map((octets, index) => ({
    ...{ kind: "packet", number: index + 1, offset: 100 * index, timeMs: index, linkType },
    data: octets.subarray(0, cutAt),
    originalLength: octets.length,
  }));
}

const found = (ip: readonly Uint8Array[], linkType?: number, cutAt?: number): Dissected[] => [
  ...dissect(packets(ip, linkType, cutAt)),
];
const datagrams = (all: readonly Dissected[]): Datagram[] => all.filter((one) => one.kind === "datagram");
const reasons = (all: readonly Dissected[]): string[] =>
  all.filter((one): one is CaptureFault => one.kind === "fault").map(({ reason }) => reason);

const PAYLOAD = Uint8Array.of(9, 8, 7, 6, 5);

describe("taking datagrams out of packets", () => {
  for (const [name, { linkType, wrap }] of Object.entries(LINKS)) {
    it(`finds UDP and ESP behind the header of ${name}`, () => {
      const link = fc.record({
        v6: fc.boolean(),
        isUdp: fc.boolean(),
        data: fc.uint8Array({ maxLength: 200 }),
      });
      fc.assert(
        fc.property(
          fc.array(link, { maxLength: 5 }),
          fc.boolean(),
          fc.boolean(),
          (given, little, classic) => {
            const all = given.map(({ v6, isUdp, data }) => wrap((isUdp ? udp : esp)(v6 ? V6 : V4, data)));
            const blocks = new Blocks(little);
            const file = classic
              ? classicFile(
                  { little, nano: false, linkType },
                  all.map((data) => ({ timeNs: 0n, data })),
                )
              : concat(
                  blocks.section(),
                  blocks.face(linkType),
                  ...all.map((data) => blocks.packet(0, 0n, data)),
                );
            const back = [...dissect(parseCapture(file))];
            expect(reasons(back)).to.deep.equal([]);
            expect(datagrams(back).map(({ data }) => hex(data))).to.deep.equal(
              given.map(({ data }) => hex(data)),
            );
            datagrams(back).forEach(({ protocol, source, destination }, index) => {
              const { v6, isUdp } = given[index]!;
              const ends = v6 ? V6 : V4;
              expect(protocol).to.equal(isUdp ? "udp" : "esp");
              expect(source).to.deep.equal({ host: ends.source, port: isUdp ? 500 : 0 });
              expect(destination).to.deep.equal({ host: ends.destination, port: isUdp ? 4500 : 0 });
            });
          },
        ),
        { numRuns: 30 },
      );
    });
  }

  it("finds all ports of IKE on either side, and others that are named", () => {
    const all = [
      [848, 1],
      [1, 848],
      [40_000, 500],
      [1, 2],
      [5000, 1],
    ].map((ports) => udp(V4, PAYLOAD, ports));
    expect(datagrams(found(all)).map(({ packet }) => packet)).to.deep.equal([1, 2, 3]);
    const dissector = new Dissector({ ports: [5000] });
    expect(datagrams([...dissector.read(packets(all))]).map(({ packet }) => packet)).to.deep.equal([
      1, 2, 3, 5,
    ]);
    expect(dissector.passedOver).to.deep.equal({ notIp: 0, unknownLink: 0, otherPorts: 1, other: 0 });
  });

  it("passes over what is not IP and counts it", () => {
    const dissector = new Dissector();
    const arp = concat(new Uint8Array(12), Uint8Array.of(8, 6), new Uint8Array(28));
    expect([...dissector.read(packets([arp, arp], 1))]).to.deep.equal([]);
    expect(dissector.passedOver.notIp).to.equal(2);
  });

  it("tells a link type that is not read once", () => {
    const dissector = new Dissector();
    const all = [...dissector.read(packets([PAYLOAD, PAYLOAD, PAYLOAD], 105))];
    expect(reasons(all)).to.deep.equal(["link type 105 is not read; its packets are left out"]);
    expect(dissector.passedOver.unknownLink).to.equal(3);
  });

  it("reads over options of IPv4 and extension headers of IPv6", () => {
    const plain4 = udp(V4, PAYLOAD);
    const with4 = concat(plain4.subarray(0, 20), new Uint8Array(8).fill(1), plain4.subarray(20));
    with4[0] = 0x47;
    with4.set(u16(with4.length), 2);
    const plain6 = udp(V6, PAYLOAD);
    const chain = [Uint8Array.of(43, 0), Uint8Array.of(60, 0), Uint8Array.of(44, 1), Uint8Array.of(17, 0)];
    const headers = chain.map((start, i) => concat(start, new Uint8Array(i === 2 ? 14 : 6)));
    const with6 = concat(plain6.subarray(0, 40), ...headers, plain6.subarray(40));
    with6[6] = 0;
    with6.set(u16(with6.length - 40), 4);
    expect(datagrams(found([with4, with6])).map(({ data }) => hex(data))).to.deep.equal([
      hex(PAYLOAD),
      hex(PAYLOAD),
    ]);
  });

  it("takes no endless chain of extension headers", () => {
    const chain = Array.from({ length: 33 }, () => new Uint8Array(8).fill(60, 0, 1));
    const packet = buildIp({ ...octetsOf(V6), protocol: 60, payload: concat(...chain) });
    expect(reasons(found([packet]))).to.deep.equal(["more than 32 IPv6 extension headers"]);
  });

  it("takes a length of 0 for all there is, as where a network card cuts packets", () => {
    const packet = udp(V4, PAYLOAD);
    packet.set(u16(0), 2);
    expect(datagrams(found([packet])).map(({ data }) => hex(data))).to.deep.equal([hex(PAYLOAD)]);
  });

  it("says where a packet was cut, if it would have been of interest", () => {
    const all = [udp(V4, PAYLOAD), esp(V4, new Uint8Array(20)), udp(V4, PAYLOAD, [80, 80])];
    expect(reasons(found(all, 101, 30))).to.deep.equal([
      "the packet is cut, 3 octets of it are missing",
      "the packet is cut, 10 octets of it are missing",
    ]);
  });

  it("says what is wrong with a packet, and where it is", () => {
    const badUdp = udp(V4, PAYLOAD);
    badUdp.set(u16(99), 24);
    const all = [Uint8Array.of(0x30), Uint8Array.of(0x41, 0), udp(V6, PAYLOAD).subarray(0, 39), badUdp];
    const faults = found(all);
    expect(reasons(faults)).to.deep.equal([
      "IP version 3",
      "an IPv4 header of 4 octets",
      "an IPv6 header of 40 octets, 39 are there",
      "a UDP length of 99 in 13 octets",
    ]);
    expect(faults[3]).to.include({ offset: 300, packet: 4 });
  });

  it("reads any octets behind any link without harm", () => {
    const link = fc.constantFrom(...Object.values(LINKS).map(({ linkType }) => linkType));
    const start = fc.constantFrom(udp(V4, PAYLOAD), udp(V6, PAYLOAD), new Uint8Array(0));
    const packet = fc.tuple(start, fc.nat(60), fc.uint8Array({ maxLength: 80 }));
    fc.assert(
      fc.property(link, fc.array(packet), (linkType, all) => {
        const given = all.map(([begin, cut, tail]) => concat(begin.subarray(0, cut), tail));
        for (const one of found(given, linkType)) expect(one.kind).to.be.oneOf(["datagram", "fault"]);
      }),
    );
  });
});

/** The fragments of an IP packet, with so many octets in each but the last. */
function fragmentsOf(packet: Uint8Array, size: number, identification = 7): Uint8Array[] {
  const isV4 = packet[0]! >>> 4 === 4;
  const header = packet.slice(0, isV4 ? 20 : 40);
  const payload = packet.subarray(header.length);
  const protocol = isV4 ? header[9]! : header[6]!;
  const out: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += size) {
    const data = payload.subarray(at, at + size);
    const more = at + size < payload.length;
    const own = header.slice();
    if (isV4) {
      own.set(concat(u16(20 + data.length), u16(identification), u16((more ? 0x2000 : 0) | (at / 8))), 2);
      out.push(concat(own, data));
    } else {
      own.set(concat(u16(8 + data.length), Uint8Array.of(44)), 4);
      const extension = concat(Uint8Array.of(protocol, 0), u16(at | Number(more)), u32(identification));
      out.push(concat(own, extension, data));
    }
  }
  return out;
}

describe("IP fragments in captures", () => {
  it("are put together in any order, repeated or not, with others between them", () => {
    const big = fc.uint8Array({ minLength: 20, maxLength: 400 });
    const size = fc.constantFrom(8, 16, 64, 200);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(big, fc.boolean(), fc.boolean(), size), { maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (all, order) => {
          const pieces = all.flatMap(([data, v6, isUdp, length], index) => {
            const whole = (isUdp ? udp : esp)(v6 ? V6 : V4, data);
            const cut = fragmentsOf(whole, length, index);
            return index % 2 ? cut : [cut[0]!, ...cut];
          });
          const shuffled = pieces
            .map((one) => ({ one, key: order.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key);
          const back = found(shuffled.map(({ one }) => one));
          const texts = datagrams(back).map(({ data }) => hex(data));
          expect(texts).to.include.members(all.map(([data]) => hex(data)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("have the number of the packet that completed them", () => {
    const pieces = fragmentsOf(udp(V4, new Uint8Array(100)), 64);
    expect(found(pieces)[0]).to.include({ packet: 2, offset: 100 });
  });

  it("that overlap are a fault, and the datagram is dropped with what else comes of it", () => {
    const pieces = fragmentsOf(udp(V4, new Uint8Array(100)), 32);
    const other = fragmentsOf(udp(V4, new Uint8Array(100).fill(1)), 24);
    expect(reasons(found([pieces[0]!, other[1]!, ...pieces.slice(1)]))).to.deep.equal([
      "IP fragments overlap at octet 24",
    ]);
    expect(datagrams(found([pieces[0]!, other[1]!, ...pieces.slice(1)]))).to.deep.equal([]);
    expect(reasons(found([pieces[1]!, other[1]!])), "with the one behind").to.deep.equal([
      "IP fragments overlap at octet 24",
    ]);
  });

  it("that do not all come are a fault, unless their ports are others", () => {
    const pieces = fragmentsOf(udp(V4, new Uint8Array(100)), 32);
    expect(reasons(found(pieces.slice(0, 3)))).to.deep.equal([
      "an IP datagram in fragments is not complete when the capture ends: 96 octets are there",
    ]);
    expect(found(fragmentsOf(udp(V4, new Uint8Array(100), [80, 81]), 32).slice(0, 3))).to.deep.equal([]);
  });

  it("are not waited for longer than a minute", () => {
    const pieces = packets(fragmentsOf(udp(V4, new Uint8Array(100)), 64));
    pieces[1]!.timeMs = 60_001;
    expect(reasons([...dissect(pieces)])[0]).to.match(/not complete after 60 seconds: 64 octets/);
  });

  it("that cannot belong together are a fault", () => {
    const [first, second] = fragmentsOf(udp(V4, new Uint8Array(100)), 64);
    const shorter = fragmentsOf(udp(V4, new Uint8Array(80)), 64)[1]!;
    expect(reasons(found([second!, shorter, first!]))[0]).to.equal(
      "an IP fragment that ends at 88, of a datagram of 108 octets",
    );
    const odd = first!.subarray(0, 81).slice();
    odd.set(u16(81), 2);
    expect(reasons(found([odd]))).to.deep.equal(["an IP fragment of 61 octets before the last one"]);
    const far = second!.slice();
    far.set(u16(0x1fff), 6);
    expect(reasons(found([far]))).to.deep.equal(["an IP fragment that ends at 65572, behind 65535 octets"]);
  });
});
