import { expect } from "chai";
import fc from "fast-check";
import { counting } from "../crypto/bytes.ts";
import { concat, fromHex } from "../wire/bytes.ts";
import { buildIp, parseAddress } from "../wire/ip.ts";
import { decapsulate, encapsulate, espOf } from "./encapsulation.ts";
import { answerEcho, buildProbe, dummyPacket, innerIp, matchReply, type Probe } from "./inner.ts";

const address = (text: string): Uint8Array => parseAddress(text)!;
const V4 = { source: address("192.0.2.1"), destination: address("192.0.2.2") };
const V6 = { source: address("2001:db8::1"), destination: address("2001:db8::2") };

const probes = fc.record({
  ends: fc.constantFrom(V4, V6),
  mode: fc.constantFrom("tunnel" as const, "transport" as const),
  kind: fc.constantFrom("echo" as const, "udp" as const),
  identifier: fc.integer({ min: 8, max: 65535 }),
  sequence: fc.nat(65535),
  data: fc.uint8Array({ maxLength: 64 }),
});
const back = ({ source, destination }: typeof V4) => ({ source: destination, destination: source });

describe("esp: probes", () => {
  it("are answered and matched in both modes, both families, both kinds", () => {
    fc.assert(
      fc.property(probes, ({ ends, ...rest }) => {
        const probe: Probe = { ...ends, ...rest };
        const request = buildProbe(probe);
        const reply = answerEcho(request, ends)!;
        expect(matchReply(probe, reply, back(ends))).to.equal(true);
        expect(matchReply(probe, request, ends)).to.be.a("string");
        expect(answerEcho(reply, back(ends))).to.equal(undefined);
      }),
    );
  });

  it("tell what is different in another answer", () => {
    const probe: Probe = {
      ...V4,
      mode: "tunnel",
      kind: "echo",
      identifier: 7,
      sequence: 1,
      data: counting(0, 8),
    };
    const answerTo = (change: Partial<Probe>) => {
      const ends = { source: change.source ?? V4.source, destination: V4.destination };
      return matchReply(probe, answerEcho(buildProbe({ ...probe, ...change }), ends)!, back(ends));
    };
    expect(answerTo({})).to.equal(true);
    expect(answerTo({ identifier: 8 })).to.equal("identifier 8");
    expect(answerTo({ sequence: 2 })).to.equal("sequence 2");
    expect(answerTo({ data: counting(0, 9) })).to.equal("9 octets of other data");
    expect(answerTo({ mode: "transport" })).to.equal("Next Header 1 in tunnel mode");
    expect(answerTo({ source: address("192.0.2.9") })).to.equal("from 192.0.2.2 to 192.0.2.9");
  });

  it("no answer from echo port to echo port, which would never end", () => {
    const probe: Probe = {
      ...V4,
      mode: "tunnel",
      kind: "udp",
      identifier: 7,
      sequence: 1,
      data: counting(0, 4),
    };
    expect(answerEcho(buildProbe(probe), V4)).to.equal(undefined);
  });

  it("no answer to dummies, other ports or broken checksums", () => {
    expect(answerEcho(dummyPacket(counting(0, 30)), V4)).to.equal(undefined);
    const probe: Probe = {
      ...V6,
      mode: "transport",
      kind: "udp",
      identifier: 9,
      sequence: 1,
      data: counting(0, 4),
    };
    const udp = buildProbe(probe);
    const broken = Uint8Array.from(udp.payload);
    broken[broken.length - 1]! ^= 1;
    expect(answerEcho({ ...udp, payload: broken }, V6)).to.equal(undefined);
    expect(innerIp(udp, V6)).to.include({ version: 6, protocol: 17 });
  });
});

describe("esp: encapsulation", () => {
  const esp = concat(fromHex("c0ffee0100000001"), counting(0, 40));

  it("goes there and back as IP protocol 50 and in UDP 4500", () => {
    for (const ends of [V4, V6]) {
      expect(decapsulate(encapsulate(esp, ends))).to.deep.equal({ ...ends, esp });
      const udp = { sourcePort: 4500, destinationPort: 61000 };
      expect(decapsulate(encapsulate(esp, { ...ends, udp }))).to.deep.equal({ ...ends, udp, esp });
    }
  });

  it("finds no ESP in IKE, keepalives, port 500, fragments or other protocols", () => {
    const udp = (payload: Uint8Array, port = 4500) =>
      decapsulate(encapsulate(payload, { ...V4, udp: { sourcePort: port, destinationPort: port } }));
    for (const result of [
      udp(new Uint8Array(32)),
      udp(Uint8Array.of(0xff)),
      udp(esp, 500),
      udp(counting(1, 3)),
    ]) {
      expect(result).to.have.property("error");
    }
    const fragment = encapsulate(esp, V4);
    fragment[6] = 0x20;
    expect(decapsulate(fragment)).to.have.property("error");
    expect(decapsulate(buildIp({ ...V4, protocol: 6, payload: esp }))).to.have.property("error");
    expect(espOf({ protocol: "udp", data: new Uint8Array(32) })).to.equal(undefined);
    expect(espOf({ protocol: "esp", data: esp })).to.equal(esp);
  });
});
