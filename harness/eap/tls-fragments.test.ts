import { expect } from "chai";
import fc from "fast-check";
import { fromHex, hex } from "../wire/bytes.ts";
import { ACKNOWLEDGEMENT, FragmentExchange, fragmentsOf, type Received } from "./tls-fragments.ts";

/** Carries a message from one end to the other, each fragment but the last acknowledged. */
function carry(message: Uint8Array, size: number): { received: Received; packets: number } {
  const from = new FragmentExchange(size);
  const to = new FragmentExchange(size);
  let received = to.receive(from.queue(message));
  let packets = 1;
  while ("answer" in received) {
    const next = from.receive(received.answer);
    if (!("answer" in next)) break;
    received = to.receive(next.answer);
    packets++;
  }
  return { received, packets };
}

describe("eap: fragments of TLS", () => {
  it("have the length in the first, and M in all but the last", () => {
    expect(fragmentsOf(fromHex("0102030405"), 2).map(hex)).to.deep.equal([
      "c0000000050102",
      "400304",
      "0005",
    ]);
    expect(fragmentsOf(fromHex("0102"), 2).map(hex)).to.deep.equal(["000102"]);
    expect(fragmentsOf(new Uint8Array(), 2).map(hex)).to.deep.equal(["00"]);
  });

  it("carry any message", () => {
    const message = fc.uint8Array({ maxLength: 3000 });
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 500 }), (octets, size) => {
        const { received, packets } = carry(octets, size);
        expect(received).to.deep.equal({ message: octets });
        expect(packets).to.equal(Math.max(1, Math.ceil(octets.length / size)));
      }),
    );
  });

  it("may have the length in a message of one packet, as strongSwan writes it", () => {
    const received = new FragmentExchange(1000).receive(fromHex("80 00000002 0102"));
    expect(received).to.deep.equal({ message: fromHex("0102") });
  });

  const REFUSED: [string, string[], string][] = [
    ["type data without flags", [""], "EAP-TLS without flags"],
    ["L without a length", ["80 0000"], "EAP-TLS without the length that its flags announce"],
    ["an empty fragment", ["40"], "an empty fragment of EAP-TLS"],
    ["more than announced", ["c0 00000002 01", "00 0203"], "more than 2 octets of TLS in one message"],
    ["less than announced", ["c0 00000009 01", "00 02"], "2 octets of TLS, where 9 were announced"],
  ];
  for (const [what, packets, error] of REFUSED) {
    it(`refuses ${what}`, () => {
      const exchange = new FragmentExchange(1000);
      const received = packets.map((packet) => exchange.receive(fromHex(packet)));
      expect(received.at(-1)).to.deep.equal({ error });
    });
  }

  it("refuses a message of more than 64 KiB, however long it says that it is", () => {
    const exchange = new FragmentExchange(1000);
    const first = exchange.receive(fromHex(`c0 ffffffff ${"00".repeat(1000)}`));
    expect(first).to.deep.equal({ answer: ACKNOWLEDGEMENT });
    let last: Received = first;
    for (let count = 0; count < 70 && "answer" in last; count++)
      last = exchange.receive(fromHex(`40 ${"00".repeat(1000)}`));
    expect(last).to.deep.equal({ error: "more than 65536 octets of TLS in one message" });
  });

  it("wants an acknowledgement before the next fragment", () => {
    const exchange = new FragmentExchange(1);
    exchange.queue(fromHex("0102"));
    expect(exchange.receive(fromHex("0001"))).to.have.property("error");
  });
});
