/** UDP sockets under the real clock. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { performance } from "node:perf_hooks";
import type { Address, Clock, Datagram, Link, World } from "./types.ts";

/**
 * Binds one socket per address; port 0 lets the system choose. Rejects with the system's own message. A datagram
 * from another source gets a socket of its own when it is sent, if its address is ours.
 */
export async function openUdp(addresses: Address[]): Promise<Link & { addresses: Address[] }> {
  const sockets = new Sockets();
  try {
    for (const wanted of addresses) await sockets.bind(wanted);
  } catch (error) {
    await sockets.close();
    throw error;
  }
  return {
    addresses: sockets.addresses,
    send: (datagram) => {
      if (datagram.protocol === "udp") sockets.send(datagram);
    },
    onReceive: (callback) => {
      sockets.handler = callback;
    },
    close: () => sockets.close(),
  };
}

interface Bound {
  socket: Socket;
  address: Address;
}

class Sockets {
  handler: (datagram: Datagram) => void = () => {};
  readonly #bound: Bound[] = [];
  /** Sources that a socket is being made for. */
  readonly #coming = new Map<string, Promise<void>>();
  #open = true;

  get addresses(): Address[] {
    return this.#bound.map((b) => b.address);
  }

  async bind(wanted: Address): Promise<void> {
    const bound = await bind(wanted, (datagram) => this.handler(datagram));
    if (this.#open) this.#bound.push(bound);
    else bound.socket.close();
  }

  send(datagram: Datagram): void {
    const from = this.#of(datagram.source);
    if (from) transmit(from.socket, datagram);
    else if (this.#open) void this.#sendFromNew(datagram);
  }

  #of(source: Address): Bound | undefined {
    return this.#bound.find(({ address }) => sameAddress(address, source));
  }

  async #sendFromNew(datagram: Datagram): Promise<void> {
    const { host, port } = datagram.source;
    const name = `${host} ${port}`;
    const coming = this.#coming.get(name) ?? this.bind(datagram.source).catch(() => {});
    this.#coming.set(name, coming);
    await coming;
    this.#coming.delete(name);
    const from = this.#of(datagram.source);
    if (from) transmit(from.socket, datagram);
  }

  async close(): Promise<void> {
    this.#open = false;
    const ends = this.#bound
      .splice(0)
      .map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve())));
    await Promise.all(ends);
  }
}

/** An unreachable peer shows as silence, as it does for a daemon; nobody can be reached on port 0, where strangers may send from. */
const transmit = (socket: Socket, { data, destination }: Datagram): void => {
  if (destination.port > 0) socket.send(data, destination.port, destination.host, () => {});
};

const sameAddress = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;

function bind(wanted: Address, receive: (datagram: Datagram) => void): Promise<Bound> {
  const socket = createSocket({ type: isIPv6(wanted.host) ? "udp6" : "udp4" });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(wanted.port, wanted.host, () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      const address = { host: wanted.host, port: socket.address().port };
      socket.on("message", (data, from) => {
        const source = { host: from.address, port: from.port };
        receive({ protocol: "udp", source, destination: address, data: new Uint8Array(data) });
      });
      resolve({ socket, address });
    });
  });
}

/** Real time. `poke` must be called after every event, so that waiting conditions are looked at again. */
export class RealWorld implements World {
  readonly clock: Clock = {
    now: () => performance.now(),
    at: (time, callback) => {
      const timer = setTimeout(
        () => {
          callback();
          this.poke();
        },
        Math.max(0, time - performance.now()),
      );
      return () => clearTimeout(timer);
    },
    outside: (work) => void work.then(() => this.poke()),
  };
  readonly #waiting = new Set<() => void>();

  poke(): void {
    for (const check of [...this.#waiting]) check();
  }

  until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
      };
      // Who pokes is not who asked: what the condition throws belongs to the one that waits.
      const look = (last: boolean) => {
        try {
          const holds = condition();
          if (!holds && !last) return;
          end();
          resolve(holds);
        } catch (error) {
          end();
          reject(error);
        }
      };
      const check = () => look(false);
      const timer = setTimeout(() => look(true), timeoutMs);
      this.#waiting.add(check);
    });
  }
}
