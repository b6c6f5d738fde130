/** Writes `reports/*.schema.json` from the zod schemas. Run it as `npm run schema`. */
import { writeFileSync } from "node:fs";
import { jsonSchemas } from "../reports/schema.ts";

for (const [name, text] of jsonSchemas) writeFileSync(new URL(`../reports/${name}`, import.meta.url), text());
