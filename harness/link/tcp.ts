/** TCP connections that carry IKE and ESP in frames (RFC 9329), under the same interface as datagrams. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { encodeFrame, isTooLong, STREAM_PREFIX, type StreamFault, StreamReader } from "../wire/tcp-encap.ts";
import type { Address, Datagram, Link } from "./types.ts";

/** What went wrong with a connection; the endpoint sees silence. */
export interface TcpFinding {
  local: Address;
  remote: Address;
  reason: string;
  /** Set where the stream itself was wrong. */
  fault?: StreamFault;
}

export interface TcpOptions {
  /** Where connections are taken; port 0 lets the system choose. Not set: nowhere. */
  listen?: Address[];
  /** True: `listen` may name other addresses than those of the loopback. */
  beyondLoopback?: boolean;
  finding?(finding: TcpFinding): void;
}

export interface TcpLink extends Link {
  /** Where connections are taken. */
  readonly addresses: Address[];
  /** Opens a connection and gives our end of it, for `source` of what is sent. Rejects with the system's message. */
  connect(from: string, remote: Address): Promise<Address>;
}

/** Connections that are taken at a time; whoever comes then is turned away. */
const MOST_CONNECTIONS = 256;
/** Octets that wait for a slow reader; what is sent beyond them is lost. */
const MOST_WAITING = 4 * 2 ** 20;
/** Ends of accepted connections that are remembered; the oldest are forgotten. */
const MOST_REMEMBERED = 4 * MOST_CONNECTIONS;
/** How long an accepted connection may be without its first frame, in milliseconds. */
const FIRST_FRAME_MS = 5_000;
/** How long a connection of ours may take to come up. */
const CONNECT_MS = 10_000;
/** How long what was written may take to go out at the end. */
const LAST_WORDS_MS = 1_000;

/**
 * Listens where it is told. What is sent to who did not connect to us opens a connection first, of which we are the
 * originator; one that broke is opened again so. The others have to come again by themselves (RFC 9329 section 6.1).
 * Rejects with the system's own message.
 */
export async function openTcp(options: TcpOptions = {}): Promise<TcpLink> {
  const connections = new Connections(options.finding ?? (() => {}));
  try {
    for (const address of options.listen ?? []) {
      if (!options.beyondLoopback && !isLoopback(address.host))
        throw new Error(`${address.host} is no loopback address`);
      await connections.listen(address);
    }
  } catch (error) {
    await connections.close();
    throw error;
  }
  return {
    addresses: connections.addresses,
    connect: (from, remote) => connections.connect(from, remote),
    send: (datagram) => {
      if (datagram.protocol === "tcp") connections.send(datagram);
    },
    onReceive: (callback) => {
      connections.handler = callback;
    },
    close: () => connections.close(),
  };
}

const isLoopback = (host: string): boolean => host.startsWith("127.") || host === "::1";

/** The two ends as the endpoint names them: the port of ours need not be the socket's. */
interface Ends {
  local: Address;
  remote: Address;
}

const nameOf = ({ local, remote }: Ends): string =>
  `${local.host} ${local.port} ${remote.host} ${remote.port}`;

const over = ({ host, port }: Address): Address => ({ host, port, transport: "tcp" });

class Connections {
  handler: (datagram: Datagram) => void = () => {};
  readonly addresses: Address[] = [];
  readonly #servers: Server[] = [];
  readonly #sockets = new Map<string, Socket>();
  /** Names of connections that others opened. */
  readonly #accepted = new Set<string>();
  readonly #finding: (finding: TcpFinding) => void;
  #open = true;

  constructor(finding: (finding: TcpFinding) => void) {
    this.#finding = finding;
  }

