import { Command } from "commander";
import { Call, type CallOptions, type Connected } from "../dial/call.ts";
import { negotiated, negotiatedLines } from "../dial/describe.ts";
import { icmpLine, icmpPing, type PingResult } from "../dial/icmp-ping.ts";
import { type DialFlags, secretOf, whereOf } from "../dial/wishes.ts";
import { UsageError } from "../run/usage-error.ts";
import { parseAddress } from "../wire/ip.ts";
import { converse, DIAL_EXIT, withDialOptions } from "./calling.ts";
import { EXIT } from "./exit.ts";
import { wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";
import type { Finish } from "./program.ts";

interface Flags extends DialFlags {
  /** True: to the peer's side as it is. */
  ping?: string | true;
  count: string;
  json?: true;
}

const EXAMPLES = `
Examples:
  sudo -E npx bakeoff dial 192.0.2.1 --psk-file secret --remote-id gw.example --ping
  bakeoff dial 192.0.2.1 --psk-file secret --encap tcp --esp aes256gcm16-esn
  bakeoff dial 192.0.2.1 --psk-file secret --ike aes256-sha256-x25519-ke1_mlkem768 --ppk lab=ppk
  bakeoff dial 192.0.2.1 --psk-file secret --encap udp --local-port 0 --remote-ts 203.0.113.0/28 --ping 203.0.113.1
${DIAL_EXIT}`;

export function dialCommand(finish: Finish): Command {
  const command = new Command("dial")
    .description("makes an IKE SA and a Child SA with a peer, says what was negotiated, and deletes them")
    .argument("<address>", "the peer's address")
    .option("--ping [address]", "sends ICMP echo requests through the tunnel (default: to the peer's side)")
    .option("--count <n>", "of them", "3");
  return withDialOptions(command)
    .option("--json", "what was negotiated as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action((address: string, flags: Flags) => dial(address, flags, finish));
}

async function dial(address: string, flags: Flags, finish: Finish): Promise<void> {
  const count = wholeNumber("--count", flags.count);
  if (typeof flags.ping === "string" && !parseAddress(flags.ping))
    throw new UsageError(`--ping ${flags.ping}: must be an address`);
  const begin = (options: CallOptions) => {
    const call = new Call(options);
    return { call, talk: () => show(call, flags, count) };
  };
  await converse(whereOf(address, flags), flags, secretOf(flags), begin, finish);
}

async function show(call: Call, flags: Flags, count: number): Promise<number> {
  const connected = await call.connect();
  const say = (line: string) => void (flags.json ? process.stderr : process.stdout).write(`${line}\n`);
  for (const line of negotiatedLines(connected)) say(line);
  const result = flags.ping === undefined ? undefined : await through(call, connected, flags.ping, count);
  if (result) say(icmpLine(result));
  if (flags.json) printJson({ ...negotiated(connected), ...(result && { ping: result }) });
  return result && result.answered === 0 ? EXIT.verdict : EXIT.ok;
}

const through = (call: Call, connected: Connected, to: string | true, count: number): Promise<PingResult> =>
  icmpPing(call, connected, { ...(typeof to === "string" && { to }), count });
