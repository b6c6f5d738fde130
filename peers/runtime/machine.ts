/** Where a daemon runs that an agent (`guest-agent.pl`) serves: a guest or a container. */
import type { Duplex } from "node:stream";
import { LabError } from "./errors.ts";
import type { CommandResult } from "./process.ts";
import type { GuestLine, GuestProcess, RunOptions, StartOptions } from "./uml-guest.ts";

/** Commands run in it over the line to its agent. */
export abstract class Machine {
  /** The line to the agent. @throws LabError `control` where the machine does not run */
  protected abstract living(): GuestLine;

  /** Runs a command in it. @throws LabError `control` after its time, or when the machine is gone */
  run(argv: string[], options?: RunOptions): Promise<CommandResult> {
    return this.living().run(argv, options);
  }

  /** Starts a command in it and lets it run. */
  start(argv: string[], options?: StartOptions): GuestProcess {
    return this.living().start(argv, options);
  }

  /** Resolves when all that its commands have written by now is here, and that they ended, where they have. */
  catchUp(timeoutMs: number): Promise<void> {
    return this.living().catchUp(timeoutMs);
  }

  /** Connects to a Unix socket in it. */
  connect(path: string): Duplex {
    return this.living().connect(path);
  }

  /** Runs a command that has to succeed, and returns what it printed. */
  async must(argv: string[], options?: RunOptions): Promise<string> {
    const result = await this.run(argv, options);
    if (result.exit === 0) return result.stdout;
    const said = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-3).join(" / ");
    throw new LabError("control", `"${argv.join(" ").slice(0, 160)}" ended with ${result.exit}: ${said}`);
  }

  /** Writes a file in it, readable by root alone. */
  async write(path: string, content: string): Promise<void> {
    await this.must(["/bin/sh", "-c", 'umask 077; cat > "$0"', path], { stdin: content });
  }
}
