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
  let handler: (datagram: Datagram) => void = () => {};
  const sockets: { socket: Socket; address: Address }[] = [];
  try {
    for (const wanted of addresses) sockets.push(await bind(wanted, (datagram) => handler(datagram)));
  } catch (error) {
    for (const { socket } of sockets) socket.close();
    throw error;
  }
  const binding = new Map<string, Promise<void>>();
  let open = true;
  const bindLate = async (source: Address): Promise<void> => {
    const bound = await bind(source, (datagram) => handler(datagram)).catch(() => undefined);
    if (bound && open) sockets.push(bound);
    else bound?.socket.close();
  };
  const from = (source: Address) => sockets.find(({ address }) => sameAddress(address, source));
  const sendFromNew = async (datagram: Datagram): Promise<void> => {
    const { host, port } = datagram.source;
    const name = `${host} ${port}`;
    const bound = binding.get(name) ?? bindLate(datagram.source);
    binding.set(name, bound);
    await bound;
    const socket = from(datagram.source)?.socket;
    if (socket && open) transmit(socket, datagram);
  };
  return {
    addresses: sockets.map((s) => s.address),
    send: (datagram) => {
      const socket = from(datagram.source)?.socket;
      if (!open || datagram.protocol !== "udp") return;
      if (socket) transmit(socket, datagram);
      else void sendFromNew(datagram);
    },
    onReceive: (callback) => {
      handler = callback;
    },
    close: async () => {
      open = false;
      await Promise.all(
        sockets.splice(0).map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve()))),
      );
    },
  };
}

/** An unreachable peer shows as silence, as it does for a daemon; nobody can be reached on port 0, where strangers may send from. */
const transmit = (socket: Socket, { data, destination }: Datagram): void => {
  if (destination.port > 0) socket.send(data, destination.port, destination.host, () => {});
};

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
