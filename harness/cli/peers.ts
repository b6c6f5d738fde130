import { Command } from "commander";
import { findPeer, loadDefinitions, PeerNameError } from "../../peers/definition.ts";
import { installPeer } from "../../peers/install/install.ts";
import { UsageError } from "../run/usage-error.ts";

const EXAMPLES = `
Examples:
  sudo -E npx bakeoff peers install strongswan@6.1
  sudo -E npx bakeoff peers install
`;

export function peersCommand(): Command {
  const peers = new Command("peers").description("installs the implementations that are tested");
  peers
    .command("install")
    .description("makes root file systems from the machine's apt sources, in the cache folder")
    .argument("[peer...]", "NAME[@VERSION]; all when none is named")
    .option("--again", "makes those anew that are there")
    .addHelpText("after", EXAMPLES)
    .action(install);
  return peers.addHelpText("after", EXAMPLES);
}

async function install(names: string[], options: { again?: true }): Promise<void> {
  for (const { definition, version } of names.length > 0 ? names.flatMap(versions) : all())
    await installPeer(definition, version, options);
}

const all = () =>
  loadDefinitions().flatMap((definition) => definition.versions.map((version) => ({ definition, version })));

/** All versions of a peer where none is named. */
function versions(name: string): ReturnType<typeof all> {
  try {
    const chosen = findPeer(name);
    return name.includes("@") ? [chosen] : all().filter(({ definition }) => definition.name === name);
  } catch (error) {
    if (error instanceof PeerNameError) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}
