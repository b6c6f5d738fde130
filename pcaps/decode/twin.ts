/**
 * The decrypted twin of a capture: IKE messages with the payloads of SK in clear, ESP as the packets inside. Any
 * program that reads pcapng shows it, without keys. What could not be opened, and what is neither, stays as it was.
 */
import type { Seen, SeenEsp, SeenIke } from "../../harness/lint/seen.ts";
import { concat, EMPTY } from "../../harness/wire/bytes.ts";
import { encodeMessage } from "../../harness/wire/index.ts";
import { buildIp, buildUdpPacket, type IpFields, parseAddress } from "../../harness/wire/ip.ts";
import { NON_ESP_MARKER } from "../../harness/wire/udp.ts";
import type { ReadKeys } from "../key-files/read.ts";
import type { KeyFault } from "../key-files/types.ts";
import { Dissector, openCapture } from "../read/index.ts";
import { type CaptureFault, type CapturePacket, LINKTYPE } from "../types.ts";
import { Decoder } from "./decoder.ts";
import type { TwinPacket } from "./pcapng-writer.ts";
import type { ReadOptions } from "./read-seen.ts";
import { addSecrets } from "./secrets.ts";

const [IPV4, IPV6] = [4, 41];
const IKE_PORT = 500;
/** Octets of content behind IP, and behind IP and UDP: a message out of many fragments, or out of TCP, can be longer. */
const MOST_IN_IP = 65_515;
const MOST_IN_UDP = 65_507;
/** Ports at which programs know IKE without being told. */
const KNOWN_PORTS = new Set([IKE_PORT, 4500]);

/** The packets of the twin, in the order they are known; faults of the capture in their places. */
export function* twinOf(
  capturePath: string,
  keys: ReadKeys,
  { dissector = new Dissector(), ...options }: ReadOptions = {},
): Generator<TwinPacket | CaptureFault | KeyFault> {
  const decoder = new Decoder(keys.ring, options);
  for (const item of openCapture(capturePath)) {
    // The packet, until a datagram takes its place.
    let packet = item.kind === "packet" ? item : undefined;
    for (const found of dissector.take(item)) {
      if (found.kind === "fault") yield found;
      else if (found.kind === "secrets") yield* addSecrets(keys.ring, found);
      else {
        for (const seen of decoder.datagram(found)) yield twinPacket(seen, packet);
        packet = undefined;
      }
    }
    if (packet) yield asItWas(packet, untouched(`packet ${packet.number}`, "", undefined));
  }
  for (const found of dissector.end()) {
    if (found.kind === "fault") yield found;
    if (found.kind === "datagram") for (const seen of decoder.datagram(found)) yield twinPacket(seen);
  }
  for (const seen of decoder.end()) yield twinPacket(seen);
}

/** What is said of a packet of the twin. */
type Remark = Pick<TwinPacket, "comment" | "outcome">;

/** A copy: the octets of a packet are good until the next. */
const asItWas = ({ linkType, timeMs, data, originalLength }: CapturePacket, remark: Remark): TwinPacket => ({
  kind: "packet",
  ...{ linkType, timeMs, data: data.slice(), originalLength, ...remark },
});

const untouched = (name: string, note: string, why: string | undefined): Remark => ({
  comment: `${name}, as it was${note}${why === undefined ? "" : `: ${why}`}`,
  outcome: why === undefined ? "as it was" : "closed",
});

const decrypted = (name: string, note: string): Remark => ({
  comment: `${name}, decrypted${note}`,
  outcome: "decrypted",
});

/** What a packet becomes; `packet` is not set for fragments that are given up later. */
function twinPacket(seen: Seen, packet?: CapturePacket): TwinPacket {
  const [name, why] = [`packet ${seen.packets.join(", ")}`, reasonOf(seen)];
  const own = packet && seen.packets.length === 1 && seen.packets[0] === packet.number ? packet : undefined;
  if (seen.kind === "ike") return ikeTwin(seen, name, why, own);
  if (seen.kind === "esp" && seen.content)
    return rebuilt(seen, espPacket(seen, seen.content), decrypted(name, ""));
  const remark = untouched(name, "", why);
  return own ? asItWas(own, remark) : rebuilt(seen, udpPacket(seen, seen.octets), remark);
}

