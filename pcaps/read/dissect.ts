/** Takes the datagrams of IKE and the packets of ESP out of the packets of a capture. */
import { readU16 } from "../../harness/wire/bytes.ts";
import type { CaptureFault, CaptureItem, CapturePacket, CaptureSecrets, Datagram } from "../types.ts";
import { AddressTexts } from "./addresses.ts";
import { Fragments, type Incomplete } from "./fragments.ts";
import { IpHeader } from "./ip-header.ts";
import { ipOffset, LINK_CUT, NOT_IP, UNKNOWN_LINK } from "./link.ts";
import { readSegment } from "./segments.ts";
import { TcpStreams } from "./tcp-streams.ts";

/** IKE, IKE and ESP behind NAT, and G-IKEv2. */
const IKE_PORTS: readonly number[] = [500, 4500, 848];

const [TCP, UDP, ESP] = [6, 17, 50];
/** Of the ports, the one that RFC 9329 names for TCP. */
const TCP_PORT = 4500;
const UDP_HEADER = 8;

export interface DissectOptions {
  /** Beside {@link IKE_PORTS} of UDP, and 4500 of TCP. */
  ports?: readonly number[];
}

/** Packets that were left aside, for they are not about IPsec. */
export interface PassedOver {
  /** Another protocol than IP. */
  notIp: number;
  /** Links of a type that is not read; one fault tells it. */
  unknownLink: number;
  /** UDP on other ports. */
  otherPorts: number;
  /** IP with other protocols, and TCP on other ports. */
  other: number;
}

export type Dissected = Datagram | CaptureFault | CaptureSecrets;

/**
 * Faults and secrets of the capture go through. Data of a datagram are a view that is good until the next one, as the
 * packet's are.
 */
export function dissect(
  items: Iterable<CaptureItem>,
  options: DissectOptions = {},
): Generator<Dissected, void, undefined> {
  return new Dissector(options).read(items);
}

/** The same, with a count of what was left aside. */
export class Dissector {
  readonly passedOver: PassedOver = { notIp: 0, unknownLink: 0, otherPorts: 0, other: 0 };
  readonly #isOurs = new Uint8Array(65_536);
  readonly #texts = new AddressTexts();
  readonly #ip = new IpHeader();
  readonly #unknownLinks = new Set<number>();
  readonly #fragments = new Fragments((incomplete) => this.#onIncomplete(incomplete));
  readonly #tcp: TcpStreams;
  /** What was found beside the one thing that most packets have. */
  readonly #more: Dissected[] = [];

