/** `bakeoff pcap keys`: a Wireshark profile for a capture, and its decrypted twin. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { Command } from "commander";
import {
  type EspKeySet,
  type IkeKeySet,
  PcapngWriter,
  type TwinPacket,
  twinOf,
} from "../../pcaps/decode/index.ts";
import { readKeys } from "../../pcaps/key-files/read.ts";
import { writeKeyFolders } from "../../pcaps/key-files/write.ts";
import type { EspSaKeys, IkeSaKeys } from "../../pcaps/keys.ts";
import { Dissector } from "../../pcaps/read/index.ts";
import { UsageError } from "../run/usage-error.ts";
import { hex } from "../wire/bytes.ts";
import { oneLine } from "./output.ts";
import { captureAt, FaultTeller, keysFor, keysOption, portOption } from "./pcap-source.ts";

const EXAMPLES = `
Keys may be our keys.json or folder of keys, Wireshark's ikev2_decryption_table and esp_sa or a profile with them,
a log of strongSwan at "ike = 4, chd = 4", and what "ip xfrm state" prints. In DIR are then
  keys.json, ikev2_decryption_table, esp_sa ...   the keys that opened something in this capture
  decrypted.pcapng                                the capture as any program can read it, without keys
In place of a capture, the folder of a test's evidence may be given.

Examples:
  bakeoff pcap keys capture.pcap --keys charon.log --out profile
  WIRESHARK_CONFIG_DIR=profile wireshark capture.pcap
  bakeoff pcap keys OUT/evidence/builtin/rfc7296/2.8/rekeys-the-child-sa --out profile
`;

export function keysCommand(): Command {
  return new Command("keys")
    .description("writes a Wireshark profile for a capture, and a decrypted twin of it")
    .argument("<capture>", "pcap or pcapng, or the folder of a test's evidence")
    .option(...keysOption)
    .option(...portOption)
    .requiredOption("--out <dir>", "folder to write into")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

interface Flags {
  keys?: string[];
  port?: number[];
  out: string;
}

function run(given: string, { keys: paths, port: ports, out }: Flags): void {
  const capture = captureAt(given);
  const teller = new FaultTeller(capture);
  const keys = readKeys(keysFor(capture, paths));
  for (const fault of keys.faults) {
    if (fault.fatal) throw new UsageError(`--keys ${oneLine(fault.path)}: ${oneLine(fault.reason)}`);
    teller.tell(fault);
  }
  if (keys.ring.size === 0) throw new UsageError(`${oneLine(capture)}: no keys; name them with --keys`);
  const used = new Used();
  const twin = join(out, "decrypted.pcapng");
  const items = twinOf(capture, keys, { used: (set) => used.add(set), dissector: new Dissector({ ports }) });
  const counts = writing(out, () => writeTwin(capture, items, twin, teller));
  const notes = writing(out, () => writeKeyFolders(out, used.ike(), used.esp()));
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  teller.end();
  process.stdout.write(
    `${twin}: ${counts.decrypted} decrypted, ${counts.closed} stay closed, ${counts["as it was"]} others\n`,
  );
}

/** Turns what the file system throws into one line. */
function writing<T>(out: string, write: () => T): T {
  try {
    mkdirSync(out, { recursive: true });
    return write();
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new UsageError(`--out ${oneLine(out)}: ${oneLine(error.message)}`);
  }
}

type TwinItems = ReturnType<typeof twinOf>;
type Counts = Record<TwinPacket["outcome"], number>;

/** Blocks are gathered up to so many octets. */
const CHUNK = 1 << 20;

function writeTwin(capture: string, items: TwinItems, path: string, teller: FaultTeller): Counts {
  const counts: Counts = { decrypted: 0, "as it was": 0, closed: 0 };
  const writer = new PcapngWriter();
  const file = openSync(path, "w");
  let blocks = [writer.start(`decrypted twin of ${basename(capture)}`)];
  let octets = 0;
  const flush = () => {
    for (const block of blocks) writeSync(file, block);
    [blocks, octets] = [[], 0];
  };
  try {
    for (const item of items) {
      if (item.kind !== "packet") {
        teller.tell(item);
        continue;
      }
      const block = writer.packet(item);
      blocks.push(block);
      octets += block.length;
      if (octets > CHUNK) flush();
      counts[item.outcome]++;
    }
    flush();
  } finally {
    closeSync(file);
  }
  return counts;
}

/** The sets of keys that opened something. */
class Used {
  readonly #ike = new Map<string, Set<IkeSaKeys>>();
  readonly #esp = new Set<EspSaKeys>();

  add({ keys }: IkeKeySet | EspKeySet): void {
    if ("spi" in keys) {
      this.#esp.add(keys);
      return;
    }
    const name = `${hex(keys.spiI)} ${hex(keys.spiR)}`;
    this.#ike.set(name, (this.#ike.get(name) ?? new Set()).add(keys));
  }

  /** In the order of their use, which is that of the generations. */
  ike(): IkeSaKeys[][] {
    return [...this.#ike.values()].map((sets) => [...sets]);
  }

  esp(): EspSaKeys[] {
    return [...this.#esp];
  }
}
