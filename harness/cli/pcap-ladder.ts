/** `bakeoff pcap ladder`. */
import { basename } from "node:path";
import { Command } from "commander";
import { formatLadder } from "../../pcaps/ladder.ts";
import { viewsAsHostLadder } from "../../pcaps/ladder-of-hosts.ts";
import { ladderSvg } from "../../pcaps/ladder-svg.ts";
import { Sides, type View, viewOf } from "../../pcaps/view.ts";
import { oneLine } from "./output.ts";
import { captureAt, keysFor, keysOption, Output, portOption, Source, writeOutput } from "./pcap-source.ts";

const EXAMPLES = `
Examples:
  bakeoff pcap ladder capture.pcap
  bakeoff pcap ladder capture.pcap --keys keys/ --svg ladder.svg
`;

interface Flags {
  keys?: string[];
  port?: number[];
  svg?: string;
}

/** Messages and octets of a ladder: nobody reads a longer one, and memory is finite. */
const MOST = { messages: 5000, octets: 16 * 1024 * 1024 };

export function ladderCommand(): Command {
  return new Command("ladder")
    .description("draws who sent what to whom, as text or SVG")
    .argument("<file>", "capture: pcap or pcapng, or the folder of a test's evidence")
    .option(...keysOption)
    .option(...portOption)
    .option("--svg <file>", "write a picture instead of text")
    .addHelpText("after", EXAMPLES)
    .action(draw);
}

async function draw(path: string, flags: Flags): Promise<void> {
  const capture = captureAt(path);
  const views = viewsOf(new Source(capture, keysFor(capture, flags.keys), flags.port));
  const startMs = views[0]?.timeMs ?? 0;
  const timed = views.map((view) => ({ ...view, timeMs: view.timeMs - startMs }));
  if (flags.svg !== undefined) return writePicture(flags.svg, capture, timed);
  const output = new Output();
  const hosts = hostsOf(timed);
  const [left = "", right = ""] = hosts;
  await output.write(
    hosts.length > 2 ? viewsAsHostLadder(hosts, timed) : formatLadder(timed, { left, right }),
  );
  await output.flush();
}

function viewsOf(source: Source): View[] {
  const sides = new Sides();
  const views: View[] = [];
  let octets = 0;
  for (const seen of source.seen()) {
    octets += seen.octets.length;
    if (views.length >= MOST.messages || octets > MOST.octets) {
      process.stderr.write(`${oneLine(source.capture)}: only the first ${views.length} messages are drawn\n`);
      break;
    }
    views.push(viewOf(seen, sides));
  }
  return views;
}

/** The left one of the first pair comes first. */
function hostsOf(views: readonly View[]): string[] {
  const ends = views.flatMap(({ from, source, destination }) =>
    from === "left" ? [source, destination] : [destination, source],
  );
  return [...new Set(ends.flatMap((end) => (end === undefined ? [] : [hostOf(end)])))];
}

/** Without its port. */
const hostOf = (end: string): string => /^\[(.+)\]:\d+$/.exec(end)?.[1] ?? end.replace(/^([^:]+):\d+$/, "$1");

function writePicture(path: string, capture: string, views: readonly View[]): void {
  const [left = "", right = "", ...others] = hostsOf(views);
  const title = capture === "-" ? "standard input" : basename(capture);
  const peers = others.length > 0 ? `${right} and ${others.length} more` : right;
  writeOutput("--svg", path, ladderSvg(views, { title, left, right: peers, numbered: true }));
}
