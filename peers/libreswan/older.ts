/** libreswan 4 in the words of 5, which the driver speaks: a machine whose commands, files and answers are translated. */
import type { Duplex } from "node:stream";
import { LabError } from "../runtime/errors.ts";
import { Machine } from "../runtime/machine.ts";
import type { CommandResult } from "../runtime/process.ts";
import type { GuestLine, GuestProcess, RunOptions, StartOptions } from "../runtime/uml-guest.ts";

const WORDS: readonly [now: RegExp, then: string][] = [
  [/\bkeyexchange=ikev2\b/g, "ikev2=insist"],
  [/\bsend_no_delete\b/g, "send-no-delete"],
  [/\b(omit|ignore)_v2_notification(:\w+)?/g, "$1-v2n-signature-hash-algorithms"],
  [/^--rekey-child$/g, "--rekey-ipsec"],
];

/** Deletes the SAs of a kind by their numbers; it has no order for all of them. Says what 5 says where there is none. */
const DELETE = `
numbers=$(/usr/libexec/ipsec/whack --showstates | sed -n 's/^\\(000 \\)*#\\([0-9]*\\): .*ESTABLISHED_'"$0"'_SA (.*/\\2/p' | tail -n 1)
[ -n "$numbers" ] || echo "connection does not have an established $0 SA"
for number in $numbers; do /usr/libexec/ipsec/whack --deletestate "$number" --asynchronous; done`;

/** As 4 has it. */
export function inOlderWords(text: string): string {
  return WORDS.reduce((said, [now, then]) => said.replace(now, then), text);
}

/** What it tells of SAs, as 5 has it. */
export const inNewerWords = (text: string): string =>
  text.replace(/^000 (?=#)/gm, "").replace(/\bSTATE_V2_(?=[A-Z])/g, "");

function olderCommand(argv: string[]): string[] {
  const [, kind] = /^--delete-(ike|child)$/.exec(argv[1] ?? "") ?? [];
  return kind ? ["/bin/sh", "-c", DELETE, kind.toUpperCase()] : argv.map(inOlderWords);
}

export class OlderLibreswan extends Machine {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    super();
    this.#machine = machine;
  }

  protected living(): GuestLine {
    throw new LabError("control", "nothing speaks to this machine but through the other");
  }

  override async run(argv: string[], options: RunOptions = {}): Promise<CommandResult> {
    const { stdin, ...rest } = options;
    const told = stdin === undefined ? rest : { ...rest, stdin: inOlderWords(stdin) };
    const result = await this.#machine.run(olderCommand(argv), told);
    return { ...result, stdout: inNewerWords(result.stdout) };
  }

  override start(argv: string[], options?: StartOptions): GuestProcess {
    return this.#machine.start(argv.map(inOlderWords), options);
  }

  override catchUp(timeoutMs: number): Promise<void> {
    return this.#machine.catchUp(timeoutMs);
  }

  override connect(path: string): Duplex {
    return this.#machine.connect(path);
  }
}
