/** The JSON Schema of a finding's file, generated from the zod schema. */
import { z } from "zod";
import { findingSchema } from "./finding.ts";

/** Names of signature schemes are checked by a function, for which JSON Schema has no words. */
export const findingJsonSchema = (): string =>
  `${JSON.stringify(z.toJSONSchema(findingSchema, { unrepresentable: "any" }), null, 2)}\n`;
