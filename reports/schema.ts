/** The JSON Schema of results.json, generated from the zod schema. */
import { z } from "zod";
import { resultsSchema } from "./results.ts";

/** Text of `reports/results.schema.json`. */
export function resultsJsonSchema(): string {
  return JSON.stringify(z.toJSONSchema(resultsSchema), null, 2) + "\n";
}
