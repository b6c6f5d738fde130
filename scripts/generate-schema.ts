/** Writes `reports/results.schema.json` from the zod schema. Run it as `npm run schema`. */
import { writeFileSync } from "node:fs";
import { resultsJsonSchema } from "../reports/schema.ts";

writeFileSync(new URL("../reports/results.schema.json", import.meta.url), resultsJsonSchema());
