/** Takes the datagrams of IKE and the packets of ESP out of the packets of a capture. */
import { readU16 } from "../../harness/wire/bytes.ts";
import type { CaptureFault, CaptureItem, CapturePacket, CaptureSecrets, Datagram } from "../types.ts";
import { AddressTexts } from "./addresses.ts";
import { IpHeader } from "./ip-header.ts";
import { ipOffset, LINK_CUT, NOT_IP, UNKNOWN_LINK } from "./link.ts";

/** IKE, IKE and ESP behind NAT, and G-IKEv2. */
export const IKE_PORTS: readonly number[] = [500, 4500, 848];

const [UDP, ESP] = [17, 50];
const UDP_HEADER = 8;

export interface DissectOptions {
  /** Of UDP, beside {@link IKE_PORTS}. */
  ports?: readonly number[];
}

/** Packets that were left aside, for they are not about IPsec. */
export interface PassedOver {
  /** Another protocol than IP. */
  notIp: number;
  /** Links of a type that is not read; one fault tells it. */
  unknownLink: number;
  /** IP with other protocols or other ports. */
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
  readonly passedOver: PassedOver = { notIp: 0, unknownLink: 0, other: 0 };
  readonly #isOurs = new Uint8Array(65_536);
  readonly #texts = new AddressTexts();
  readonly #ip = new IpHeader();
  readonly #unknownLinks = new Set<number>();

  constructor({ ports = [] }: DissectOptions = {}) {
    for (const port of [...IKE_PORTS, ...ports]) this.#isOurs[port] = 1;
  }

  *read(items: Iterable<CaptureItem>): Generator<Dissected, void, undefined> {
    for (const item of items) {
      const found = item.kind === "packet" ? this.#packet(item) : item;
      if (found) yield found;
    }
  }

  #packet(packet: CapturePacket): Dissected | undefined {
    const at = ipOffset(packet.linkType, packet.data);
    if (at < 0) return this.#noIp(packet, at);
    const ip = this.#ip;
    const reason = ip.read(packet.data, at);
    if (reason !== undefined) return faultOf(packet, reason);
    if (ip.protocol === UDP) return this.#udp(packet);
    if (ip.protocol === ESP) return this.#esp(packet);
    return this.#pass();
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

  #udp(packet: CapturePacket): Dissected | undefined {
    const { data } = packet;
    const { from, end, missing } = this.#ip;
    if (end - from < UDP_HEADER)
      return faultOf(packet, `a UDP header, of which ${end - from} octets are there`);
    const [source, destination] = [readU16(data, from), readU16(data, from + 2)];
    if (!this.#isOurs[source] && !this.#isOurs[destination]) return this.#pass();
    if (missing > 0) return faultOf(packet, cutBy(missing));
    const length = readU16(data, from + 4) || end - from;
    if (length < UDP_HEADER || length > end - from)
      return faultOf(packet, `a UDP length of ${length} in ${end - from} octets`);
    return this.#datagram(
      packet,
      "udp",
      source,
      destination,
      data.subarray(from + UDP_HEADER, from + length),
    );
  }

  #esp(packet: CapturePacket): Dissected {
    const { from, end, missing } = this.#ip;
    if (missing > 0) return faultOf(packet, cutBy(missing));
    return this.#datagram(packet, "esp", 0, 0, packet.data.subarray(from, end));
  }

  #datagram(
    { data: bytes, number, offset, timeMs }: CapturePacket,
    protocol: "udp" | "esp",
    sourcePort: number,
    destinationPort: number,
    data: Uint8Array,
  ): Datagram {
    const { sourceAt, destinationAt, addressSize } = this.#ip;
    const source = { host: this.#texts.at(bytes, sourceAt, addressSize), port: sourcePort };
    const destination = { host: this.#texts.at(bytes, destinationAt, addressSize), port: destinationPort };
    return { kind: "datagram", packet: number, offset, timeMs, protocol, source, destination, data };
  }
}

const cutBy = (octets: number): string => `the packet is cut, ${octets} octets of it are missing`;

function faultOf({ number, offset }: CapturePacket, reason: string): CaptureFault {
  return { kind: "fault", offset, packet: number, reason };
}
