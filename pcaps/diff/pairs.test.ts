import { expect } from "chai";
import { equalPairs, type Pair, plantedPairs } from "../../scripts/diff-pairs/pairs.ts";
import type { Recording } from "../../scripts/diff-pairs/recording.ts";
import { Decoder, KeyRing } from "../decode/index.ts";
import { dissect, parseCapture } from "../read/index.ts";
import { Sides, type View, viewOf } from "../view.ts";
import { encodePcap } from "../write.ts";
import { diffViews as diffByRules } from "./diff.ts";
import { DiffRules } from "./rules.ts";
import type { Difference } from "./types.ts";

const RULES = new DiffRules();
const diffViews = (a: View[], b: View[], rules = RULES): Difference[] => diffByRules(a, b, rules);

/** As a reader of the capture file sees it. */
function viewsOf({ packets, ike, esp }: Recording): View[] {
  const ring = new KeyRing();
  for (const keys of ike) ring.addIke(keys);
  for (const keys of esp) ring.addEsp(keys);
  const file = encodePcap(packets, 0);
  if ("error" in file) throw new Error(file.reason);
  const [decoder, sides] = [new Decoder(ring), new Sides()];
  const seen = [...dissect(parseCapture(file))].flatMap((item) =>
    item.kind === "datagram" ? decoder.datagram(item) : [],
  );
  return [...seen, ...decoder.end()].map((one) => viewOf(one, sides));
}

const lines = (differences: Difference[]): string[] => differences.map(({ kind, path }) => `${kind} ${path}`);

const TURNED = { added: "missing", missing: "added", changed: "changed", reordered: "reordered" } as const;

/** As if the two had changed places. */
const turned = ({ kind, path, a, b }: Difference): string => `${TURNED[kind]} ${path}: ${b} -> ${a}`;
const straight = ({ kind, path, a, b }: Difference): string => `${kind} ${path}: ${a} -> ${b}`;

async function check(pairs: AsyncIterable<Pair>): Promise<number> {
  let count = 0;
  for await (const { name, a, b, expected } of pairs) {
    count += 1;
    const [viewsA, viewsB] = [viewsOf(a), viewsOf(b)];
    const found = diffViews(viewsA, viewsB);
    expect(lines(found), name).to.deep.equal(expected === undefined ? [] : [expected]);
    expect(diffViews(viewsB, viewsA).map(turned), `${name}, turned`).to.deep.equal(found.map(straight));
    expect(diffViews(viewsA, viewsA), `${name}, with itself`).to.deep.equal([]);
  }
  return count;
}

describe("differences of captures by meaning", function () {
  this.timeout(20_000);

  it("are exactly the one that was planted, in 30 of 30 pairs", async () => {
    expect(await check(plantedPairs())).to.equal(30);
  });

  it("are none where only random values, timing and losses differ, in 30 of 30 pairs", async () => {
    expect(await check(equalPairs())).to.equal(30);
  });
});
