/** The JSON Schemas of what the program writes, generated from the zod schemas. */
import { z } from "zod";
import { comparisonSchema } from "./compare-schema.ts";
import { findingsSchema } from "./findings.ts";
import { resultsSchema } from "./results.ts";

const textOf = (schema: z.ZodType): string => JSON.stringify(z.toJSONSchema(schema), null, 2) + "\n";

/** Text of each file in `reports`, by its name. */
export const jsonSchemas: ReadonlyMap<string, () => string> = new Map([
  ["results.schema.json", () => textOf(resultsSchema)],
  ["compare.schema.json", () => textOf(comparisonSchema)],
  ["findings.schema.json", () => textOf(findingsSchema)],
]);
