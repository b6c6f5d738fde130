import { expect } from "chai";
import fc from "fast-check";
import { parseAddress } from "./address.ts";
import { concat, fromHex, hex } from "./bytes.ts";
import {
  buildEchoPacket,
  buildIp,
  buildUdpPacket,
  checksum,
  type IpPacket,
  isIpError,
  parseEcho,
  parseIp,
  parseUdp,
} from "./ip.ts";

const address = (text: string): Uint8Array => parseAddress(text)!;
const V4 = { source: address("192.0.2.1"), destination: address("198.51.100.2") };
const V6 = { source: address("2001:db8::1"), destination: address("2001:db8::2") };

function packet(bytes: Uint8Array): IpPacket {
  const parsed = parseIp(bytes);
  if (isIpError(parsed)) throw new Error(parsed.error);
  return parsed;
}

/** The ICMP packet of RFC 7634 appendix A. */
const RFC7634 = fromHex(
  `45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f1011
   12131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637`,
);

describe("IP packets", () => {
  it("of RFC 7634 are read and built again", () => {
    const parsed = packet(RFC7634);
    expect(parsed).to.include({ version: 4, protocol: 1, ttl: 64, checksumOk: true, fragment: false });
    const echo = parseEcho(parsed);
    if (isIpError(echo)) throw new Error(echo.error);
    expect(echo).to.include({ reply: false, identifier: 0x3a08, sequence: 0, checksumOk: true });
    const { source, destination } = parsed;
    expect(buildEchoPacket({ source, destination }, echo, { identification: 0xa6f2 })).to.deep.equal(RFC7634);
  });

  it("carry UDP with a right checksum in both families", () => {
    for (const addresses of [V4, V6]) {
      for (const size of [0, 1, 2, 33]) {
        const datagram = { sourcePort: 500, destinationPort: 4500, payload: new Uint8Array(size).fill(0xab) };
        const parsed = packet(buildUdpPacket(addresses, datagram));
        expect(parsed.checksumOk).to.equal(true);
        expect(parseUdp(parsed)).to.deep.equal({ ...datagram, checksumOk: true });
        const broken = buildUdpPacket(addresses, datagram);
        broken[broken.length - 1]! ^= 1;
        const udp = parseUdp(packet(broken));
        expect(isIpError(udp) || udp.checksumOk).to.equal(false);
      }
    }
  });

  it("carry an echo and its answer in both families", () => {
    for (const addresses of [V4, V6]) {
      for (const reply of [false, true]) {
        const echo = { reply, identifier: 7, sequence: 9, data: fromHex("616263") };
        const parsed = packet(buildEchoPacket(addresses, echo));
        expect(hex(parsed.source)).to.equal(hex(addresses.source));
        expect(parseEcho(parsed)).to.deep.equal({ ...echo, checksumOk: true });
      }
    }
  });

  it("of ICMPv6 have the checksum computed by other software", () => {
    const echo = { reply: false, identifier: 1, sequence: 1, data: fromHex("616263") };
    expect(hex(buildEchoPacket(V6, echo).subarray(40))).to.equal("80005fe000010001616263");
  });

  it("tell what is behind them", () => {
    expect(packet(concat(RFC7634, fromHex("0000"))).trailing).to.deep.equal(fromHex("0000"));
    const v6 = buildIp({
      ...V6,
      protocol: 59,
      payload: fromHex("aa"),
      trafficClass: 0xb8,
      flowLabel: 0xabcde,
    });
    const parsed = packet(concat(v6, fromHex("bb")));
    expect(parsed).to.include({ protocol: 59, trafficClass: 0xb8, totalLength: 41 });
    expect(parsed.trailing).to.deep.equal(fromHex("bb"));
  });

  it("are fragments where they say so", () => {
    const bytes = RFC7634.slice();
    bytes[6] = 0x40;
    expect(packet(bytes).fragment).to.equal(false);
    bytes[6] = 0x20;
    expect(packet(bytes).fragment).to.equal(true);
    const piece = buildIp({ ...V6, protocol: 44, payload: fromHex("3a00 0009 00000001 0000 aaaa") });
    expect(packet(piece)).to.include({ protocol: 58, fragment: true });
  });

  it("skip IPv6 extension headers", () => {
    const headers = fromHex("3c00 010400000000 3a01 0104 00000000 00000000 00000000");
    const bytes = buildIp({ ...V6, protocol: 0, payload: concat(headers, fromHex("80")) });
    expect(packet(bytes)).to.include({ protocol: 58 });
    expect(packet(bytes).payload).to.deep.equal(fromHex("80"));
    const cut = buildIp({ ...V6, protocol: 0, payload: headers.subarray(0, 20) });
    expect(isIpError(parseIp(cut))).to.equal(true);
  });

  it("never make the reader throw", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(0x45, 0x4f, 0x60, undefined),
        (bytes, first) => {
          if (first !== undefined && bytes.length > 0) bytes[0] = first;
          if (first === 0x60 && bytes.length > 40) bytes.set([0, bytes.length - 40], 4);
          if (first === 0x45 && bytes.length > 20) bytes.set([0, bytes.length], 2);
          const parsed = parseIp(bytes);
          if (isIpError(parsed)) return;
          parseUdp(parsed);
          parseEcho(parsed);
          expect(parsed.payload.length + parsed.trailing.length).to.be.at.most(bytes.length);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("the Internet checksum", () => {
  it("is zero over octets that hold it", () => {
    expect(checksum(RFC7634.subarray(0, 20))).to.equal(0);
    expect(checksum(new Uint8Array(200000).fill(0xff))).to.equal(0);
    expect(checksum(fromHex("01"))).to.equal(0xfeff);
  });
});
