/** Writes captures as classic pcap files of raw IP packets, with the headers our sockets never show. */
import { writeFileSync } from "node:fs";
import { concat, EMPTY } from "../harness/wire/bytes.ts";
import { buildIp, buildUdpPacket, parseAddress } from "../harness/wire/ip.ts";
import { TcpSegments } from "./tcp-segments.ts";
import { type Captured, LINKTYPE } from "./types.ts";

const ESP = 50;

/** Text that is no IP address, or two addresses of different families. */
export interface AddressError {
  error: "address";
  reason: string;
}

/** The IP packets a datagram travels in, one for all but a long frame of TCP; `tcp` knows the frames before it. */
export function toIpPackets(captured: Captured, tcp: TcpSegments): Uint8Array[] | AddressError {
  const { protocol, source, destination, data } = captured;
  const addresses = {
    source: parseAddress(source.host) ?? EMPTY,
    destination: parseAddress(destination.host) ?? EMPTY,
  };
  if (addresses.source.length === 0 || addresses.source.length !== addresses.destination.length) {
    return { error: "address", reason: `no IP packet goes from '${source.host}' to '${destination.host}'` };
  }
  if (protocol === "tcp") return tcp.packets(captured, addresses);
  if (protocol === "esp") return [buildIp({ ...addresses, protocol: ESP, payload: data })];
  const ports = { sourcePort: source.port, destinationPort: destination.port };
  return [buildUdpPacket(addresses, { ...ports, payload: data })];
}

/**
 * A whole pcap file. `epochMs` is the time since 1970 at which the clock of the test stood at 0. A datagram with
 * impossible addresses is an error, for it would be missing in the evidence.
 */
export function encodePcap(datagrams: readonly Captured[], epochMs: number): Uint8Array | AddressError {
  const parts = [fileHeader()];
  const tcp = new TcpSegments();
  for (const datagram of datagrams) {
    const packets = toIpPackets(datagram, tcp);
    if ("error" in packets) return packets;
    const timeUs = Math.round((epochMs + datagram.timeMs) * 1000);
    for (const packet of packets) parts.push(recordHeader(timeUs, packet.length), packet);
  }
  return concat(...parts);
}

/** Writes the file. Throws what the file system throws. */
export function writePcap(
  path: string,
  datagrams: readonly Captured[],
  epochMs: number,
): AddressError | undefined {
  const bytes = encodePcap(datagrams, epochMs);
  if ("error" in bytes) return bytes;
  writeFileSync(path, bytes);
  return undefined;
}

const SNAPLEN = 262_144;

/** Version 2.4, UTC, microseconds, little endian. */
function fileHeader(): Uint8Array {
  return littleEndian(0xa1b2c3d4, (4 << 16) | 2, 0, 0, SNAPLEN, LINKTYPE.raw);
}

function recordHeader(timeUs: number, length: number): Uint8Array {
  return littleEndian(Math.floor(timeUs / 1e6), timeUs % 1e6, length, length);
}

function littleEndian(...words: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, true);
  return new Uint8Array(view.buffer);
}
