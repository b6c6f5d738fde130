/** A peer's status out of vici's `list-sa` events. */
import type { PeerStatus } from "../contract.ts";
import { section, text, type ViciMessage } from "./vici-codec.ts";

/** One IKE SA as an event holds it, under the name of its connection. */
export function ikeStatus(sa: ViciMessage): PeerStatus["ikeSas"][number] {
  return { spiI: text(sa, "initiator-spi"), spiR: text(sa, "responder-spi"), state: text(sa, "state") };
}

/** The Child SAs of an IKE SA; the SPI of one that is not installed yet is zero. */
export function childStatus(sa: ViciMessage): PeerStatus["childSas"] {
  const children = [...section(sa, "child-sas").values()].filter((value) => value instanceof Map);
  return children.map((child) => ({
    spiIn: text(child, "spi-in").padStart(8, "0"),
    spiOut: text(child, "spi-out").padStart(8, "0"),
    state: text(child, "state"),
    packetsIn: Number(text(child, "packets-in")) || 0,
    packetsOut: Number(text(child, "packets-out")) || 0,
  }));
}
