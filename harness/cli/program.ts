/** All commands under one roof. */
import { Command, CommanderError } from "commander";
import { tool } from "../run/tool.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { baselineCommand } from "./baseline.ts";
import { benchCommand } from "./bench.ts";
import { campaignCommand } from "./campaign.ts";
import { catchCommand } from "./catch.ts";
import { coverageCommand } from "./coverage.ts";
import { dialCommand } from "./dial.ts";
import { doctorCommand } from "./doctor-command.ts";
import { driverCheckCommand } from "./driver-check.ts";
import { espPingCommand } from "./esp-ping.ts";
import { EXIT, fail } from "./exit.ts";
import { fuzzCommand } from "./fuzz.ts";
import { listCommand } from "./list.ts";
import { listenCommand } from "./listen.ts";
import { newCommand } from "./new.ts";
import { pcapCommand } from "./pcap.ts";
import { peersCommand } from "./peers.ts";
import { reportCommand } from "./report.ts";
import { runCommand } from "./run.ts";

/** What a command did: its exit status. */
export type Finish = (status: number) => void;

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
  program.addCommand(doctorCommand());
  program.addCommand(listCommand());
  program.addCommand(runCommand(finish));
  program.addCommand(campaignCommand(finish));
  program.addCommand(catchCommand(finish));
  program.addCommand(fuzzCommand(finish));
  program.addCommand(coverageCommand(finish));
  program.addCommand(newCommand());
  program.addCommand(peersCommand());
  program.addCommand(driverCheckCommand(finish));
  program.addCommand(dialCommand(finish));
  program.addCommand(listenCommand(finish));
  program.addCommand(espPingCommand(finish));
  program.addCommand(pcapCommand(finish));
  program.addCommand(reportCommand(finish));
  program.addCommand(baselineCommand());
  program.addCommand(benchCommand());
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
