import { readU32 } from "../wire/bytes.ts";
import type { DroppedPacket, InboundSa, OpenResult } from "./inbound.ts";
import type { OutboundSa } from "./outbound.ts";

/** A result and the SA that gave it; none when no SA has the packet's SPI. */
export type SadResult = { sa: InboundSa; result: OpenResult } | { sa: undefined; result: DroppedPacket };

/** The SAs of an endpoint by SPI (RFC 4301 section 4.4.2); inbound SPIs are the own ones, outbound the peer's. */
export class SaDatabase {
  private readonly inbound = new Map<number, InboundSa>();
  private readonly outbound = new Map<number, OutboundSa>();

  addInbound(sa: InboundSa): void {
    this.inbound.set(sa.spi, sa);
  }

  addOutbound(sa: OutboundSa): void {
    this.outbound.set(sa.spi, sa);
  }

  inboundBySpi(spi: number): InboundSa | undefined {
    return this.inbound.get(spi);
  }

  outboundBySpi(spi: number): OutboundSa | undefined {
    return this.outbound.get(spi);
  }

  /** True if there was one. */
  removeInbound(spi: number): boolean {
    return this.inbound.delete(spi);
  }

  removeOutbound(spi: number): boolean {
    return this.outbound.delete(spi);
  }

  clear(): void {
    this.inbound.clear();
    this.outbound.clear();
  }

  /** Looks up the SA of a packet and opens it. A packet without SA is dropped and must not be answered. */
  open(packet: Uint8Array): SadResult {
    const spi = readU32(packet, 0);
    const sa = packet.length < 4 ? undefined : this.inbound.get(spi);
    if (sa) return { sa, result: sa.open(packet) };
    const short = packet.length < 4;
    return {
      sa: undefined,
      result: short
        ? { ok: false, reason: "short", detail: `${packet.length} octets` }
        : { ok: false, reason: "spi", detail: `no SA with SPI ${spi}` },
    };
  }
}
