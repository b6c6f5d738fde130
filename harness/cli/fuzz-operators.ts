/** `bakeoff fuzz operators`: the ways to lie. */
import { Command } from "commander";
import { operators } from "../../fuzz/operators/index.ts";
import { setups } from "../../fuzz/setups.ts";
import { printJson, table } from "./output.ts";

interface Flags {
  setups?: true;
  json?: true;
}

export function operatorsCommand(): Command {
  return new Command("operators")
    .description("lists the operators, each a named way to lie about a message")
    .option("--setups", "lists what both ends can be told instead, for --setup")
    .option("--json", "as JSON on standard output")
    .action(({ setups: asked, json }: Flags) => {
      if (asked) return json ? printJson(setups) : void process.stdout.write(setupTable());
      if (json)
        return printJson(
          operators.map(({ name, family, effect, on, demand }) => ({ name, family, on, effect, demand })),
        );
      process.stdout.write(table(operators.map(({ name, family, effect }) => [name, family, effect])));
    });
}

const setupTable = (): string =>
  table(setups.map(({ name, roles, stages, effect }) => [name, roles.join(","), stages.join(","), effect]));
