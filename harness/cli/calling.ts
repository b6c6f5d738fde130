/** What `dial` and `esp-ping` share: options, and a call with its end. */
import { type Command, Option } from "commander";
import { systemRandom } from "../crypto/seeded-random.ts";
import { type Call, CallFailure, type CallOptions } from "../dial/call.ts";
import { openWay, sourceFor, Unreachable } from "../dial/way.ts";
import { configOf, type DialFlags, type Where } from "../dial/wishes.ts";
import { EXIT } from "./exit.ts";
import { oneLine } from "./output.ts";
import type { Finish } from "./program.ts";
import { onSignals } from "./signals.ts";

const collect = (value: string, all: string[]): string[] => [...all, value];

export const DIAL_EXIT = `
Exit status: ${EXIT.ok} as wished, ${EXIT.verdict} the peer did not answer or refused, ${EXIT.usage} wrong usage, ${EXIT.lab} no socket to be had.
`;

/** Adds them; the command's flags have the fields of DialFlags then. */
export function withDialOptions(command: Command): Command {
  return withProposalOptions(withAddressOptions(command))
    .addOption(several("--local-ts <prefix>", "our side of the tunnel; may be given again", "our address"))
    .addOption(several("--remote-ts <prefix>", "the peer's side; may be given again", "its address"))
    .option("--mode <mode>", "tunnel or transport", "tunnel");
}

const several = (flags: string, description: string, shown: string): Option =>
  new Option(flags, description).argParser(collect).default([], shown);

/** Who talks to whom, and how they know each other. */
const withAddressOptions = (command: Command): Command =>
  command
    .option("--psk <secret>", "the shared secret")
    .option("--psk-file <file>", "a file that holds the shared secret")
    .option(
      "--id, --local-id <id>",
      "our identity: a name, user@host, an address, keyid:HEX or dn:CN=... (default: our address)",
    )
    .option("--remote-id <id>", "the peer's identity (default: its address)")
    .option("--port <n>", "the peer's port (default: 500, with --encap udp or tcp 4500)")
    .option("--nat-port <n>", "the peer's port for ESP in UDP, with --encap auto", "4500")
    .option("--local-address <address>", "our address (default: what the route says)")
    .option("--local-port <n>", "our port, 0 for any (default: 500, with --encap udp 4500)")
    .option(
      "--encap <way>",
      "how ESP travels: auto, udp, esp or tcp; auto is IP protocol 50 unless there is a NAT or no raw socket",
      "auto",
    );

/** What is on offer, and PPKs. */
const withProposalOptions = (command: Command): Command =>
  command
    .addOption(
      several(
        "--ike <proposal>",
        "for the IKE SA, as aes256-sha256-x25519-ke1_mlkem768; may be given again",
        "strong ones",
      ),
    )
    .addOption(
      several("--esp <proposal>", "for the Child SA, as aes256gcm16; may be given again", "strong ones"),
    )
    .addOption(
      several(
        "--ppk <id=file>",
        "a postquantum preshared key and a file that holds it, without which no SA is made; may be given again",
        "none",
      ),
    );

/** What to do on a call; gives the exit status. */
interface Conversation {
  call: Call;
  talk(): Promise<number>;
}

/**
 * Opens the way, has the conversation, and ends both whatever happens. A peer that cannot be reached or refuses is one
 * line on standard error.
 */
export async function converse(
  where: Where,
  flags: DialFlags,
  psk: string,
  begin: (options: CallOptions) => Conversation,
  finish: Finish,
): Promise<void> {
  const host = where.localAddress ?? (await sourceFor(where.peer));
  const config = configOf(where, host, flags, psk);
  const { signal, release } = onSignals(process.stderr, "ending");
  try {
    const way = await openWay(where, host);
    let conversation: Conversation | undefined;
    try {
      conversation = begin({ way, config, random: systemRandom, signal });
      finish(await conversation.talk());
    } finally {
      await (conversation?.call.end() ?? way.link.close());
    }
  } catch (error) {
    if (!(error instanceof CallFailure || error instanceof Unreachable)) throw error;
    process.stderr.write(`bakeoff: ${oneLine(error.message)}\n`);
    finish(EXIT.verdict);
  } finally {
    release();
  }
}
