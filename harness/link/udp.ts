/** UDP sockets and, where the machine allows it, IP protocol 50, under the real clock. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { performance } from "node:perf_hooks";
import type { Address, Clock, Datagram, Link, World } from "./types.ts";

/**
 * Binds one socket per address; port 0 lets the system choose. Rejects with the system's own message. A datagram
 * from another source gets a socket of its own when it is sent, if its address is ours.
 */
export async function openUdp(addresses: Address[]): Promise<Link & { addresses: Address[] }> {
  let handler: (datagram: Datagram) => void = () => {};
  const sockets: { socket: Socket; address: Address }[] = [];
  try {
    for (const wanted of addresses) sockets.push(await bind(wanted, (datagram) => handler(datagram)));
  } catch (error) {
    for (const { socket } of sockets) socket.close();
    throw error;
  }
  const sendFromNew = async (datagram: Datagram): Promise<void> => {
    const bound = await bind(datagram.source, (d) => handler(d)).catch(() => undefined);
    if (!bound) return;
    sockets.push(bound);
    transmit(bound.socket, datagram);
  };
  return {
    addresses: sockets.map((s) => s.address),
    send: (datagram) => {
      const from = sockets.find(({ address }) => sameAddress(address, datagram.source));
      if (from) transmit(from.socket, datagram);
      else if (datagram.protocol === "udp") void sendFromNew(datagram);
    },
    onReceive: (callback) => {
      handler = callback;
    },
    close: async () => {
      await Promise.all(
        sockets.map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve()))),
      );
    },
  };
}

/** An unreachable peer shows as silence, as it does for a daemon. */
const transmit = (socket: Socket, { data, destination }: Datagram): void =>
  socket.send(data, destination.port, destination.host, () => {});

const sameAddress = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;

function bind(
  wanted: Address,
  receive: (datagram: Datagram) => void,
): Promise<{ socket: Socket; address: Address }> {
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
  };
  readonly #waiting = new Set<() => void>();

  poke(): void {
    for (const check of [...this.#waiting]) check();
  }

  until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(result);
      };
      const check = () => {
        if (condition()) end(true);
      };
      const timer = setTimeout(() => end(condition()), timeoutMs);
      this.#waiting.add(check);
    });
  }
}
