/** `bakeoff driver-check`: proves a user's driver against the contract. */
import { Command } from "commander";
import { type Checked, checkDriver } from "../run/driver-check.ts";
import { startedBy } from "../run/external.ts";
import { EXIT } from "./exit.ts";
import { hasColor, oneLine, painter, printJson } from "./output.ts";
import type { Finish } from "./program.ts";
import { onSignals } from "./signals.ts";

const HELP = `
Examples:
  sudo -E npx bakeoff driver-check my-daemon.yaml     starts it as a run would, and tries every verb
  bakeoff driver-check my-daemon.yaml --json

Exit status: ${EXIT.ok} it keeps the contract, ${EXIT.verdict} it does not, ${EXIT.usage} wrong usage, ${EXIT.lab} the lab could not be set up or the driver not be started.
`;

const STYLE = { ok: "green", unsupported: "yellow", failed: "red" } as const;

export function driverCheckCommand(finish: Finish): Command {
  return new Command("driver-check")
    .description("proves a driver of your own against the contract of docs/add-your-implementation.md")
    .argument("<definition>", "the YAML file that defines the peer")
    .option("--json", "the checks as JSON on standard output")
    .addHelpText("after", HELP)
    .action((file: string, flags: { json?: true }) => act(file, flags, finish));
}

async function act(file: string, flags: { json?: true }, finish: Finish): Promise<void> {
  const external = startedBy(file);
  const paint = painter(hasColor(process.stderr));
  const signals = onSignals(process.stderr, "ending the checks");
  try {
    const all = await checkDriver(
      external,
      ({ name, outcome, reason }) => {
        const why = reason === "" ? "" : `: ${oneLine(reason)}`;
        process.stderr.write(`${paint(STYLE[outcome], outcome)}  ${name}${why}\n`);
      },
      signals.signal,
    );
    if (flags.json) printJson(all);
    process.stderr.write(`${paint("bold", totals(all))}\n`);
    finish(all.some(({ outcome }) => outcome === "failed") ? EXIT.verdict : EXIT.ok);
  } finally {
    signals.release();
  }
}

const totals = (all: readonly Checked[]): string =>
  (["ok", "unsupported", "failed"] as const)
    .map((outcome) => `${all.filter((one) => one.outcome === outcome).length} ${outcome}`)
    .join(", ");
