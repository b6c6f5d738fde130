import { expect } from "chai";
import fc from "fast-check";
import { decodeChain, decodeMessage, isFrameError } from "../wire/index.ts";
import { Linter } from "./linter.ts";
import { whole, withCookie, withEap, withOtherGroup } from "./rules/planted/rfc7296/conversations.ts";
import { message } from "./rules/planted/rfc7296/rows.ts";
import { seenOf } from "./rules/planted/rfc7296/said.ts";
import type { SeenIke } from "./seen.ts";

/** The same message with other octets, outside or inside of SK. */
function spoiled(seen: SeenIke, at: number, octet: number, inside: boolean): SeenIke {
  if (inside && seen.plaintext && seen.inner) {
    const plaintext = seen.plaintext.slice();
    if (plaintext.length > 0) plaintext[at % plaintext.length] = octet;
    const firstType = seen.message.payloads.at(-1);
    const inner = decodeChain(firstType?.kind === "SK" ? firstType.innerType : 0, plaintext);
    return { ...seen, plaintext, inner };
  }
  const octets = seen.octets.slice();
  octets[at % octets.length] = octet;
  const decoded = decodeMessage(octets);
  return isFrameError(decoded) ? seen : { ...seen, octets, message: decoded };
}

const TALKS = [whole, withCookie, withOtherGroup, withEap].map((make) => seenOf(make()));

/** Octets that were spoilt, by message. */
const spoils = fc.array(
  fc.record({ packet: fc.nat(13), at: fc.nat(400), octet: fc.nat(255), inside: fc.boolean() }),
  { minLength: 1, maxLength: 6 },
);

describe("the linter", () => {
  it("takes whatever comes, in any order", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TALKS), spoils, fc.boolean(), (talk, changes, backwards) => {
        const linter = new Linter();
        const said = [...talk];
        for (const { packet, at, octet, inside } of changes) {
          const one = said[packet % said.length];
          if (one) said[packet % said.length] = spoiled(one, at, octet, inside);
        }
        if (backwards) said.reverse();
        for (const seen of [...said, ...talk]) {
          for (const { packet, reason, rule } of linter.see(seen)) {
            expect(packet, rule).to.equal(seen.packets.at(-1));
            expect(reason).to.not.equal("");
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("judges the side it is told to", () => {
    const said = whole();
    for (const packet of [3, 4]) message(said, packet).header = { version: 0x21 };
    const found = (side?: "initiator" | "responder" | { host: string }) => {
      const linter = new Linter(side === undefined ? {} : { side });
      return seenOf(said)
        .flatMap((seen) => linter.see(seen))
        .map(({ packet, role, sender }) => `${packet} ${role} ${sender.host}`);
    };
    expect(found()).to.deep.equal(["3 initiator 192.0.2.1", "4 responder 192.0.2.2"]);
    expect(found("initiator")).to.deep.equal(["3 initiator 192.0.2.1"]);
    expect(found("responder")).to.deep.equal(["4 responder 192.0.2.2"]);
    expect(found({ host: "192.0.2.2" })).to.deep.equal(["4 responder 192.0.2.2"]);
  });

  it("is silent about what it cannot read, and about a capture that begins in the middle", () => {
    const closed = seenOf(whole()).map(({ inner: _, plaintext: __, ...seen }): SeenIke => {
      return seen.opening === undefined ? seen : { ...seen, opening: "no-keys" };
    });
    const linter = new Linter();
    expect(closed.flatMap((seen) => linter.see(seen))).to.deep.equal([]);
    for (let from = 1; from < 14; from++) {
      const late = new Linter();
      const found = seenOf(whole())
        .slice(from)
        .flatMap((seen) => late.see(seen));
      expect(found, `from packet ${from + 1}`).to.deep.equal([]);
    }
  });

  it("overlooks messages whose ICV does not fit: they are a forger's", () => {
    const linter = new Linter();
    const said = seenOf(whole());
    const forged = said.map((seen): SeenIke => ({ ...spoiled(seen, 17, 0x99, false), opening: "icv" }));
    expect(
      said.flatMap((seen, at) => [seen, forged[at] ?? seen]).flatMap((seen) => linter.see(seen)),
    ).to.deep.equal([]);
  });

  it("forgets the SA that was not heard of for longest when there are too many", () => {
    const said = whole();
    for (const packet of [3, 4]) message(said, packet).id = 0x0100_0000;
    const [request, response, ...rest] = seenOf(said);
    if (!request || !response) throw new Error("no beginning");
    const skipped = (others: number): string[] => {
      const linter = new Linter();
      for (const seen of [request, response]) linter.see(seen);
      for (let other = 0; other < others; other++) linter.see(withSpi(request, other));
      return rest.flatMap((seen) => linter.see(seen)).map(({ rule }) => rule);
    };
    expect(skipped(10)).to.include("message-id-skipped");
    expect(skipped(1100)).to.not.include("message-id-skipped");
  });
});

const withSpi = (seen: SeenIke, number: number): SeenIke => {
  const spiI = Buffer.from(`${number}`.padStart(8, "x"));
  return { ...seen, message: { ...seen.message, header: { ...seen.message.header, spiI } } };
};
