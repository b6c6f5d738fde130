/** `bakeoff pcap show`. */
import { Command } from "commander";
import type { KeyFault } from "../../pcaps/key-files/types.ts";
import { showFields, showJson, showLine } from "../../pcaps/show.ts";
import type { CaptureFault } from "../../pcaps/types.ts";
import { Sides, type View, viewOf } from "../../pcaps/view.ts";
import { regExpOf } from "../run/usage-error.ts";
import { captureAt, faultText, keysFor, keysOption, Output, portOption, Source } from "./pcap-source.ts";

const EXAMPLES = `
A line for each message: number of its packet, seconds since the first, sender and receiver, what it is.
Faults of the file stand in their places, with the octet where they are. A capture of - is standard input.

Examples:
  bakeoff pcap show capture.pcap
  bakeoff pcap show capture.pcap --keys ikev2_decryption_table --tree
  bakeoff pcap show capture.pcap --json | jq .text
  bakeoff pcap show capture.pcap --filter "IKE_AUTH|AUTH_FAIL"
`;

interface Flags {
  keys?: string[];
  port?: number[];
  json?: true;
  tree?: true;
  filter?: RegExp;
}

export function showCommand(): Command {
  return new Command("show")
    .description("shows what a capture holds, decrypted as far as keys are at hand")
    .argument("<file>", "capture: pcap or pcapng, or the folder of a test's evidence")
    .option(...keysOption)
    .option(...portOption)
    .option("-v, --tree", "with every field of every message")
    .option("--json", "a line of JSON for each message, with all fields")
    .option("--filter <regex>", "only messages whose line has it", (text) => regExpOf("--filter", text, "u"))
    .addHelpText("after", EXAMPLES)
    .action(show);
}

async function show(path: string, flags: Flags): Promise<void> {
  const capture = captureAt(path);
  const source = new Source(capture, keysFor(capture, flags.keys), flags.port);
  const [sides, output] = [new Sides(), new Output()];
  let startMs: number | undefined;
  for (const seen of source.items()) {
    if (seen.kind === "fault" || seen.kind === "key-fault") {
      if (!(await output.write(faultLine(seen, flags)))) return;
      continue;
    }
    startMs ??= seen.timeMs;
    const view = viewOf(seen, sides);
    if (!(await output.write(shown(view, startMs, flags)))) return;
  }
  await output.flush();
}

function shown(view: View, startMs: number, { json, tree, filter }: Flags): string {
  const line = showLine(view, startMs);
  if (filter && !filter.test(line)) return "";
  if (json) return showJson(view);
  return tree ? `${line}${showFields(view)}` : line;
}

/** Faults of key files are no part of the capture. */
function faultLine(fault: CaptureFault | KeyFault, { json }: Flags): string {
  if (fault.kind === "key-fault") return "";
  return json ? `${JSON.stringify(fault)}\n` : `     ! ${faultText(fault)}\n`;
}
