import { Command } from "commander";
import { systemRandom } from "../crypto/seeded-random.ts";
import type { CallOptions, Connected } from "../dial/call.ts";
import { espWayText, negotiated } from "../dial/describe.ts";
import { type EchoPlan, type EchoRun, type EchoSummary, summaryOf } from "../dial/echo-run.ts";
import { overdueLine, replyLine, sentLine, spiText, summaryLines } from "../dial/echo-text.ts";
import { checkRevision, type EchoCall, echoCall, unannounced } from "../dial/esp-echo.ts";
import { icmpLine, icmpPing } from "../dial/icmp-ping.ts";
import type { Way } from "../dial/way.ts";
import { type DialFlags, secretOf, whereOf } from "../dial/wishes.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { hex } from "../wire/bytes.ts";
import { type EchoRevision, echoForms, isEchoRevision, ordinaryNumbers } from "../wire/esp-echo.ts";
import { converse, DIAL_EXIT, withDialOptions } from "./calling.ts";
import { EXIT } from "./exit.ts";
import { seconds, wholeNumber } from "./numbers.ts";
import { printJson } from "./output.ts";
import type { Finish } from "./program.ts";

interface Flags extends DialFlags {
  size?: string;
  sweep?: true;
  count?: string;
  interval: string;
  timeout: string;
  plain?: true;
  oneWay?: true;
  replySpi?: string;
  revision: string;
  requireAnnounced?: true;
  icmp?: true;
  json?: true;
}

const EXAMPLES = `
Examples:
  sudo -E npx bakeoff esp-ping 192.0.2.1 --psk-file secret --remote-id gw.example
  sudo -E npx bakeoff esp-ping 192.0.2.1 --psk-file secret --sweep
  bakeoff esp-ping 192.0.2.1 --psk-file secret --encap udp --local-port 0 --size 64,1400
  bakeoff esp-ping 192.0.2.1 --plain --encap udp --local-port 0 --count 3
${DIAL_EXIT}`;

const ICMP = 3;
const OWN_DEFAULT = { count: 5, sweep: 2, size: 56 };

