/** A vici client: one command at a time over one stream, each bounded in time. */
import type { Duplex } from "node:stream";
import {
  decodeMessage,
  encodeMessage,
  encodePacket,
  PACKET,
  PacketReader,
  text,
  type ViciFields,
  type ViciMessage,
  type ViciPacket,
} from "./vici-codec.ts";

/**
 * Why a command has no answer: the stream could not be opened or broke (`closed`), the daemon did not answer in
 * time (`timeout`), its bytes made no sense (`garbage`), it does not know the command or event (`unknown`), or it
 * refused (`refused`, with its own reason).
 */
export type ViciProblem = "closed" | "timeout" | "garbage" | "unknown" | "refused";

export class ViciError extends Error {
  readonly problem: ViciProblem;

  constructor(problem: ViciProblem, message: string) {
    super(`vici: ${message}`);
    this.name = "ViciError";
    this.problem = problem;
  }
}

/** Time for one command where a caller names none, ms. */
const TIMEOUT_MS = 5000;

interface Waiting {
  onPacket(packet: ViciPacket): void;
  onError(error: ViciError): void;
}

/** One connection. After a timeout or garbage it is of no use: later commands are refused. */
export class ViciClient {
  readonly #stream: Duplex;
  readonly #reader = new PacketReader();
  #waiting: Waiting | undefined;
  #broken: ViciError | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("data", (data: Buffer) => this.#receive(data));
    stream.on("error", (error) => this.#break(new ViciError("closed", error.message)));
    stream.on("close", () => this.#break(new ViciError("closed", "the daemon closed the connection")));
  }

  /** False once the connection is of no use. */
  get usable(): boolean {
    return !this.#broken;
  }

  /**
   * Sends a command and waits for its answer.
   * @throws ViciError; `refused` when the answer says `success = no`
   */
  request(command: string, fields: ViciFields = {}, timeoutMs = TIMEOUT_MS): Promise<ViciMessage> {
    return this.#inTurn(async () => {
      const packet = await this.#exchange(PACKET.request, command, fields, timeoutMs);
      return answer(command, packet);
    });
  }

  /**
   * Sends a command that answers with a stream of events.
   * @throws ViciError
   */
  stream(
    command: string,
    event: string,
    fields: ViciFields = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<ViciMessage[]> {
    return this.#inTurn(async () => {
      const events: ViciMessage[] = [];
      const collect = (packet: ViciPacket) => {
        if (packet.name === event) events.push(decode(packet));
      };
      confirmed(event, await this.#exchange(PACKET.register, event, undefined, timeoutMs));
      const packet = await this.#exchange(PACKET.request, command, fields, timeoutMs, collect);
      answer(command, packet);
      confirmed(event, await this.#exchange(PACKET.unregister, event, undefined, timeoutMs));
      return events;
    });
  }

  close(): void {
    this.#break(new ViciError("closed", "closed by the client"));
  }

  /** Commands wait for each other: vici answers in order and without numbers. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => {});
    return turn;
  }

  #exchange(
    type: number,
    name: string,
    fields: ViciFields | undefined,
    timeoutMs: number,
    onEvent: (packet: ViciPacket) => void = () => {},
  ): Promise<ViciPacket> {
    return new Promise((resolve, reject) => {
      if (this.#broken) {
        reject(this.#broken);
        return;
      }
      const bytes = encodePacket(type, name, fields && encodeMessage(fields));
      const late = new ViciError("timeout", `no answer to ${name} in ${timeoutMs} ms`);
      const timer = setTimeout(() => this.#break(late), timeoutMs);
      const end = () => {
        clearTimeout(timer);
        this.#waiting = undefined;
      };
      this.#waiting = {
        onPacket: (packet) => {
          if (packet.type === PACKET.event) {
            onEvent(packet);
            return;
          }
          end();
          resolve(packet);
        },
        onError: (error) => {
          end();
          reject(error);
        },
      };
      this.#stream.write(bytes);
    });
  }

  #receive(data: Buffer): void {
    try {
      for (const packet of this.#reader.push(data)) this.#waiting?.onPacket(packet);
    } catch (error) {
      this.#break(new ViciError("garbage", error instanceof Error ? error.message : String(error)));
    }
  }

  #break(error: ViciError): void {
    if (this.#broken) return;
    this.#broken = error;
    this.#stream.destroy();
    this.#waiting?.onError(error);
  }
}

function decode(packet: ViciPacket): ViciMessage {
  try {
    return decodeMessage(packet.body);
  } catch (error) {
    throw new ViciError("garbage", error instanceof Error ? error.message : String(error));
  }
}

function answer(command: string, packet: ViciPacket): ViciMessage {
  if (packet.type === PACKET.unknownCommand) throw new ViciError("unknown", `no command ${command}`);
  if (packet.type !== PACKET.response)
    throw new ViciError("garbage", `packet type ${packet.type} for ${command}`);
  const message = decode(packet);
  if (text(message, "success") === "no") {
    throw new ViciError("refused", `${command}: ${text(message, "errmsg") || "refused without a reason"}`);
  }
  return message;
}

function confirmed(event: string, packet: ViciPacket): void {
  if (packet.type === PACKET.unknownEvent) throw new ViciError("unknown", `no event ${event}`);
  if (packet.type !== PACKET.confirm)
    throw new ViciError("garbage", `packet type ${packet.type} for ${event}`);
}
