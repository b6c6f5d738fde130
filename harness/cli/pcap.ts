/** `bakeoff pcap`: what can be done with captures. */
import { Command } from "commander";
import { diffCommand } from "./pcap-diff.ts";
import { keysCommand } from "./pcap-keys.ts";
import { ladderCommand } from "./pcap-ladder.ts";
import { lintCommand } from "./pcap-lint.ts";
import { showCommand } from "./pcap-show.ts";
import type { Finish } from "./program.ts";

/** One for each subcommand. */
const COMMANDS: readonly ((finish: Finish) => Command)[] = [
  showCommand,
  ladderCommand,
  lintCommand,
  diffCommand,
  keysCommand,
];

const EXAMPLES = `
Examples:
  bakeoff pcap show capture.pcap --keys keys/
  bakeoff pcap ladder capture.pcap --keys keys/ --svg ladder.svg
  bakeoff pcap lint capture.pcap --keys keys/
  bakeoff pcap keys capture.pcap --keys charon.log --out profile
  bakeoff pcap diff old.pcap new.pcap --keys-a old-keys/ --keys-b new-keys/
`;

export function pcapCommand(finish: Finish): Command {
  const group = new Command("pcap")
    .description("shows, judges and compares captures of any two implementations")
    .addHelpText("after", EXAMPLES);
  for (const make of COMMANDS) group.addCommand(make(finish));
  return group;
}
