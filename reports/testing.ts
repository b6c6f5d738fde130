/** Readers of the formats by libraries that know their grammars and schemas: for tests. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { Parser } from "tap-parser";
import { z } from "zod";
import { VERDICTS } from "./results.ts";

/** What a strict reader of TAP 14 finds. `extra`: all that is not part of the grammar, or would be a subtest. */
export function readTap(text: string) {
  const events = Parser.parse(text, { strict: true });
  return {
    points: events.flatMap((event) => (event[0] === "assert" ? [event[1]] : [])),
    complete: events.flatMap((event) => (event[0] === "complete" ? [event[1]] : []))[0],
    extra: events.filter(([kind]) => kind === "extra" || kind === "child"),
    comments: events.flatMap((event) => (event[0] === "comment" ? [event[1]] : [])),
  };
}

/** The schema of OASIS's committee, as the tool of its editors ships it. */
const sarifSchema = new URL(
  "../assets/sarif-2.1.0.schema.json",
  import.meta.resolve("@microsoft/sarif-multitool-ts"),
);
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
const isSarif = ajv.compile(
  z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(sarifSchema, "utf8"))),
);

/** What the schema has against a SARIF log; empty for a valid one. */
export const faultsOfSarif = (log: unknown): string[] =>
  isSarif(log)
    ? []
    : (isSarif.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);

/** The parts of a log that tests look at. */
const logSchema = z.looseObject({
  runs: z.tuple([
    z.looseObject({
      tool: z.looseObject({ driver: z.looseObject({ rules: z.array(z.looseObject({ id: z.string() })) }) }),
      invocations: z.tuple([z.looseObject({ executionSuccessful: z.boolean() })]),
      results: z.array(
        z.looseObject({
          ...{ ruleId: z.string(), ruleIndex: z.int(), kind: z.string(), level: z.string() },
          message: z.looseObject({ text: z.string() }),
          properties: z.looseObject({ verdict: z.enum(VERDICTS), test: z.string() }),
        }),
      ),
    }),
  ]),
});

/** The run in a SARIF file. @throws Error naming what the schema has against it */
export function readSarif(text: string) {
  const log: unknown = JSON.parse(text);
  const faults = faultsOfSarif(log);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return logSchema.parse(log).runs[0];
}

/** Fields of a test result in which any text may stand. */
export const FREE_TEXTS: readonly string[] =
  "id title document revision section peer reason expected actual lie".split(" ");
