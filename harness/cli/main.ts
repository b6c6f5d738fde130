/** `bakeoff`. */
import { guardStreams } from "./output.ts";
import { bakeoff } from "./program.ts";

guardStreams();
const status = await bakeoff(process.argv.slice(2));
process.exitCode ??= status;
