import { expect } from "chai";
import fc from "fast-check";
import { formatHostLadder, type HostLadderEvent } from "./ladder-hosts.ts";

const HOSTS = ["GCKS", "Alice", "Bob", "group"];
const rows = (events: HostLadderEvent[]): string[] => formatHostLadder(HOSTS, events).split("\n");

describe("ladder of several hosts", () => {
  it("puts the hosts above their lifelines", () => {
    const [head = "", row = ""] = rows([
      { timeMs: 10, from: "Alice", to: "GCKS", text: "IKE_SA_INIT request 0" },
    ]);
    expect(head.trimEnd()).to.equal("          GCKS       Alice       Bob       group");
    expect(row).to.equal("  0.010 s   |<---------|          |          |  IKE_SA_INIT request 0");
  });

  it("draws arrows over lifelines in between", () => {
    const row = (from: string, to: string) => rows([{ timeMs: 0, from, to, text: "x" }])[1]?.slice(9);
    expect(row("GCKS", "Bob")).to.equal("   |-------------------->|          |  x");
    expect(row("group", "Alice")).to.equal("   |          |<--------------------|  x");
  });

  it("marks who takes a multicast and who cannot", () => {
    const of = (from: string, taken: string[], dropped: string[]) =>
      rows([{ timeMs: 0, from, group: "group", taken, dropped, text: "x" }])[1]?.slice(9);
    expect(of("GCKS", ["Alice"], ["Bob"])).to.equal("   *==========o==========x=========>|  x");
    expect(of("Bob", ["GCKS", "Alice"], [])).to.equal("   o==========o==========*=========>|  x");
    expect(of("Alice", [], [])).to.equal("   |          *====================>|  x");
  });

  it("writes remarks between the arrows, and notes under the text", () => {
    const text = rows([
      { timeMs: 0, remark: "Bob is excluded" },
      { timeMs: 1, from: "Bob", to: "GCKS", text: "word ".repeat(20), note: "why" },
    ]);
    expect(text[2]).to.equal("           Bob is excluded");
    expect(text.find((line) => line.includes("(why)"))).to.match(/^ {12}\| {10}\| {10}\| {10}\| {4}\(why\)$/);
  });

  it("says which host has no lifeline", () => {
    expect(() => rows([{ timeMs: 0, from: "Eve", to: "GCKS", text: "x" }])).to.throw('no lifeline of "Eve"');
  });

  it("keeps to printable ASCII, and loses no word", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const line of rows([
          { timeMs: 0, from: "Bob", to: "GCKS", text, note: text },
          { timeMs: 0, remark: text },
        ]))
          expect(line).to.match(/^[\x20-\x7e]{0,130}$/);
      }),
    );
    const long = "word".repeat(80);
    const letters = rows([{ timeMs: 0, from: "Bob", to: "GCKS", text: long }])
      .slice(1, 8)
      .join("")
      .replace(/[^word]/g, "");
    expect(letters).to.include(long);
  });
});
