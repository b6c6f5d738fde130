import { expect } from "chai";
import fc from "fast-check";
import { formatLadder } from "./ladder.ts";
import type { View } from "./view.ts";

const event = (over: Partial<View> = {}): View => ({
  ...{ at: 1, timeMs: 0, from: "left", kind: "ike", text: "x", clear: [] },
  ...over,
});

describe("formatLadder", () => {
  it("draws arrows from the side a message comes from", () => {
    const text = formatLadder([
      event({ text: "IKE_SA_INIT request 0: SA KE Ni" }),
      event({ timeMs: 1234.5, from: "right", text: "IKE_SA_INIT response 0: SA KE Nr" }),
    ]);
    const [head, request, response] = text.split("\n");
    expect(head).to.match(/^ +us +peer$/);
    expect(request).to.match(/0\.000 s {2}\| -- IKE_SA_INIT request 0: SA KE Ni -+> \|$/);
    expect(response).to.match(/1\.23\d s {2}\| <-+ IKE_SA_INIT response 0: SA KE Nr -- \|$/);
  });

  it("says a retransmission once", () => {
    const text = formatLadder([
      event({ again: true }),
      event({ again: true, note: "retransmission of packet 3" }),
    ]);
    expect(text.match(/retransmission/g)).to.have.length(2);
  });

  it("tells a move to another port, and another address", () => {
    const [a, b, c] = ["192.0.2.1:500", "192.0.2.1:4500", "[2001:db8::1]:4500"];
    const sources = [a, a, b, "192.0.2.1", b, c];
    const text = formatLadder(sources.map((source) => event({ source })));
    expect(text.match(/\(.*\)/g)).to.deep.equal([
      "(port 500 -> 4500)",
      "(192.0.2.1:4500 -> [2001:db8::1]:4500)",
    ]);
  });

  it("names the sides of a capture", () => {
    const [head = ""] = formatLadder([event()], { left: "192.0.2.1", right: "x".repeat(300) }).split("\n");
    expect(head).to.match(/^ {12}192\.0\.2\.1 +x+$/);
    expect(head).to.have.length(98);
  });

  it("is empty without events", () => {
    expect(formatLadder([])).to.equal("");
  });

  it("keeps to 100 columns of printable ASCII, and loses no word", () => {
    const events = fc.array(
      fc.record({
        timeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
        from: fc.constantFrom("left" as const, "right" as const),
        text: fc.string({ unit: "binary", maxLength: 300 }),
        note: fc.option(fc.string({ unit: "binary", maxLength: 120 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(events, (list) => {
        const lines = formatLadder(list.map(event)).split("\n");
        for (const line of lines) expect(line).to.match(/^[\x20-\x7e]{0,100}$/);
      }),
    );
    const long = "word".repeat(80);
    const letters = formatLadder([event({ text: long })]).replace(/[^word]/g, "");
    expect(letters).to.include(long);
  });
});
