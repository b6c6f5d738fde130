import { expect } from "chai";
import fc from "fast-check";
import { formatLadder, type LadderEvent } from "./ladder.ts";

const event = (over: Partial<LadderEvent> = {}): LadderEvent => ({
  timeMs: 0,
  from: "us",
  text: "x",
  ...over,
});

describe("formatLadder", () => {
  it("draws arrows from the side a message comes from", () => {
    const text = formatLadder([
      event({ text: "IKE_SA_INIT request 0: SA KE Ni" }),
      event({ timeMs: 1234.5, from: "peer", text: "IKE_SA_INIT response 0: SA KE Nr" }),
    ]);
    const [head, request, response] = text.split("\n");
    expect(head).to.match(/^ +us +peer$/);
    expect(request).to.match(/0\.000 s {2}\| -- IKE_SA_INIT request 0: SA KE Ni -+> \|$/);
    expect(response).to.match(/1\.23\d s {2}\| <-+ IKE_SA_INIT response 0: SA KE Nr -- \|$/);
  });

  it("marks the second sending of the same octets", () => {
    const data = Uint8Array.of(1, 2, 3);
    const text = formatLadder([event({ data }), event({ data }), event({ data, from: "peer" })]);
    expect(text.match(/\(retransmission\)/g)).to.have.length(1);
  });

  it("says a given retransmission only once", () => {
    const data = Uint8Array.of(1);
    const text = formatLadder([event({ data }), event({ data, note: "retransmission" })]);
    expect(text.match(/retransmission/g)).to.have.length(1);
  });

  it("is empty without events", () => {
    expect(formatLadder([])).to.equal("");
  });

  it("keeps to 100 columns of printable ASCII, and loses no word", () => {
    const events = fc.array(
      fc.record({
        timeMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
        from: fc.constantFrom("us" as const, "peer" as const),
        text: fc.string({ unit: "binary", maxLength: 300 }),
        note: fc.option(fc.string({ unit: "binary", maxLength: 120 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(events, (list) => {
        const lines = formatLadder(list).split("\n");
        for (const line of lines) expect(line).to.match(/^[\x20-\x7e]{0,100}$/);
      }),
    );
    const long = "word".repeat(80);
    const letters = formatLadder([event({ text: long })]).replace(/[^word]/g, "");
    expect(letters).to.include(long);
  });
});
