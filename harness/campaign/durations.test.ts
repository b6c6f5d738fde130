import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import type { JournalRecord } from "../../reports/journal.ts";
import type { Cell } from "./cells.ts";
import { durationOf, readDurations, shardOf, weigher, writeDurations } from "./durations.ts";
import { parseCampaign } from "./file.ts";

const [parameters] = parseCampaign("peers: [builtin]", "c.yaml").parameters;

function cell(name: string, tests: number): Cell {
  if (!parameters) throw new Error("a campaign has parameters");
  return { name, tests, parameters, selection: { documents: [], peers: ["builtin"], role: "both" } };
}

const names = (cells: readonly Cell[]) => cells.map(({ name }) => name);

describe("shards of a campaign", () => {
  it("hold each cell once, and none is heavier than the lightest by more than a cell", () => {
    const sized = fc.record({ tests: fc.integer({ min: 1, max: 500 }), ms: fc.option(fc.nat(90_000)) });
    fc.assert(
      fc.property(fc.array(sized, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (sizes, of) => {
        const cells = sizes.map(({ tests }, i) => cell(`c${i}`, tests));
        const known = Object.fromEntries(
          sizes.flatMap(({ tests, ms }, i) => (ms === null ? [] : [[`c${i}`, { tests, ms }]])),
        );
        const shards = Array.from({ length: of }, (_, i) => shardOf(cells, { index: i + 1, of }, known));
        expect(names(shards.flat()).sort()).to.deep.equal(names(cells).sort());
        const weight = weigher(cells, known);
        const loads = shards.map((shard) => shard.reduce((sum, one) => sum + weight(one), 0));
        const heaviest = Math.max(0, ...cells.map(weight));
        expect(Math.max(...loads) - Math.min(...loads)).to.be.at.most(heaviest + 1e-6);
      }),
    );
  });

  it("are balanced by what cells took, else by their tests; of equals the name decides", () => {
    const cells = [cell("b", 10), cell("a", 10), cell("long", 3), cell("d", 10)];
    const first = { index: 1, of: 2 };
    expect(names(shardOf(cells, first, {}))).to.deep.equal(["a", "d"]);
    expect(names(shardOf([...cells].reverse(), first, {}))).to.deep.equal(["d", "a"]);
    const known = { long: { ms: 60_000, tests: 3 }, a: { ms: 1_000, tests: 10 } };
    expect(names(shardOf(cells, { index: 1, of: 2 }, known))).to.deep.equal(["a", "long"]);
    expect(names(shardOf(cells, { index: 2, of: 2 }, { long: { ms: 60_000, tests: 30 } }))).to.deep.equal([
      ...["b", "a", "d"],
    ]);
  });
});

describe("durations", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-durations-test-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("are read as they were written, in one order, and are none where there is no file", () => {
    const path = join(folder, "durations.json");
    expect(readDurations(path)).to.deep.equal({});
    writeDurations(path, { b: { ms: 5, tests: 1 }, a: { ms: 7, tests: 2 } });
    expect(Object.entries(readDurations(path))).to.deep.equal([
      ["a", { ms: 7, tests: 2 }],
      ["b", { ms: 5, tests: 1 }],
    ]);
  });

  it("of a file that is none are refused, naming the place", () => {
    const path = join(folder, "wrong.json");
    writeFileSync(path, '{ "schema": 1, "cells": { "a": { "ms": -1, "tests": 2 } } }');
    expect(() => readDurations(path)).to.throw(/wrong\.json: cells\.a\.ms: /);
    writeFileSync(path, "{");
    expect(() => readDurations(path)).to.throw(/wrong\.json: document: /);
  });

  it("do not count the time between a kill and the resumption", () => {
    const tool = { name: "t", version: "1" };
    const start = (time: string): JournalRecord => ({ kind: "run-started", time, tool, seed: "1" });
    const end = (time: string): JournalRecord => ({ kind: "run-finished", time });
    const at = (second: string) => `2026-01-01T00:${second}.000Z`;
    const records = [start(at("00:00")), end(at("00:04")), start(at("30:00")), end(at("30:02"))];
    expect(durationOf(records)).to.equal(6_000);
  });
});
