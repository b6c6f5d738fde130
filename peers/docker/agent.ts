/** A container with our agent in it, which listens at a Unix socket in a folder that the container shares with us. */
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { LabError } from "../runtime/errors.ts";
import { Machine } from "../runtime/machine.ts";
import { GuestLine } from "../runtime/uml-guest.ts";

/** Where images of ours have the program that brings the agent up, and its socket. */
export const BEGIN = "/begin.pl";
export const SHARED = "/run/bakeoff";
export const SOCKET = "agent.sock";

/** A container that needs a kernel of its own boots it first. */
const READY_MS = 20_000;

/** A machine at the other end of its agent's socket, to which it may be connected anew. */
export class AgentMachine extends Machine {
  #socket: Socket | undefined;
  #line: GuestLine | undefined;

  protected living(): GuestLine {
    if (!this.#line) throw new LabError("control", "the container does not run");
    return this.#line;
  }

  /** Connects to the agent as soon as it listens. @throws LabError `start-failed` when it does not within 20 s */
  async connectTo(path: string): Promise<void> {
    this.hangUp();
    for (const end = performance.now() + READY_MS; ; await pause(20)) {
      const late = performance.now() > end;
      const problem = await this.#tryOnce(path);
      if (!problem) return;
      if (late) throw new LabError("start-failed", `no agent in the container: ${problem}`);
    }
  }

  async #tryOnce(path: string): Promise<string | undefined> {
    const socket = connect(path);
    const line = new GuestLine(socket);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("it has another runner, or hangs")), READY_MS);
    });
    try {
      await Promise.race([line.ready(), late]);
      this.#socket = socket;
      this.#line = line;
      return undefined;
    } catch (error) {
      socket.destroy();
      return error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the connection: the agent kills all it has started then. */
  hangUp(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#line = undefined;
  }
}