  constructor({ ports = [] }: DissectOptions = {}) {
    for (const port of [...IKE_PORTS, ...ports]) this.#isOurs[port] = 1;
    const tcpPorts = new Set([TCP_PORT, ...ports]);
    this.#tcp = new TcpStreams(
      (port) => tcpPorts.has(port),
      (found) => this.#more.push(found),
    );
  }

  *read(items: Iterable<CaptureItem>): Generator<Dissected, void, undefined> {
    for (const item of items) {
      const found = item.kind === "packet" ? this.#packet(item) : item;
      if (this.#more.length > 0) yield* this.#more.splice(0);
      if (found) yield found;
    }
    yield* this.end();
  }

  /** What one item brings, for those who must know which. */
  take(item: CaptureItem): Dissected[] {
    const found = item.kind === "packet" ? this.#packet(item) : item;
    const all = this.#more.splice(0);
    if (found) all.push(found);
    return all;
  }

  /** What still waits when no more items come. */
  *end(): Generator<Dissected, void, undefined> {
    this.#fragments.end();
    do yield* this.#more.splice(0);
    while (this.#tcp.endOldest());
  }

  #packet(packet: CapturePacket): Dissected | undefined {
    const at = ipOffset(packet.linkType, packet.data);
    if (at < 0) return this.#noIp(packet, at);
    const ip = this.#ip;
    const reason = ip.read(packet.data, at);
    if (reason !== undefined) return faultOf(packet, reason);
    if (!isCarrier(ip.protocol)) return this.#pass();
    if (ip.fragment) return this.#fragment(packet);
    return this.#upper(packet, packet.data, ip.from, ip.end);
  }

  /** What is in a whole IP datagram: `bytes` from `from` to `end`. */
  #upper(packet: CapturePacket, bytes: Uint8Array, from: number, end: number): Dissected | undefined {
    const { protocol } = this.#ip;
    if (protocol === UDP) return this.#udp(packet, bytes, from, end);
    if (protocol === ESP) return this.#esp(packet, bytes, from, end);
    return this.#segment(packet, bytes, from, end);
  }

  #fragment(packet: CapturePacket): Dissected | undefined {
    const { data, number, offset, timeMs } = packet;
    const {
      from,
      end,
      missing,
      pieceAt: at,
      more,
      sourceAt,
      addressSize,
      protocol,
      identification,
    } = this.#ip;
    if (missing > 0) return faultOf(packet, cutBy(missing));
    const addresses = Buffer.from(data.buffer, data.byteOffset + sourceAt, 2 * addressSize).toString(
      "latin1",
    );
    const name = `${protocol} ${identification} ${addresses}`;
    const piece = { name, protocol, at, more, data: data.subarray(from, end), timeMs };
    const joined = this.#fragments.add(piece, { packet: number, offset });
    if (joined === undefined) return undefined;
    if ("fault" in joined) return faultOf(packet, joined.fault);
    this.#ip.missing = 0;
    return this.#upper(packet, joined.whole, 0, joined.whole.length);
  }

  /** Of no interest where the first piece shows other ports. */
  #onIncomplete({ protocol, head, packet, offset, reason }: Incomplete): void {
    const portsKnown = protocol !== ESP && head.length >= 4;
    const isOurs = !portsKnown || this.#isOurs[readU16(head, 0)] || this.#isOurs[readU16(head, 2)];
    if (isOurs) this.#more.push({ kind: "fault", offset, packet, reason });
    else this.#pass();
  }

  #noIp(packet: CapturePacket, why: number): Dissected | undefined {
    if (why === LINK_CUT) return faultOf(packet, "the header of the link is cut");
    if (why === NOT_IP) this.passedOver.notIp++;
    if (why !== UNKNOWN_LINK) return undefined;
    this.passedOver.unknownLink++;
    if (this.#unknownLinks.has(packet.linkType)) return undefined;
    this.#unknownLinks.add(packet.linkType);
    return faultOf(packet, `link type ${packet.linkType} is not read; its packets are left out`);
  }

  #pass(): undefined {
    this.passedOver.other++;
  }

  #udp(packet: CapturePacket, bytes: Uint8Array, from: number, end: number): Dissected | undefined {
    const size = end - from;
    if (size < UDP_HEADER) return faultOf(packet, `a UDP header, of which ${size} octets are there`);
    const source = readU16(bytes, from);
    const destination = readU16(bytes, from + 2);
    if (!this.#isOurs[source] && !this.#isOurs[destination]) {
      this.passedOver.otherPorts++;
      return undefined;
    }
    if (this.#ip.missing > 0) return faultOf(packet, cutBy(this.#ip.missing));
    const length = readU16(bytes, from + 4) || size;
    if (length < UDP_HEADER || length > size)
      return faultOf(packet, `a UDP length of ${length} in ${size} octets`);
    return this.#datagram(
      packet,
      "udp",
      source,
      destination,
      bytes.subarray(from + UDP_HEADER, from + length),
    );
  }

  #esp(packet: CapturePacket, bytes: Uint8Array, from: number, end: number): Dissected {
    if (this.#ip.missing > 0) return faultOf(packet, cutBy(this.#ip.missing));
    return this.#datagram(packet, "esp", 0, 0, bytes.subarray(from, end));
  }

  #segment(packet: CapturePacket, bytes: Uint8Array, from: number, end: number): CaptureFault | undefined {
    const { number, offset, timeMs } = packet;
    const source = this.#end(packet.data, this.#ip.sourceAt, readU16(bytes, from));
    const destination = this.#end(packet.data, this.#ip.destinationAt, readU16(bytes, from + 2));
    const parts = readSegment(bytes, from, end);
    const missing = this.#ip.missing > 0 ? cutBy(this.#ip.missing) : undefined;
    const reason = typeof parts === "string" ? parts : missing;
    if (reason !== undefined)
      return this.#tcp.follows(source, destination) ? faultOf(packet, reason) : this.#pass();
    if (typeof parts === "string") return undefined;
    const isOurs = this.#tcp.add({ packet: number, offset, timeMs, source, destination, ...parts });
    return isOurs ? undefined : this.#pass();
  }

  #datagram(
    { data: bytes, number, offset, timeMs }: CapturePacket,
    protocol: "udp" | "esp",
    sourcePort: number,
    destinationPort: number,
    data: Uint8Array,
  ): Datagram {
    const source = this.#end(bytes, this.#ip.sourceAt, sourcePort);
    const destination = this.#end(bytes, this.#ip.destinationAt, destinationPort);
    return { kind: "datagram", packet: number, offset, timeMs, protocol, source, destination, data };
  }

  #end(bytes: Uint8Array, at: number, port: number): Datagram["source"] {
    return { host: this.#texts.at(bytes, at, this.#ip.addressSize), port };
  }
}

const isCarrier = (protocol: number): boolean => protocol === UDP || protocol === ESP || protocol === TCP;

const cutBy = (octets: number): string => `the packet is cut, ${octets} octets of it are missing`;

function faultOf({ number, offset }: CapturePacket, reason: string): CaptureFault {
  return { kind: "fault", offset, packet: number, reason };
}