  async listen(wanted: Address): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(wanted.host, socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: wanted.host, port: wanted.port, exclusive: true }, () => {
        server.off("error", reject);
        server.on("error", () => {});
        resolve();
      });
    });
    this.#servers.push(server);
    const bound = server.address();
    const port = typeof bound === "object" && bound ? bound.port : wanted.port;
    this.addresses.push(over({ host: wanted.host, port }));
  }

  #accept(host: string, socket: Socket): void {
    const { localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
    const ends = {
      local: over({ host, port: localPort }),
      remote: over({ host: remoteAddress, port: remotePort }),
    };
    socket.on("error", () => {});
    if (!this.#open || this.#sockets.size >= MOST_CONNECTIONS) {
      this.#finding({ ...ends, reason: `a connection beyond ${MOST_CONNECTIONS}` });
      socket.destroy();
      return;
    }
    this.#remember(nameOf(ends));
    const late = setTimeout(() => this.#end(ends, socket, "no frame in time"), FIRST_FRAME_MS);
    this.#carry(ends, socket, new StreamReader({ prefix: true }), () => clearTimeout(late));
    socket.once("close", () => clearTimeout(late));
  }

  #remember(name: string): void {
    this.#accepted.add(name);
    const [oldest] = this.#accepted;
    if (this.#accepted.size > MOST_REMEMBERED && oldest !== undefined) this.#accepted.delete(oldest);
  }

  async connect(from: string, remote: Address): Promise<Address> {
    const socket = connect({ host: remote.host, port: remote.port, localAddress: from, noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error("no answer in time")), CONNECT_MS);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve();
      });
    }).finally(() => clearTimeout(late));
    const ends = { local: over({ host: from, port: socket.localPort ?? 0 }), remote: over(remote) };
    this.#originate(ends, socket);
    return ends.local;
  }

  /** Ours from the start: the prefix is the first that is written. */
  #originate(ends: Ends, socket: Socket): void {
    socket.on("error", (error) => this.#finding({ ...ends, reason: error.message }));
    socket.write(STREAM_PREFIX);
    this.#carry(ends, socket, new StreamReader({ prefix: false }), () => {});
  }

  #carry(ends: Ends, socket: Socket, reader: StreamReader, begun: () => void): void {
    const name = nameOf(ends);
    this.#sockets.set(name, socket);
    socket.on("data", (piece: Buffer) => {
      for (const { kind, content } of reader.push(piece)) {
        begun();
        const { local, remote } = ends;
        if (kind !== "empty")
          this.handler({ protocol: "tcp", source: remote, destination: local, data: content });
      }
      if (reader.fault) this.#end(ends, socket, reader.fault.reason, reader.fault);
    });
    socket.once("close", () => {
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
    });
  }

  #end(ends: Ends, socket: Socket, reason: string, fault?: StreamFault): void {
    this.#finding({ ...ends, reason, ...(fault && { fault }) });
    socket.destroy();
  }

  send({ source, destination, data }: Datagram): void {
    const ends = { local: over(source), remote: over(destination) };
    const frame = encodeFrame(data);
    const socket = isTooLong(frame) ? undefined : (this.#socketOf(ends) ?? this.#reconnect(ends));
    if (isTooLong(frame)) this.#finding({ ...ends, reason: frame.reason });
    else if (socket && socket.writableLength < MOST_WAITING) socket.write(frame);
  }

  #socketOf(ends: Ends): Socket | undefined {
    const socket = this.#sockets.get(nameOf(ends));
    return socket && !socket.destroyed && socket.writable ? socket : undefined;
  }

  /** From whatever port the system chooses: the last one may not be free yet. */
  #reconnect(ends: Ends): Socket | undefined {
    const { local, remote } = ends;
    if (!this.#open || this.#accepted.has(nameOf(ends)) || remote.port === 0) return undefined;
    const socket = connect({ host: remote.host, port: remote.port, localAddress: local.host, noDelay: true });
    this.#originate(ends, socket);
    return socket;
  }

  /** What was written still goes out, unless the other end does not take it. */
  async close(): Promise<void> {
    this.#open = false;
    const ended = [...this.#sockets.values()].map(
      (socket) =>
        new Promise<void>((resolve) => {
          const late = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
          socket.once("close", () => {
            clearTimeout(late);
            resolve();
          });
          socket.destroySoon();
        }),
    );
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    await Promise.all([...ended, ...closed]);
  }
}
