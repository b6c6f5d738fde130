/** How often each cell of stage, payload type and operator was part of a case. */
import { z } from "zod";
import type { Stage } from "../trace.ts";
import { STAGES } from "../trace.ts";

export const coverageSchema = z
  .strictObject({
    coverage: z.literal(1).describe("Version of this format."),
    cells: z.array(
      z.strictObject({
        stage: z.enum(STAGES),
        payload: z.string().max(64),
        operator: z.string().max(64),
        cases: z.int().min(0).describe("0: the grammar allows it, and no case had it yet."),
      }),
    ),
  })
  .describe("What a campaign of ipsec-bakeoff's fuzzer has lied about.");
export type CoverageFile = z.infer<typeof coverageSchema>;
type CoveredCell = CoverageFile["cells"][number];

const keyOf = (stage: Stage, payload: string, operator: string): string => `${stage} ${payload} ${operator}`;

export class Coverage {
  readonly #cells = new Map<string, CoveredCell>();

  constructor(file?: CoverageFile) {
    for (const cell of file?.cells ?? [])
      this.#cells.set(keyOf(cell.stage, cell.payload, cell.operator), { ...cell });
  }

  /** There is such a cell. */
  know(stage: Stage, payload: string, operator: string): void {
    this.#cell(stage, payload, operator);
  }

  count(stage: Stage, payload: string, operator: string): void {
    this.#cell(stage, payload, operator).cases++;
  }

  /** Cells there are. */
  get size(): number {
    return this.#cells.size;
  }

  /** Cells there are, and those that a case had. */
  totals(): { cells: number; hit: number } {
    const hit = [...this.#cells.values()].filter(({ cases }) => cases > 0).length;
    return { cells: this.#cells.size, hit };
  }

  /** What `coverage.json` holds, sorted by stage, payload and operator. */
  file(): CoverageFile {
    const order = (a: CoveredCell, b: CoveredCell): number =>
      STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage) ||
      compare(a.payload, b.payload) ||
      compare(a.operator, b.operator);
    return { coverage: 1, cells: [...this.#cells.values()].sort(order) };
  }

  #cell(stage: Stage, payload: string, operator: string): CoveredCell {
    const key = keyOf(stage, payload, operator);
    const found = this.#cells.get(key) ?? { stage, payload, operator, cases: 0 };
    this.#cells.set(key, found);
    return found;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
