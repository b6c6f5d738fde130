/** Makes docs/group-life anew: `npx tsx scripts/group-life.ts`. */
import { resolve } from "node:path";
import { writeGroupLife } from "../harness/run/group-life.ts";

await writeGroupLife(resolve(import.meta.dirname, "../docs/group-life"));
