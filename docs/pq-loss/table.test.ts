import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { measurePq } from "../../harness/bench/pq.ts";
import { PQ_METHODS } from "../../harness/bench/pq-methods.ts";
import { pqText } from "../../harness/bench/pq-text.ts";

/** Rows of a table without its widths. */
const rows = (text: string): string[] => text.split("\n").map((line) => line.trim().replace(/ +/g, " "));

describe("docs/pq-loss", () => {
  it("has the rows that its command makes", async () => {
    const methods = PQ_METHODS.filter(({ name }) => ["X25519", "X25519 + ML-KEM-768"].includes(name));
    const options = { losses: [0, 1, 3, 5, 10], rttMs: 50, runs: 200, seed: "1", packets: [1280], methods };
    const made = rows(pqText(await measurePq(options)));
    const figures = made.slice(0, made.indexOf(""));
    const tables = made.slice(
      made.indexOf(""),
      made.findIndex((row) => row.startsWith("computing")),
    );
    const known = rows(readFileSync(join(import.meta.dirname, "table.txt"), "utf8"));
    expect(known).to.include.members([...figures, ...tables]);
  });
});
