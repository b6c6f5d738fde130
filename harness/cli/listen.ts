/** `bakeoff listen`: the live responder, until it is told to end. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { canonical, isUnspecified } from "../listen/addresses.ts";
import type { ListenHub } from "../listen/hub.ts";
import { openListener } from "../listen/open.ts";
import { JOURNAL, prepareOut } from "../run/out-folder.ts";
import { UsageError } from "../run/usage-error.ts";
import { parseAddress } from "../wire/ip.ts";
import { EXIT } from "./exit.ts";
import { openPages, pageLines, type Web, type WebFlags, webOf, withWebOptions } from "./listen-web.ts";
import { oneLine } from "./output.ts";
import type { Finish } from "./program.ts";
import { onSignals } from "./signals.ts";

interface Flags extends WebFlags {
  address: string;
  ikePort: string;
  natPort: string;
  out: string;
  id: string;
}

const EXAMPLES = `
Examples:
  bakeoff listen --ike-port 0 --nat-port 0       on loopback, with ports that the system chooses
  sudo -E npx bakeoff listen --address 192.0.2.1 for boxes that dial 192.0.2.1 on ports 500 and 4500
  bakeoff listen --web-url https://bakeoff.example/   with pages behind a reverse proxy that has TLS
  bakeoff report bakeoff-listen                  all sessions and their tests, as peers of one run

With the same --out it shows the same pages again and takes the same sessions.
Exit: 0 it ended when told to, 2 wrong usage, 3 the ports cannot be had.
`;

/** Nothing of an earlier run is removed. */
const NOTHING: readonly string[] = [];

export function listenCommand(finish: Finish): Command {
  const command = new Command("listen")
    .description("answers whoever dials in, judges them, and has a page for each of them")
    .option("--address <address>", "ours, that participants dial", "127.0.0.1")
    .option("--ike-port <n>", "port for IKE; 0: one that is free", "500")
    .option("--nat-port <n>", "port for IKE and ESP with the non-ESP marker; 0: one that is free", "4500")
    .option("--out <dir>", "folder of sessions and results", "bakeoff-listen")
    .option("--id <name>", "what our end calls itself", "listen.example");
  return withWebOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags) => listen(flags, finish));
}

async function listen(flags: Flags, finish: Finish): Promise<void> {
  const { out, id } = flags;
  if (!parseAddress(flags.address)) throw new UsageError(`--address ${flags.address}: must be an address`);
  const address = canonical(flags.address);
  if (isUnspecified(address))
    throw new UsageError(`--address ${address}: must be the one address that participants dial`);
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,100}$/.test(id))
    throw new UsageError(`--id ${id}: must be a domain name`);
  const ports = { ikePort: port("--ike-port", flags.ikePort), natPort: port("--nat-port", flags.natPort) };
  const web = webOf(flags);
  const release = prepareOut(out, existsSync(join(out, JOURNAL)), NOTHING);
  const { signal, release: endSignals } = onSignals(process.stderr, "ending the sessions");
  try {
    const hub = await openListener({ address, ...ports, identity: id, out, fault });
    await serve(hub, web, signal);
    finish(EXIT.ok);
  } finally {
    endSignals();
    release();
  }
}

async function serve(hub: ListenHub, web: Web, signal: AbortSignal): Promise<void> {
  const { host, ikePort, natPort } = hub.endpoint;
  process.stderr.write(`IKE on ${host} port ${ikePort}, with the non-ESP marker on port ${natPort}\n`);
  try {
    const pages = await openPages(hub, web);
    for (const line of pageLines(pages, web)) process.stderr.write(`${line}\n`);
    await until(signal);
    await pages.close();
  } finally {
    await hub.close();
  }
}

const until = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });

const fault = (error: unknown): void => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`a fault of the listener's: ${oneLine(text)}\n`);
};

/** @throws UsageError */
function port(option: string, given: string): number {
  const value = Number(given);
  if (/^\d{1,5}$/.test(given) && value <= 65_535) return value;
  throw new UsageError(`${option} ${given}: must be a port from 0 to 65535`);
}