export function espPingCommand(finish: Finish): Command {
  const command = new Command("esp-ping")
    .description("asks a peer for ESP echoes, within an SA made for it or outside of any, as ping does")
    .argument("<address>", "the peer's address")
    .option("--size <octets>", `octets of data; several sizes with commas (default: ${OWN_DEFAULT.size})`)
    .option("--sweep", "looks for the largest size that passes, in IP fragments if need be")
    .option(
      "--count <n>",
      `requests of each size (default: ${OWN_DEFAULT.count}, with --sweep ${OWN_DEFAULT.sweep})`,
    )
    .option("--interval <seconds>", "between two requests", "1")
    .option("--timeout <seconds>", "how long a reply may take", "3")
    .option("--plain", "needs no SA: requests on SPI 7, replies on SPI 8")
    .option("--one-way", "asks for no replies")
    .option("--reply-spi <hex>", "the SPI that replies are to come on (default: that of the Child SA)")
    .option("--revision <name>", `of the draft: ${Object.keys(echoForms).join(", ")}`, "M")
    .option("--require-announced", "sends nothing to a peer that did not announce the echo")
    .option("--icmp", "sends three ICMP echo requests through the same SA afterwards");
  return withDialOptions(command)
    .option("--json", "requests, replies and summary as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action((address: string, flags: Flags) => ping(address, flags, finish));
}

/** What was asked for, checked. */
interface Wishes {
  revision: EchoRevision;
  plan: EchoPlan;
  plain: boolean;
  replySpi?: number;
}

const LARGEST = 65_000;

function wishesOf(flags: Flags): Wishes {
  const { revision, sweep } = flags;
  if (!isEchoRevision(revision)) throw unknownName("revision", revision, Object.keys(echoForms));
  const [plain, oneWay] = [flags.plain ?? false, flags.oneWay ?? false];
  const replySpi = flags.replySpi === undefined ? undefined : spiOf(flags.replySpi);
  checkRevision(revision, { plain, oneWay, ...(replySpi !== undefined && { replySpi }) });
  if (plain && flags.icmp) throw new UsageError("--icmp needs an SA, --plain makes none");
  if (sweep && flags.size !== undefined) throw new UsageError("either --size or --sweep");
  if (sweep && oneWay) throw new UsageError("--sweep needs replies, --one-way asks for none");
  const plan: EchoPlan = {
    sizes: sweep ? "sweep" : (flags.size?.split(",").map(sizeOf) ?? [OWN_DEFAULT.size]),
    count:
      flags.count === undefined
        ? OWN_DEFAULT[sweep ? "sweep" : "count"]
        : wholeNumber("--count", flags.count),
    intervalMs: seconds("--interval", flags.interval),
    timeoutMs: seconds("--timeout", flags.timeout),
    probe: { ...(oneWay && { reply: false }), ...(replySpi !== undefined && { replySpi }) },
    oneWay,
  };
  return { revision, plan, plain, ...(replySpi !== undefined && { replySpi }) };
}

function sizeOf(given: string): number {
  const value = Number(given);
  if (/^\d{1,5}$/.test(given) && value <= LARGEST) return value;
  throw new UsageError(`--size ${given}: must be a whole number from 0 to ${LARGEST}`);
}

function spiOf(given: string): number {
  if (/^(0x)?[0-9a-f]{1,8}$/i.test(given)) return Number.parseInt(given.replace(/^0x/i, ""), 16);
  throw new UsageError(`--reply-spi ${given}: must be an SPI in hex`);
}

async function ping(address: string, flags: Flags, finish: Finish): Promise<void> {
  const wishes = wishesOf(flags);
  const where = whereOf(address, flags);
  // Nobody else is to know how to make an SA with us.
  const psk = wishes.plain ? hex(systemRandom(16)) : secretOf(flags);
  const begin = (options: CallOptions) => {
    const echo = echoCall(options, wishes.revision);
    return { call: echo.call, talk: () => talk(echo, options.way, wishes, flags) };
  };
  await converse(where, flags, psk, begin, finish);
}

/** Lines go to standard output, unless that is for JSON. */
type Say = (line: string) => void;

async function talk(echo: EchoCall, way: Way, wishes: Wishes, flags: Flags): Promise<number> {
  const say: Say = (line) => void (flags.json ? process.stderr : process.stdout).write(`${line}\n`);
  const { revision, plain } = wishes;
  const connected = plain ? undefined : await echo.call.connect();
  const doubt = connected && unannounced(connected.sa, revision);
  say(header(way, wishes, connected));
  if (doubt) say(doubt);
  if (doubt && flags.requireAnnounced) return EXIT.verdict;
  const begun = echo.call.now();
  const run = await probe(echo, way, wishes, connected, say);
  const summary = summaryOf(run.requests, wishes.plan.oneWay);
  const { sizes, oneWay } = wishes.plan;
  const facts = { peer: way.remote.host, elapsedMs: echo.call.now() - begun, oneWay };
  const manySizes = sizes === "sweep" || sizes.length > 1;
  for (const line of ["", ...summaryLines(summary, { ...facts, manySizes })]) say(line);
  if (doubt && summary.answered === 0) say(doubt);
  const icmp = flags.icmp && connected ? await icmpPing(echo.call, connected, { count: ICMP }) : undefined;
  if (icmp) say(icmpLine(icmp));
  if (flags.json) printJson({ ...report(way, wishes, connected, run, summary), ...(icmp && { icmp }) });
  return oneWay || summary.answered > 0 ? EXIT.ok : EXIT.verdict;
}

function header(
  way: Way,
  { revision, plan, plain, replySpi }: Wishes,
  connected: Connected | undefined,
): string {
  const size = plan.sizes === "sweep" ? "a sweep of sizes" : `${plan.sizes.join(", ")} octets of data`;
  const { request, reply } = ordinaryNumbers.spi;
  const [out, back] = connected
    ? [connected.pipe.outbound.spi, replySpi ?? connected.pipe.inbound.spi]
    : [request, replySpi ?? reply];
  const over = { udp: "ESP in UDP", tcp: "ESP in TCP", esp: "ESP as IP protocol 50" }[way.plain.protocol];
  const how = plain || !connected ? `no SA, ${over}` : espWayText(connected.sa);
  return `ESP echo ${way.remote.host}: ${size}, revision ${revision}, to SPI ${spiText(out)}, back on ${spiText(back)}, ${how}`;
}

async function probe(
  { run: start }: EchoCall,
  way: Way,
  { plan, plain }: Wishes,
  connected: Connected | undefined,
  say: Say,
): Promise<EchoRun> {
  const peer = way.remote.host;
  const path = plain ? { plain: way.plain } : connected ? { pipe: connected.pipe } : {};
  const run = start(
    { ...plan, probe: { ...plan.probe, ...path } },
    {
      ...(plan.oneWay && { sent: (request) => say(sentLine(peer, request)) }),
      reply: (request, reply) => say(replyLine(peer, request, reply)),
      overdue: (request) => say(overdueLine(request)),
    },
  );
  await run.run();
  return run;
}

function report(
  way: Way,
  { revision, plain }: Wishes,
  connected: Connected | undefined,
  { requests }: EchoRun,
  summary: EchoSummary,
): object {
  return {
    ...{ peer: way.remote.host, revision, plain },
    ...(connected && {
      ...negotiated(connected),
      announced: unannounced(connected.sa, revision) === undefined,
    }),
    requests: requests.map(({ sequence, size, replies }) => ({
      ...{ sequence, size },
      replies: replies.map(({ rttMs, spi, asAsked, matches, data }) => ({
        ...{ rttMs, spi: spiText(spi), asAsked, matches, octets: data.length },
      })),
    })),
    summary,
  };
}
