import { Command } from "commander";
import {
  type ChosenPeer,
  findPeer,
  loadDefinitions,
  PeerNameError,
  peerName,
} from "../../peers/definition.ts";
import { installPeer } from "../../peers/install/install.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { printable } from "../../reports/text.ts";
import { ask, keep, keptPeers } from "../run/keeper.ts";
import type { KeptStatus, Question } from "../run/keeper-protocol.ts";
import { UsageError } from "../run/usage-error.ts";
import { printJson, table } from "./output.ts";

const example = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}\n`).join("")}`;

export function peersCommand(): Command {
  const peers = new Command("peers").description("installs, starts and stops the implementations under test");
  peers
    .command("install")
    .description("makes root file systems from the machine's apt sources, in the cache folder")
    .argument("[peer...]", "NAME[@VERSION]; all when none is named")
    .option("--again", "makes those anew that are there")
    .addHelpText(
      "after",
      example("sudo -E npx bakeoff peers install", "sudo -E npx bakeoff peers install strongswan@6.1"),
    )
    .action(install);
  peers
    .command("up")
    .description("starts peers and leaves them running, to look at by hand")
    .argument("<peer...>", "NAME[@VERSION][:RUNTIME]")
    .addHelpText(
      "after",
      example("sudo -E npx bakeoff peers up strongswan@6.1", "sudo -E npx bakeoff peers up libreswan"),
    )
    .action(up);
  peers
    .command("down")
    .description("ends peers that are up")
    .argument("[peer...]", "all that are up when none is named")
    .addHelpText("after", example("sudo -E npx bakeoff peers down"))
    .action(down);
  peers
    .command("status")
    .description("what the peers that are up do")
    .argument("[peer...]", "all that are up when none is named")
    .option("--json", "as JSON on standard output")
    .addHelpText("after", example("sudo -E npx bakeoff peers status --json"))
    .action(status);
  peers
    .command("logs")
    .description("the logs of the peers that are up")
    .argument("[peer...]", "all that are up when none is named")
    .addHelpText("after", example("sudo -E npx bakeoff peers logs strongswan@6.1"))
    .action(logs);
  return peers.addHelpText("after", example("sudo -E npx bakeoff peers install", "bakeoff list peers"));
}

/** @throws UsageError with the nearest name */
function choose(spec: string): ChosenPeer {
  try {
    return findPeer(spec);
  } catch (error) {
    if (error instanceof PeerNameError) throw new UsageError(`${spec}: ${error.message}`);
    throw error;
  }
}

async function install(names: string[], options: { again?: true }): Promise<void> {
  for (const { definition, version } of names.length > 0 ? names.flatMap(versions) : all())
    await installPeer(definition, version, options);
}

const all = () =>
  loadDefinitions().flatMap((definition) => definition.versions.map((version) => ({ definition, version })));

/** All versions of a peer where none is named. */
function versions(name: string): ReturnType<typeof all> {
  const chosen = choose(name);
  return name.includes("@")
    ? [chosen]
    : all().filter(({ definition }) => definition.name === chosen.definition.name);
}

async function up(specs: string[]): Promise<void> {
  for (const peer of specs.map(choose)) process.stdout.write(statusLine(peerName(peer), await keep(peer)));
}

function statusLine(name: string, status: KeptStatus): string {
  const { version, alive, exit, peer, tester, namespace, ikeSas, childSas } = status;
  const state = alive ? `up, ${ikeSas} IKE SAs, ${childSas} Child SAs` : `dead: ${exit ?? "no cause known"}`;
  const where = namespace === undefined ? "" : ` in namespace ${namespace} (ip netns exec ${namespace} sh)`;
  return `${name}  ${version}  ${state}; it is at ${peer}, we at ${tester}${where}\n`;
}

/** The peers named, or all that are up. */
const named = (specs: string[]): string[] =>
  specs.length > 0 ? specs.map((spec) => peerName(choose(spec))) : keptPeers();

async function askUp(name: string, question: Question) {
  const answer = await ask(name, question);
  if (answer && "error" in answer) throw new LabError("control", `${name}: ${answer.error}`);
  return answer;
}

async function down(specs: string[]): Promise<void> {
  const names = named(specs);
  for (const name of names) {
    const answer = await askUp(name, "down");
    process.stderr.write(`${name}: ${answer ? "down" : "was not up"}\n`);
  }
  if (names.length === 0) process.stderr.write("no peer is up\n");
}

async function status(specs: string[], { json }: { json?: true }): Promise<void> {
  const items: { name: string; status?: KeptStatus }[] = [];
  for (const name of named(specs)) {
    const answer = await askUp(name, "status");
    items.push({ name, ...(answer && "status" in answer ? { status: answer.status } : {}) });
  }
  if (json) return printJson(items);
  for (const { name, status: known } of items)
    process.stdout.write(known ? statusLine(name, known) : table([[name, "not up"]]));
  if (items.length === 0) process.stderr.write("no peer is up\n");
}

async function logs(specs: string[]): Promise<void> {
  for (const name of named(specs)) {
    const answer = await askUp(name, "logs");
    if (answer && "logs" in answer)
      process.stdout.write(process.stdout.isTTY ? printable(answer.logs) : answer.logs);
    else process.stderr.write(`${name}: not up\n`);
  }
}