function ikeTwin(seen: SeenIke, name: string, why: string | undefined, own?: CapturePacket): TwinPacket {
  const { inner } = seen;
  const [elsewhere, note] = shownElsewhere(seen);
  if (inner) {
    const octets = clearMessage(seen, inner);
    const cut = octets.length > MOST_IN_UDP ? `, cut: it has ${octets.length} octets` : "";
    return rebuilt(seen, udpPacket(seen, octets), decrypted(name, note + cut));
  }
  const remark = untouched(name, note, why);
  return own && !elsewhere ? asItWas(own, remark) : rebuilt(seen, udpPacket(seen, seen.octets), remark);
}

/** Why it stays closed; undefined for what was never closed. */
function reasonOf(seen: Seen): string | undefined {
  if ("reason" in seen) return seen.reason;
  const opening = "opening" in seen ? seen.opening : undefined;
  if (opening === undefined || opening === "opened") return undefined;
  const sa = seen.kind === "esp" ? `SPI 0x${seen.spi.toString(16).padStart(8, "0")}` : "its IKE SA";
  const reasons = {
    "no-keys": `no keys for ${sa}`,
    icv: `the keys of ${sa} do not fit`,
    damaged: "the encrypted part is damaged",
    waiting: "a fragment of a message that never became complete, or one more copy of it",
  };
  return reasons[opening];
}

/** Where programs would not find IKE by themselves, it is shown on port 500. */
function shownElsewhere({ transport, source, destination }: SeenIke): [elsewhere: boolean, note: string] {
  if (transport === "tcp") return [true, ", out of TCP"];
  const known = KNOWN_PORTS.has(source.port) || KNOWN_PORTS.has(destination.port);
  return known ? [false, ""] : [true, `, from port ${source.port} to ${destination.port}`];
}

/** The message with the inner payloads behind those in clear, as if there had been no Encrypted payload. */
function clearMessage({ message }: SeenIke, inner: NonNullable<SeenIke["inner"]>): Uint8Array {
  const { nextPayload, length, ...header } = message.header;
  const clear = message.payloads.slice(0, -1);
  return encodeMessage({ header, payloads: [...clear, ...inner.payloads], trailing: inner.trailing });
}

function addressesOf({ source, destination }: Seen): Pick<IpFields, "source" | "destination"> {
  return { source: parseAddress(source.host) ?? EMPTY, destination: parseAddress(destination.host) ?? EMPTY };
}

function udpPacket(seen: Seen, octets: Uint8Array): Uint8Array {
  const { source, destination } = seen;
  const elsewhere = seen.kind === "ike" && shownElsewhere(seen)[0];
  const [sourcePort, destinationPort] = elsewhere ? [IKE_PORT, IKE_PORT] : [source.port, destination.port];
  const marked = seen.kind === "ike" && (sourcePort === 4500 || destinationPort === 4500);
  const payload = (marked ? concat(NON_ESP_MARKER, octets) : octets).subarray(0, MOST_IN_UDP);
  return buildUdpPacket(addressesOf(seen), { sourcePort, destinationPort, payload });
}

/** The packet inside: of tunnel mode as it is; else behind an IP header with the addresses outside. */
function espPacket(seen: SeenEsp, { nextHeader, payload }: NonNullable<SeenEsp["content"]>): Uint8Array {
  const version = (payload[0] ?? 0) >> 4;
  if ((nextHeader === IPV4 && version === 4) || (nextHeader === IPV6 && version === 6)) return payload;
  return buildIp({ ...addressesOf(seen), protocol: nextHeader, payload: payload.subarray(0, MOST_IN_IP) });
}

const rebuilt = ({ timeMs }: Seen, data: Uint8Array, remark: Remark): TwinPacket => ({
  kind: "packet",
  ...{ linkType: LINKTYPE.raw, timeMs, data, originalLength: data.length, ...remark },
});
