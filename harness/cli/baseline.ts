import { Command } from "commander";
import { baselineName } from "../run/baseline.ts";
import { draftEntries } from "../run/baseline-draft.ts";
import { report } from "../run/report.ts";
import { loadTests } from "../run/suites.ts";
import { unknownName } from "../run/usage-error.ts";

const EXAMPLES = `
Examples:
  bakeoff baseline bakeoff-report strongswan@6.1 >> baselines/strongswan@6.1.yaml
`;

export function baselineCommand(): Command {
  return new Command("baseline")
    .description("drafts the entries that a peer's baseline lacks, from the journal of a run")
    .argument("<dir>", "the folder of the run")
    .argument("<peer>", "the peer and its version, as in strongswan@6.1")
    .addHelpText("after", EXAMPLES)
    .action(async (dir: string, peer: string) => {
      const { results } = report(dir, [], await loadTests());
      const known = results.peers.map(baselineName);
      if (!known.includes(peer)) throw unknownName("peer of that run", peer, known);
      const entries = draftEntries(results, peer);
      process.stdout.write(entries);
      if (entries === "") process.stderr.write("nothing is to be added\n");
    });
}
