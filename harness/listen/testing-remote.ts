/** For real tests: a listener in a process of its own, in the tester's namespace. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { z } from "zod";
import { inNamespace } from "../../peers/runtime/network.ts";
import { type SessionEvent, type SessionView, sessionEvent, sessionView } from "./types.ts";

const LISTENER = new URL("./testing-listener.ts", import.meta.url).pathname;
const replySchema = z.object({ value: z.unknown() });

export class RemoteListener {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Listens at this address of the namespace, and keeps all in the folder. */
  static async open(namespace: string, address: string, folder: string): Promise<RemoteListener> {
    const argv = [process.execPath, "--import", "tsx", LISTENER, address, folder];
    const [command = "", ...rest] = inNamespace(namespace, argv);
    const child = spawn(command, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    await once(child, "message");
    return new RemoteListener(child);
  }

  async ask<T>(question: object, schema: z.ZodType<T>): Promise<T> {
    const answered = once(this.#process, "message");
    this.#process.send(question);
    const [message] = await answered;
    return schema.parse(replySchema.parse(message).value);
  }

  create(...documents: string[]): Promise<SessionView> {
    return this.ask({ ask: "create", wish: { documents } }, sessionView);
  }

  events({ id }: SessionView): Promise<SessionEvent[]> {
    return this.ask({ ask: "events", id }, z.array(sessionEvent));
  }

  async close(): Promise<void> {
    if (!this.#process.connected) return;
    const ended = once(this.#process, "exit");
    this.#process.send({ ask: "close" });
    await ended;
  }
}
