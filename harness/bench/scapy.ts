/** scapy's figures on the same messages, from a process of its own, where python3 has it. */
import { execFile } from "node:child_process";
import { hex } from "../wire/bytes.ts";

export interface ScapyFigures {
  version: string;
  /** Messages or chains per second, in the order given. */
  decode: number[];
  encode: number[];
}

/** One thing to decode: a whole message, or a chain that begins with this payload type. */
export interface ScapyInput {
  firstType?: number;
  octets: Uint8Array;
}

/** Reads `[{first, hex}]` and seconds from its arguments; writes one line of JSON. */
const PROGRAM = `
import json, sys, time, logging
logging.getLogger("scapy").setLevel(logging.CRITICAL)
import scapy
from scapy.contrib import ikev2
inputs, seconds = json.loads(sys.argv[1]), float(sys.argv[2])
def rate(f):
    f()
    count, start = 0, time.perf_counter()
    while True:
        for _ in range(10): f()
        count += 10
        elapsed = time.perf_counter() - start
        if elapsed >= seconds: return count / elapsed
result = {"version": scapy.__version__, "decode": [], "encode": []}
for one in inputs:
    octets = bytes.fromhex(one["hex"])
    kind = ikev2.IKEv2
    if one["first"] is not None:
        kind = {35: ikev2.IKEv2_payload_IDi, 36: ikev2.IKEv2_payload_IDr}[one["first"]]
    packet = kind(octets)
    packet.clear_cache()
    if bytes(packet) != octets: sys.exit("scapy writes other octets than it read")
    result["decode"].append(rate(lambda: kind(octets)))
    result["encode"].append(rate(lambda: bytes(packet)))
print(json.dumps(result))
`;

/** The first Python that has scapy: the one in the path may be another than the system's. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** Undefined where there is no python3 with scapy. */
export async function scapyFigures(
  inputs: ScapyInput[],
  secondsEach: number,
): Promise<ScapyFigures | undefined> {
  const messages = inputs.map(({ firstType, octets }) => ({ first: firstType ?? null, hex: hex(octets) }));
  const output = await runPython(PROGRAM, [JSON.stringify(messages), String(secondsEach)]);
  return output === undefined ? undefined : (JSON.parse(output) as ScapyFigures);
}

/** What this program writes; undefined where there is no Python in which it runs. */
export async function runPython(program: string, args: readonly string[]): Promise<string | undefined> {
  for (const python of PYTHONS) {
    const output = await run(python, ["-c", program, ...args]);
    if (output !== undefined) return output;
  }
  return undefined;
}

function run(command: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 60_000 }, (failure, stdout) => resolve(failure ? undefined : stdout));
  });
}
