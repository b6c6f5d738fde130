import { expect } from "chai";
import fc from "fast-check";
import { u32 } from "../../harness/wire/bytes.ts";
import { Repeats } from "./repeats.ts";

const A = { host: "192.0.2.1", port: 500 };
const B = { host: "192.0.2.2", port: 500 };

describe("Repeats", () => {
  it("finds the first packet with the same octets on the same way, among the last ones", () => {
    const packet = fc.record({ octets: fc.nat(30), back: fc.boolean(), port: fc.constantFrom(500, 4500) });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 120 }), (packets) => {
        const repeats = new Repeats(400);
        const first = new Map<string, number>();
        for (const [index, given] of packets.entries()) {
          const [source, destination] = given.back ? [B, A] : [A, B];
          const found = repeats.before(
            u32(given.octets),
            { ...source, port: given.port },
            destination,
            index + 1,
          );
          const name = JSON.stringify(given);
          expect(found).to.equal(first.get(name));
          if (!first.has(name)) first.set(name, index + 1);
        }
      }),
    );
  });

  it("forgets what is long ago, and not what repeats itself", () => {
    const repeats = new Repeats(20);
    for (let packet = 1; packet <= 200; packet++) {
      const again = repeats.before(u32(0), A, B, packet);
      expect(again).to.equal(packet === 1 ? undefined : 1);
      expect(repeats.before(u32(packet), A, B, packet)).to.equal(undefined);
    }
    expect(repeats.before(u32(150), A, B, 201)).to.equal(undefined);
    expect(repeats.before(u32(199), A, B, 201)).to.equal(199);
  });
});
