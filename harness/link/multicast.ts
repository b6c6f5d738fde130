/**
 * Real multicast over IPv4: UDP, and ESP as IP protocol 50. Nothing leaves the links that the own interface is on
 * (TTL 1), and only documentation and loopback addresses are taken unless told otherwise.
 */
import { createSocket, type Socket } from "node:dgram";
import { isMulticast } from "./multicast-address.ts";
import { isRawUnavailable, openRawEsp, type RawUnavailable } from "./raw-socket.ts";
import type { Address, Datagram, Link } from "./types.ts";

export interface MulticastOptions {
  /** Own IPv4 address; its interface carries the groups. */
  local: string;
  /** UDP port on which groups are listened to; 848 unless told. */
  port?: number;
  /** Takes any own address, not only those of laboratories. */
  anywhere?: true;
  /** Told when something could not be sent or joined. */
  onError?: (error: Error) => void;
}

const GSA_REKEY_PORT = 848;
/** Documentation (RFC 5737) and loopback. */
const LABORATORY = /^(192\.0\.2|198\.51\.100|203\.0\.113|127\.\d+\.\d+)\.\d+$/;

/** What is sent to groups and comes from them; datagrams for single hosts are left to other links. */
export function openMulticast(options: MulticastOptions): Link | RawUnavailable {
  const { local, port = GSA_REKEY_PORT, anywhere, onError = () => {} } = options;
  if (!anywhere && !LABORATORY.test(local)) {
    const reason = `${local} is no documentation address`;
    const remedy = "multicast belongs into a network namespace with addresses such as 192.0.2.1";
    return { error: "not-available", cause: "family", reason, remedy };
  }
  const groups = new Set<string>();
  const esp = openRawEsp({ local, groups, onError });
  if (isRawUnavailable(esp)) return esp;
  const udp = new Sockets(local, onError);
  return {
    send(datagram) {
      if (!isMulticast(datagram.destination.host)) return;
      if (datagram.protocol === "esp") esp.send(datagram);
      else if (datagram.protocol === "udp") udp.send(datagram);
    },
    onReceive(handler) {
      udp.handler = handler;
      esp.onReceive((datagram) => {
        if (isMulticast(datagram.destination.host)) handler(datagram);
      });
    },
    join(group) {
      if (groups.has(group)) return;
      groups.add(group);
      // The membership of this socket is the host's: ESP of the group comes in as well.
      udp.join(group, port);
    },
    async close() {
      await Promise.all([esp.close(), udp.close()]);
    },
  };
}

class Sockets {
  handler: (datagram: Datagram) => void = () => {};
  readonly #local: string;
  readonly #onError: (error: Error) => void;
  readonly #all: Socket[] = [];
  /** Sockets to send from, by port. */
  readonly #senders = new Map<number, Promise<Socket>>();

  constructor(local: string, onError: (error: Error) => void) {
    this.#local = local;
    this.#onError = onError;
  }

  /** A socket bound to the group's address gets nothing else. */
  join(group: string, port: number): void {
    const listen = (socket: Socket) => {
      socket.on("message", (data, from) => {
        const source = { host: from.address, port: from.port };
        this.handler({
          protocol: "udp",
          source,
          destination: { host: group, port },
          data: new Uint8Array(data),
        });
      });
      socket.addMembership(group, this.#local);
    };
    this.#bound({ host: group, port }).then(listen).catch(this.#onError);
  }

  send({ source, destination, data }: Datagram): void {
    const sender = this.#senders.get(source.port) ?? this.#sender(source.port);
    this.#senders.set(source.port, sender);
    const failed = (error: Error | null) => error && this.#onError(error);
    sender.then((socket) => socket.send(data, destination.port, destination.host, failed), this.#onError);
  }

  async #sender(port: number): Promise<Socket> {
    const socket = await this.#bound({ host: this.#local, port });
    socket.setMulticastInterface(this.#local);
    socket.setMulticastTTL(1);
    return socket;
  }

  #bound({ host, port }: Address): Promise<Socket> {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    this.#all.push(socket);
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, host, () => {
        socket.off("error", reject);
        socket.on("error", this.#onError);
        resolve(socket);
      });
    });
  }

  async close(): Promise<void> {
    const closed = this.#all.splice(0).map(
      (socket) =>
        new Promise<void>((resolve) => {
          try {
            socket.close(() => resolve());
          } catch {
            // It never was open.
            resolve();
          }
        }),
    );
    await Promise.all(closed);
  }
}
