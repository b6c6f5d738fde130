/**
 * ESP as IP protocol 50 through the optional native package `raw-socket`. Where the package was not built, or
 * the process may not open raw sockets, opening gives a {@link RawUnavailable} instead of a link.
 */
import { createRequire } from "node:module";
import { isIP } from "node:net";
import type { Datagram, Link } from "./types.ts";

const ESP_PROTOCOL = 50;
const IPV4_HEADER = 20;
/** Of Linux. */
const IPPROTO_IP = 0;
const IP_MULTICAST_IF = 32;
/** The largest IP packet; the package's own buffer of 4,096 octets would cut packets silently. */
const BUFFER_SIZE = 65536;

/** Why raw ESP cannot be used here, and what helps. */
export interface RawUnavailable {
  error: "not-available";
  cause: "module" | "privilege" | "family" | "system";
  reason: string;
  remedy: string;
}

export function isRawUnavailable(result: object): result is RawUnavailable {
  return "error" in result && result.error === "not-available";
}

interface NativeSocket {
  on(event: "message", listener: (buffer: Buffer, source: string) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "close", listener: () => void): void;
  send(
    buffer: Buffer,
    offset: number,
    length: number,
    address: string,
    callback: (error: Error | null) => void,
  ): void;
  setOption(level: number, option: number, value: Buffer, length: number): void;
  close(): void;
}

interface NativeModule {
  createSocket(options: { addressFamily: number; protocol: number; bufferSize: number }): NativeSocket;
  AddressFamily: { IPv4: number; IPv6: number };
}

function isNativeModule(value: unknown): value is NativeModule {
  return typeof value === "object" && value !== null && "createSocket" in value && "AddressFamily" in value;
}

/** The native package, loaded only when asked for: an install without a compiler does not have it. */
function loadNative(): NativeModule | RawUnavailable {
  // Where it could not be built npm has taken it away again: "npm rebuild" would do nothing.
  const remedy = "npm ci (needs Python, make and a C++ compiler to build raw-socket)";
  try {
    const loaded: unknown = createRequire(import.meta.url)("raw-socket");
    if (isNativeModule(loaded)) return loaded;
    return { error: "not-available", cause: "module", reason: "raw-socket has no createSocket", remedy };
  } catch (error) {
    const reason = `the native package raw-socket does not load: ${messageOf(error)}`;
    return { error: "not-available", cause: "module", reason, remedy };
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}

function openSocket(native: NativeModule, family: 4 | 6): NativeSocket | RawUnavailable {
  const { IPv4, IPv6 } = native.AddressFamily;
  try {
    return native.createSocket({
      addressFamily: family === 4 ? IPv4 : IPv6,
      protocol: ESP_PROTOCOL,
      bufferSize: BUFFER_SIZE,
    });
  } catch (error) {
    const reason = messageOf(error);
    const denied = /not permitted|permission/i.test(reason);
    return denied
      ? {
          error: "not-available",
          cause: "privilege",
          reason: `opening a raw socket: ${reason}`,
          remedy: "run as root, or give node the capability CAP_NET_RAW",
        }
      : {
          error: "not-available",
          cause: "system",
          reason: `opening a raw socket: ${reason}`,
          remedy: `check that this machine has IPv${family}`,
        };
  }
}

export interface RawEspOptions {
  /** Own address as text; packets to other addresses of the machine are not delivered (IPv4). */
  local: string;
  /** Multicast addresses whose packets are delivered, too (IPv4); ours to such leave on the interface of `local`. */
  groups?: ReadonlySet<string>;
  /** Told when a packet could not be sent, and when the socket broke. */
  onError?: (error: Error) => void;
}

/**
 * A link for ESP packets of the family of `local`; other datagrams are ignored. The kernel chooses the source
 * address by its routes.
 */
export function openRawEsp({ local, groups, onError = () => {} }: RawEspOptions): Link | RawUnavailable {
  const family = isIP(local);
  if (family !== 4 && family !== 6) {
    return {
      error: "not-available",
      cause: "family",
      reason: `${local} is no IP address`,
      remedy: "name an IPv4 or IPv6 address of this machine",
    };
  }
  const native = loadNative();
  if (isRawUnavailable(native)) return native;
  const socket = openSocket(native, family);
  if (isRawUnavailable(socket)) return socket;
  if (groups && family === 4) {
    const address = Buffer.from(local.split(".").map(Number));
    socket.setOption(IPPROTO_IP, IP_MULTICAST_IF, address, address.length);
  }
  return linkOf(socket, family, { local, groups }, onError);
}

/**
 * Sockets that are open. The package does not keep its own alive: without a reference to them they are collected one day,
 * and their process hears no more, or ends.
 */
const openSockets = new Set<NativeSocket>();

function linkOf(
  socket: NativeSocket,
  family: 4 | 6,
  own: Pick<RawEspOptions, "local" | "groups">,
  onError: (error: Error) => void,
): Link {
  let handler: (datagram: Datagram) => void = () => {};
  const closed = new Promise<void>((resolve) => socket.on("close", resolve));
  let open = true;
  openSockets.add(socket);
  socket.on("error", onError);
  socket.on("message", (buffer, source) => {
    const datagram = received(buffer, family, source, own);
    if (datagram && open) handler(datagram);
  });
  return {
    send({ protocol, destination, data }) {
      if (protocol !== "esp" || isIP(destination.host) !== family || !open) return;
      // A copy, as the octets leave only when the socket is ready for them.
      socket.send(Buffer.from(data), 0, data.length, destination.host, (error) => {
        if (error) onError(error);
      });
    },
    onReceive: (callback) => {
      handler = callback;
    },
    close() {
      if (open) socket.close();
      open = false;
      openSockets.delete(socket);
      return closed;
    },
  };
}

/** IPv4 comes with its IP header, IPv6 without. The octets are copied: the package reuses its buffer. */
function received(
  buffer: Buffer,
  family: 4 | 6,
  source: string,
  { local, groups }: Pick<RawEspOptions, "local" | "groups">,
): Datagram | undefined {
  const from = { host: source, port: 0 };
  if (family === 6) {
    return {
      protocol: "esp",
      source: from,
      destination: { host: local, port: 0 },
      data: Uint8Array.from(buffer),
    };
  }
  const headerLength = (buffer[0]! & 0x0f) * 4;
  if (buffer.length < IPV4_HEADER || headerLength < IPV4_HEADER || headerLength > buffer.length)
    return undefined;
  const host = buffer.subarray(16, 20).join(".");
  if (host !== local && !groups?.has(host)) return undefined;
  return {
    protocol: "esp",
    source: from,
    destination: { host, port: 0 },
    data: Uint8Array.from(buffer.subarray(headerLength)),
  };
}

/** Whether raw ESP can be used, for `doctor`: opens a socket and closes it. */
export async function probeRawEsp(family: 4 | 6): Promise<true | RawUnavailable> {
  const link = openRawEsp({ local: family === 4 ? "192.0.2.1" : "2001:db8::1" });
  if (isRawUnavailable(link)) return link;
  await link.close();
  return true;
}
