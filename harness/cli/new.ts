/** `bakeoff new`: suites and tests to begin with, in the source tree. */
import { Command } from "commander";
import { planSuite } from "../new/new-suite.ts";
import { type PlannedTest, planTest } from "../new/new-test.ts";
import { sourceTree, write } from "../new/tree.ts";
import { ROLES } from "../run/catalogue.ts";
import { unknownName } from "../run/usage-error.ts";

const SUITE_EXAMPLES = `
Examples:
  bakeoff new suite draft-foo-bar --title "Foo for Bar" --revision 03
  bakeoff new suite rfc9999
`;

const TEST_EXAMPLES = `
Examples:
  bakeoff new test rfc7296 2.8
  bakeoff new test rfc7296 2.8 --peer initiator --requirement IKEV2-130 --name names-the-spi-it-replaces
`;

export function newCommand(): Command {
  const command = new Command("new").description(
    "makes a suite, or a test with its lie, to begin with: in a checkout",
  );
  command
    .command("suite")
    .description("a document's catalogue, what it pins, and a first test with its lie")
    .argument("<name>", "rfcNUMBER, or a draft's name without its revision")
    .option("--title <text>", "of the document (default: its name)")
    .option("--revision <nn>", "of a draft (default: 00)")
    .addHelpText("after", SUITE_EXAMPLES)
    .action((document: string, flags: { title?: string; revision?: string }) => {
      const root = sourceTree();
      make(root, planSuite(root, { document, ...flags }));
    });
  command
    .command("test")
    .description("a test of a document's section, and its lie")
    .argument("<document>", "a folder of suites")
    .argument("<section>", "as in its catalogue, requirements.yaml")
    .option("--name <words>", "of the test: a sentence about the peer (default: made of the requirement)")
    .option("--peer <role>", `the role that the peer plays: ${ROLES.join(", ")}`, "responder")
    .option("--requirement <id>", "which row it covers (default: the first of the section without a test)")
    .option("--lie <words>", "the name of the lie (default: made of the requirement)")
    .addHelpText("after", TEST_EXAMPLES)
    .action((document: string, section: string, { peer, ...flags }: TestFlags) => {
      const role = ROLES.find((name) => name === peer);
      if (!role) throw unknownName("--peer", peer, ROLES);
      const root = sourceTree();
      make(root, planTest(root, { document, section, peer: role, ...flags }));
    });
  return command;
}

interface TestFlags {
  name?: string;
  peer: string;
  requirement?: string;
  lie?: string;
}

function make(root: string, plan: PlannedTest): void {
  write(root, plan);
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  for (const path of Object.keys(plan.made)) say(`made      ${path}`);
  for (const path of Object.keys(plan.extended)) say(`added to  ${path}`);
  say(`${plan.id} is for ${plan.requirement}. What is left to do says: npm run square -- ${plan.id}`);
  if (import.meta.filename.endsWith(".js"))
    say("npx bakeoff runs what was built, so before that: npm run build");
}
