/** One step of the benchmark of captures, in a process of its own: what it costs is all there is. */
import type { StepFigures } from "./pcap-files.ts";
import { step } from "./pcap-steps.ts";

const figures = await step(process.argv.slice(2));
const peakMb = (process.resourceUsage().maxRSS * 1024) / 1e6;
process.stdout.write(JSON.stringify({ ...figures, peakMb } satisfies StepFigures));
