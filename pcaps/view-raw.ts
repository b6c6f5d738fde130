/** Datagrams of an event stream of which nothing more is told: read as far as that goes without keys. */
import { EMPTY, fromHex, hex, readU32 } from "../harness/wire/bytes.ts";
import { decodeMessage, isFrameError } from "../harness/wire/index.ts";
import { payloadToTree, type Tree } from "../harness/wire/text.ts";
import type { Message } from "../harness/wire/types.ts";
import { demultiplex } from "../harness/wire/udp.ts";
import { espName, type FieldTree, headerTree, spiText, type View } from "./view.ts";
import { describeClosed } from "./view-text.ts";

/** Octets written as hex; none where it is not hex. */
export function octetsOf(value: Tree | undefined): Uint8Array {
  return typeof value === "string" && /^(?:[0-9a-f]{2})*$/i.test(value) ? fromHex(value) : EMPTY;
}

/** A datagram that came, before it is said what came of it. */
export function arrivedView(tree: FieldTree & { at: number }, at: number): View {
  const { source, destination } = tree;
  return {
    ...{ at, timeMs: tree.at, from: "right", ...rawParts(tree) },
    ...(typeof source === "string" && { source }),
    ...(typeof destination === "string" && { destination }),
  };
}

/** `protocol`, `data` and the ends of a datagram, as in an event stream. */
export function rawParts(tree: FieldTree): Pick<View, "kind" | "text" | "header" | "clear"> {
  const octets = octetsOf(tree.data);
  if (tree.protocol === "esp") return espParts(octets);
  const onPort500 = [tree.source, tree.destination, tree.from].some((end) => String(end).endsWith(":500"));
  if (onPort500) return ikeParts(octets) ?? otherParts(octets);
  const part = demultiplex(octets);
  if (part.kind === "keepalive") return { kind: "other", text: "NAT keepalive", clear: [] };
  if (part.kind === "ike") return ikeParts(part.data) ?? otherParts(octets);
  // The ports of a test on one machine may be any.
  return ikeParts(octets, isPlausible) ?? (octets.length >= 8 ? espParts(octets) : otherParts(octets));
}

/** What is no IKE is not taken for it: its Length field is right. */
const isPlausible = ({ header }: Message): boolean =>
  header.length === undefined && (header.version >>> 4 === 2 || header.version >>> 4 === 1);

function ikeParts(octets: Uint8Array, judge = (_: Message) => true): ReturnType<typeof rawParts> | undefined {
  const message = decodeMessage(octets);
  if (isFrameError(message) || !judge(message)) return undefined;
  const { header, payloads } = message;
  const text = describeClosed(header, payloads);
  return { kind: "ike", text, header: headerTree(header), clear: payloads.map(payloadToTree) };
}

function espParts(octets: Uint8Array): ReturnType<typeof rawParts> {
  if (octets.length < 8) return otherParts(octets);
  const [spi, sequence] = [readU32(octets, 0), readU32(octets, 4)];
  const tree = { kind: "ESP", spi: spiText(spi), sequence, octets: octets.length };
  return { kind: "esp", text: espName(spi, sequence), clear: [tree] };
}

const otherParts = (octets: Uint8Array): ReturnType<typeof rawParts> => ({
  kind: "other",
  text: `${octets.length} octets`,
  clear: octets.length === 0 ? [] : [{ kind: "octets", data: hex(octets) }],
});
