import { expect } from "chai";
import type { PqCell, PqResult } from "./pq.ts";
import { axisOf, delayLabel } from "./pq-axis.ts";
import { RETRANSMISSION } from "./pq-handshake.ts";
import { pqPlot } from "./pq-plot.ts";
import { pqText } from "./pq-text.ts";

const cell = (method: string, packet: number, loss: number, changes: Partial<PqCell> = {}): PqCell => ({
  ...{ method, packet, loss, medianMs: 100 + loss, p95Ms: 1650, failed: 0, packets: 4.25, octets: 12_345 },
  ...changes,
});

const result = (cells: PqCell[]): PqResult => ({
  ...{ name: "pq", seed: "1", rttMs: 50, runs: 200, retransmission: RETRANSMISSION, cells },
  computing: [
    {
      ...{ method: "X25519 + B<C", keyGenMs: 1.234, encapsMs: 2, decapsMs: 3 },
      ...{ initiatorOctets: 800, responderOctets: 768 },
    },
  ],
});

const some = result(
  ["A", "B<C"].flatMap((method) =>
    [576, 1500].flatMap((packet) => [
      cell(method, packet, 0),
      cell(method, packet, 10, { medianMs: null, p95Ms: null, failed: 200 }),
      cell(method, packet, 20, { failed: 3 }),
    ]),
  ),
);

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

describe("plot of the loss experiment", () => {
  it("has a panel for each size and figure, a line for each method, and a point for each cell with a value", () => {
    const svg = pqPlot(some);
    expect(count(svg, /class="panel"/g)).to.equal(4);
    expect(count(svg, /<polyline/g)).to.equal(2 * 4);
    const [legend, points] = [2, 2 * 2 * 2 * 2];
    expect(count(svg, /class="mark( hollow)?"/g)).to.equal(legend + points);
    expect(count(svg, /mark hollow/g)).to.equal(points / 2);
  });

  it("is well-formed, with names as text", () => {
    for (const of of [some, result([cell("A", 576, 0)]), result([cell("A", 576, 99, { medianMs: null })])]) {
      const svg = pqPlot(of);
      expect(svg).not.to.match(/NaN|undefined|Infinity/);
      const open: string[] = [];
      for (const [, closes, name = "", empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
        if (closes) expect(open.pop()).to.equal(name);
        else if (!empty) open.push(name);
      }
      expect(open).to.deep.equal([]);
    }
    expect(pqPlot(some)).to.include("B&lt;C").and.not.to.include("B<C");
  });

  it("has round values on an axis that covers all delays", () => {
    const axis = axisOf([150, 8650]);
    expect(axis.ticks).to.deep.equal([100, 200, 500, 1000, 2000, 5000, 10_000]);
    expect([100, 1000, 10_000].map(axis.place)).to.deep.equal([0, 0.5, 1]);
    expect(axisOf([100]).ticks).to.deep.equal([100, 200]);
    expect([0.5, 200, 1500].map(delayLabel)).to.deep.equal(["0.5 ms", "200 ms", "1.5 s"]);
  });
});

describe("text of the loss experiment", () => {
  it("has its conditions, a row for each method, and failures apart", () => {
    const text = pqText(some);
    expect(text).to.include("50 ms to the peer and back").and.to.include("after 500 ms");
    expect(text).to.match(/: 6 transmissions\. 31,500 ms after/);
    expect(text).to.match(/^ {2}loss +0 % +10 % +20 %$/m);
    expect(text).to.match(/^ {2}B<C +100 \/ 1,650 +none, 200 failed +120 \/ 1,650, 3 failed$/m);
    expect(text).to.match(/^ {2}A( +4\.3 \/ 12,345){3}$/m);
    expect(text).to.match(/^ {2}B<C +1\.23 +2\.00 +3\.00 +800 +768$/m);
  });
});
