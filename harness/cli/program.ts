/** All commands under one roof. */
import { Command, CommanderError } from "commander";
import { tool } from "../run/tool.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { EXIT, fail } from "./exit.ts";

/** What a command did: its exit status. */
export type Finish = (status: number) => void;

/** By name, in the order in which help shows them. Each is loaded when it is wanted: all of them are most of the program. */
const COMMANDS: Readonly<Record<string, (finish: Finish) => Promise<Command>>> = {
  doctor: async () => (await import("./doctor-command.ts")).doctorCommand(),
  list: async () => (await import("./list.ts")).listCommand(),
  run: async (finish) => (await import("./run.ts")).runCommand(finish),
  campaign: async (finish) => (await import("./campaign.ts")).campaignCommand(finish),
  catch: async (finish) => (await import("./catch.ts")).catchCommand(finish),
  fuzz: async (finish) => (await import("./fuzz.ts")).fuzzCommand(finish),
  coverage: async (finish) => (await import("./coverage.ts")).coverageCommand(finish),
  new: async () => (await import("./new.ts")).newCommand(),
  peers: async () => (await import("./peers.ts")).peersCommand(),
  "driver-check": async (finish) => (await import("./driver-check.ts")).driverCheckCommand(finish),
  dial: async (finish) => (await import("./dial.ts")).dialCommand(finish),
  listen: async (finish) => (await import("./listen.ts")).listenCommand(finish),
  "esp-ping": async (finish) => (await import("./esp-ping.ts")).espPingCommand(finish),
  pcap: async (finish) => (await import("./pcap.ts")).pcapCommand(finish),
  report: async (finish) => (await import("./report.ts")).reportCommand(finish),
  baseline: async () => (await import("./baseline.ts")).baselineCommand(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
};

/** Runs the command line `argv` (without node and script) and gives the exit status. */
export async function bakeoff(argv: string[]): Promise<number> {
  let status: number = EXIT.ok;
  const finish: Finish = (value) => {
    status = value;
  };
  const program = new Command("bakeoff")
    .description("Tests IKEv2 and ESP implementations against the texts, and keeps the evidence.")
    .version(tool().version)
    // So that a subcommand may have an option that its group has, too.
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
  const [name = ""] = argv;
  const wanted = Object.hasOwn(COMMANDS, name) ? [name] : Object.keys(COMMANDS);
  for (const each of wanted) {
    const command = await COMMANDS[each]?.(finish);
    if (command) program.addCommand(command);
  }
  harden(program);
  try {
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (error) {
    return error instanceof CommanderError ? EXIT.ok : fail(error);
  }
}

const EXAMPLES = `
Examples:
  bakeoff run                                   all suites against the builtin peer
  bakeoff run rfc7296/2.8 --role responder      one section, the peer responding
  sudo -E npx bakeoff run --peer strongswan@6.1 a real peer, in a namespace
  bakeoff fuzz                                  lies behind the encryption, for a minute
  sudo -E npx bakeoff esp-ping 192.0.2.1 --psk-file secret   how ESP gets through to a peer
  bakeoff doctor                                what this machine can run
`;

/** One clear line for wrong usage, with the nearest valid name. */
function harden(command: Command): void {
  command.showSuggestionAfterError(false).exitOverride((error) => {
    throw error.exitCode === 0 ? error : explain(error, command);
  });
  command.configureOutput({ writeErr: () => {} });
  for (const sub of command.commands) harden(sub);
}

function explain(error: CommanderError, command: Command): UsageError {
  const text = error.message.replace(/^error: /, "").replaceAll("'", '"');
  const given = /unknown (?:option|command) "(.*)"/.exec(text)?.[1];
  if (error.code === "commander.unknownOption" && given)
    return unknownName("option", given, optionsOf(command));
  const commands = command.commands.map((sub) => sub.name());
  if (error.code === "commander.unknownCommand" && given) return unknownName("command", given, commands);
  if (error.code === "commander.help") return new UsageError(`a command is missing: ${commands.join(", ")}`);
  return new UsageError(text);
}

const optionsOf = (command: Command): string[] => [
  "--help",
  ...command.options.flatMap(({ long }) => (long ? [long] : [])),
];
