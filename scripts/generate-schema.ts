/** Writes `reports/*.schema.json` from the zod schemas. Run it as `npm run schema`. */
import { writeFileSync } from "node:fs";
import { findingJsonSchema } from "../fuzz/findings/schema.ts";
import { jsonSchemas } from "../reports/schema.ts";

for (const [name, text] of jsonSchemas) writeFileSync(new URL(`../reports/${name}`, import.meta.url), text());
writeFileSync(new URL("../reports/finding.schema.json", import.meta.url), findingJsonSchema());
