/** Reading a long capture against tshark over the same file: how fast, and in how much memory. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCommand } from "../run/lane-process.ts";
import { type BenchResult, type BenchRow, compared } from "./measure.ts";
import { filesIn, type StepFigures } from "./pcap-files.ts";

export interface PcapBenchOptions {
  packets: number;
  seed: string;
  /** Told of every step as it begins. */
  progress(text: string): void;
}

/** How much faster than tshark reading and decoding are to be. */
const AIM = 5;
/** Memory that reading, and comparing, may take, in millions of octets. */
const MOST_MB = { read: 200, diff: 400 };

/** Two captures of that many packets each are written to a folder that is removed at the end. */
export async function measurePcap({ packets, seed, progress }: PcapBenchOptions): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), "bakeoff-bench-"));
  const [a, b] = [join(folder, "a"), join(folder, "b")];
  const count = packets.toLocaleString("en-US");
  try {
    progress(`writing two captures of ${count} packets`);
    await Promise.all(
      [a, b].map((each) => {
        mkdirSync(each);
        return step(["write", each, String(packets), `${seed} ${each === a ? "a" : "b"}`]);
      }),
    );
    progress("reading and decoding");
    const read = await step(["read", a]);
    progress("reading and decrypting");
    const opened = await step(["open", a]);
    progress("tshark -T json, which takes the longest");
    const tshark = await timed("tshark", ["-n", "-T", "json", "-r", filesIn(a).capture]);
    progress("comparing the two captures");
    const diff = await step(["diff", a, b]);
    return { name: "pcap", rows: rowsOf(packets, { read, opened, diff, tshark: tshark?.seconds }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Step = StepFigures & { seconds: number };

interface Steps {
  read: Step;
  opened: Step;
  diff: Step;
  /** Seconds; not set where there is no tshark. */
  tshark: number | undefined;
}

/** @throws Error when a step did not do all of its work */
export function rowsOf(packets: number, { read, opened, diff, tshark }: Steps): BenchRow[] {
  for (const [what, { packets: seen, problems }] of Object.entries({ read, opened }))
    if (seen !== packets || problems > 0)
      throw new Error(`${what}: ${seen} of ${packets} packets were seen, with ${problems} problems`);
  if (opened.opened < 0.9 * packets)
    throw new Error(`only ${opened.opened} of ${packets} packets were opened`);
  if (diff.problems > 0)
    throw new Error(`the captures differ ${diff.problems} times in more than random values`);
  const reference =
    tshark === undefined ? undefined : { what: "tshark -T json without keys", value: packets / tshark };
  const memory = (what: string, { peakMb }: Step, most: number): BenchRow =>
    compared(`${what}, memory`, peakMb, "MB", { what: "what it may take", value: most });
  return [
    compared("read and decode", packets / read.seconds, "packets/s", reference, AIM),
    memory("read and decode", read, MOST_MB.read),
    // With keys tshark searches all of its table for every packet: hours, where there are a thousand SAs.
    compared("read and decrypt", packets / opened.seconds, "packets/s", reference),
    memory("read and decrypt", opened, MOST_MB.read),
    compared("compare two", (2 * packets) / diff.seconds, "packets/s"),
    memory("compare two", diff, MOST_MB.diff),
  ];
}

/** A step in a process of its own, whose start counts. */
async function step(args: readonly string[]): Promise<Step> {
  const [node = "", ...before] = nodeCommand(import.meta.dirname, "pcap-main");
  const run = await timed(node, [...before, ...args]);
  if (!run) throw new Error("node cannot be started");
  return { ...(run.stdout === "" ? NOTHING : JSON.parse(run.stdout)), seconds: run.seconds };
}

const NOTHING: StepFigures = { packets: 0, opened: 0, problems: 0, peakMb: 0 };
/** What is kept of the output, which of tshark is not looked at. */
const MOST_KEPT = 4096;

/** Wall-clock time of a command; undefined where there is none of that name. @throws Error when it fails */
function timed(
  command: string,
  args: readonly string[],
): Promise<{ seconds: number; stdout: string } | undefined> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (data: Buffer) => {
      if (output[name].length < MOST_KEPT) output[name] += data.toString().slice(0, MOST_KEPT);
    });
  return new Promise((resolve, reject) => {
    child.on("error", (error) => {
      if ("code" in error && error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    child.on("close", (code) => {
      const seconds = (performance.now() - start) / 1000;
      if (code === 0) resolve({ seconds, stdout: output.stdout });
      else reject(new Error(`${command} ended with ${code}: ${output.stderr}`));
    });
  });
}
