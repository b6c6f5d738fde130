/** `bakeoff`. */
import { bakeoff } from "./program.ts";

process.exitCode = await bakeoff(process.argv.slice(2));
