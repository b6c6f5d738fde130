import { expect } from "chai";
import { encrTransform } from "../crypto/encr.ts";
import { systemRandom } from "../crypto/seeded-random.ts";
import { fromHex } from "../wire/bytes.ts";
import { InboundSa } from "./inbound.ts";
import { isSealRefusal, OutboundSa } from "./outbound.ts";
import { NEXT_HEADER, type SaParameters } from "./sa.ts";

const AES_GCM_16 = 20;
const AES_GCM_16_IIV = 30;
const LAST = 2n ** 32n - 1n;

function parametersOf(id: number, esn: boolean): SaParameters {
  const encr = encrTransform(id, 256);
  if (!encr) throw new Error(`no cipher ${id}`);
  const keys = { encr: systemRandom(encr.keyLength), integ: new Uint8Array() };
  return { spi: 0xc0ffee01, transforms: { encr }, keys, esn };
}

function ends(id: number, esn: boolean, mayWrap = false): { sender: OutboundSa; receiver: InboundSa } {
  const parameters = parametersOf(id, esn);
  const sender = new OutboundSa({ ...parameters, random: systemRandom });
  sender.mayWrap = mayWrap;
  return { sender, receiver: new InboundSa({ ...parameters, window: { enabled: false } }) };
}

/** Numbers of so many packets as the receiver sees them; what is refused is left out. */
function numbers({ sender, receiver }: ReturnType<typeof ends>, count: number): bigint[] {
  return Array.from({ length: count }, () => sender.seal(fromHex("00"), NEXT_HEADER.udp)).flatMap(
    (packet) => {
      if (isSealRefusal(packet)) return [];
      const result = receiver.open(packet);
      if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
      return [result.sequence];
    },
  );
}

describe("ESP without replay protection", () => {
  it("delivers a number as often as it comes, and 0 too", () => {
    const { sender, receiver } = ends(AES_GCM_16, false);
    for (const sequence of [0n, 7n, 7n, 3n, 7n]) {
      const packet = sender.seal(fromHex("00"), NEXT_HEADER.udp, { sequence });
      expect(packet instanceof Uint8Array && receiver.open(packet).ok).to.equal(true);
    }
  });

  it("counts on with 0 behind 2^32 - 1 if it may", () => {
    const pair = ends(AES_GCM_16, false, true);
    pair.sender.counter = LAST - 1n;
    expect(pair.sender.remaining).to.equal(Number.POSITIVE_INFINITY);
    expect(numbers(pair, 3)).to.deep.equal([LAST, 0n, 1n]);
  });

  it("ends with 2^32 - 1 if it may not, and where the number is the IV", () => {
    for (const pair of [ends(AES_GCM_16, false), ends(AES_GCM_16_IIV, false, true)]) {
      pair.sender.counter = LAST - 2n;
      expect(pair.sender.remaining).to.equal(2);
      expect(numbers(pair, 4)).to.deep.equal([LAST - 1n, LAST]);
      expect(pair.sender.remaining).to.equal(0);
    }
  });

  it("follows the high half of extended numbers", () => {
    for (const id of [AES_GCM_16, AES_GCM_16_IIV]) {
      const pair = ends(id, true, true);
      for (const counter of [2n ** 31n, LAST - 1n]) {
        pair.sender.counter = counter;
        expect(numbers(pair, 3)).to.deep.equal([counter + 1n, counter + 2n, counter + 3n]);
      }
    }
  });

  it("leaves an implicit IV out of the packet", () => {
    const sizes = [AES_GCM_16, AES_GCM_16_IIV].map((id) => {
      const packet = ends(id, true).sender.seal(fromHex("00"), NEXT_HEADER.udp);
      return packet instanceof Uint8Array ? packet.length : 0;
    });
    expect(sizes).to.deep.equal([36, 28]);
  });
});
