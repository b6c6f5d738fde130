/**
 * What was seen, as trees of named fields: what `pcap show` prints, a ladder draws and `pcap diff` compares. Views come
 * from captures (`viewOf`) and from the event stream of a test, which is kept beside its capture (`viewsOfEvents`).
 */
import type { End, Opening, Seen, SeenEsp, SeenIke, SeenOther } from "../harness/lint/seen.ts";
import { hex } from "../harness/wire/bytes.ts";
import { messageToTree, payloadToTree, type Tree } from "../harness/wire/text.ts";
import type { Chain, Finding, Header, Message, Payload } from "../harness/wire/types.ts";
import { espContent } from "./view-inner.ts";
import { describe, describeClosed, describeHeader } from "./view-text.ts";

export type FieldTree = { [field: string]: Tree };

/** What the decoder of the wire found wrong. */
export interface ViewFinding extends Finding {
  /** Set when the offset counts within the decrypted content. */
  inside?: true;
}

export interface View {
  /** Number of the packet in the capture, or of the line in an event stream; counted from 1. */
  at: number;
  /** Milliseconds; since 1970 in captures, since the start of the test in event streams. */
  timeMs: number;
  /** Address and port. Not set where an event stream does not tell. */
  source?: string;
  destination?: string;
  /** The side: `left` is who sent first in a capture, and our endpoint in an event stream. */
  from: "left" | "right";
  /** In a line, as in `IKE_AUTH request 1: SK { IDi AUTH SA TSi TSr }` or `ESP c0ffee01 number 1`. */
  text: string;
  /** What the reader should know beside it, as in `retransmission`, `3 fragments`, `no keys`. */
  note?: string;
  kind: "ike" | "esp" | "other";
  /** Set when the same octets went the same way before. */
  again?: true;
  /** Set when the receiver did not act on it; the note says why. */
  dropped?: true;
  /** Set for what came when the verdict was found: whether the peer still answers is no part of the test. */
  late?: true;
  /** Of IKE: its header by field, exchange type by name. */
  header?: FieldTree;
  /** Of IKE: payloads in clear; of ESP: SPI, sequence number and the like. */
  clear: FieldTree[];
  /** Payloads inside SK, or the content of ESP; not set when nothing is encrypted or it is closed. */
  inner?: FieldTree[];
  /** Not set when the decoder found nothing wrong. */
  findings?: ViewFinding[];
}

/** More pairs of addresses than these are not remembered: a capture may hold any number of them. */
const MOST_PAIRS = 4096;

/** Tells the sides apart: left is who sent first, of two hosts that speak with each other. */
export class Sides {
  /** The left one of a pair. */
  readonly #left = new Map<string, string>();

  of({ source, destination }: { source: End; destination: End }): View["from"] {
    const onOneHost = source.host === destination.host;
    const [from, to] = onOneHost ? [endText(source), endText(destination)] : [source.host, destination.host];
    const pair = from < to ? `${from} ${to}` : `${to} ${from}`;
    const left = this.#left.get(pair);
    if (left !== undefined) return left === from ? "left" : "right";
    if (this.#left.size >= MOST_PAIRS) return from < to ? "left" : "right";
    this.#left.set(pair, from);
    return "left";
  }
}

/** As in `192.0.2.1:500` and `[2001:db8::1]:500`; without port where there is none. */
function endText({ host, port }: End): string {
  if (port === 0) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What was seen, for a reader. One `Sides` serves a whole capture. */
export function viewOf(seen: Seen, sides: Sides): View {
  const { packets, timeMs, source, destination, repeats } = seen;
  const base = {
    at: packets.at(-1) ?? 0,
    timeMs,
    source: endText(source),
    destination: endText(destination),
    from: sides.of(seen),
    ...(repeats !== undefined && { again: true as const }),
  };
  switch (seen.kind) {
    case "ike":
      return { ...base, ...withNote(seen, ikeNotes(seen)), ...ikeParts(seen) };
    case "esp":
      return { ...base, ...withNote(seen, openingNotes(seen.opening)), ...espParts(seen) };
    default:
      return { ...base, ...withNote(seen, []), ...otherParts(seen) };
  }
}

function withNote(seen: Seen, notes: string[]): { note?: string } {
  const all = [
    ...(seen.repeats === undefined ? [] : [`retransmission of packet ${seen.repeats}`]),
    ...("transport" in seen && seen.transport === "tcp" ? ["TCP"] : []),
    ...notes,
  ];
  return all.length > 0 ? { note: all.join(", ") } : {};
}

function ikeNotes({ fragments, opening, message, inner, completeIn }: SeenIke): string[] {
  const findings = allFindings(message, inner).length;
  return [
    ...(fragments === undefined || opening === "waiting" ? [] : [`${fragments} fragments`]),
    ...(completeIn === undefined
      ? openingNotes(opening)
      : [`one fragment of the message that was complete in packet ${completeIn}`]),
    ...(findings > 0 ? [`${findings} ${findings === 1 ? "finding" : "findings"} of the decoder`] : []),
  ];
}

const OPENING_NOTES: Record<Opening, string[]> = {
  opened: [],
  "no-keys": ["no keys"],
  icv: ["the keys do not fit its ICV"],
  damaged: ["damaged under the ICV"],
  waiting: ["of a message that is not complete"],
};

const openingNotes = (opening: Opening | undefined): string[] => (opening ? OPENING_NOTES[opening] : []);

type Parts = Pick<View, "kind" | "text" | "header" | "clear" | "inner" | "findings">;

function ikeParts({ message, inner }: SeenIke): Parts {
  const clear = inner ? message.payloads.filter((payload) => !isSealed(payload)) : message.payloads;
  const findings = allFindings(message, inner);
  return {
    kind: "ike",
    text: inner
      ? describe({ header: message.header, payloads: inner.payloads, clear, protected: true })
      : describeClosed(message.header, clear),
    header: headerTree(message.header),
    clear: [...clear.map(payloadToTree), ...trailingTree(message.trailing)],
    ...(inner && { inner: [...inner.payloads.map(payloadToTree), ...trailingTree(inner.trailing)] }),
    ...(findings.length > 0 && { findings }),
  };
}

const isSealed = ({ kind }: Payload): boolean => kind === "SK" || kind === "SKF";

const allFindings = ({ findings = [] }: Message, inner: Chain | undefined): ViewFinding[] => [
  ...findings,
  ...(inner?.findings ?? []).map((finding) => ({ ...finding, inside: true as const })),
];

const trailingTree = (octets: Uint8Array | undefined): FieldTree[] =>
  octets === undefined || octets.length === 0 ? [] : [{ kind: "trailing", data: hex(octets) }];

/** The header by field; the exchange type by name. */
export function headerTree(header: Header): FieldTree {
  const { header: tree } = messageToTree({ header, payloads: [] });
  if (tree === null || typeof tree !== "object" || Array.isArray(tree)) return {};
  return { ...tree, exchangeType: describeHeader(header).replace(/ (request|response) \d+$/, "") };
}

function espParts({ spi, sequence, content, octets }: SeenEsp): Parts {
  const inner = content && espContent(content.nextHeader, content.payload, content.padding);
  return {
    kind: "esp",
    text: `${espName(spi, sequence)}${inner ? `: ${inner.text}` : ""}`,
    clear: [{ kind: "ESP", spi: spiText(spi), sequence, octets: octets.length }],
    ...(inner && { inner: inner.trees }),
  };
}

export const spiText = (spi: number): string => spi.toString(16).padStart(8, "0");

/** As in `ESP c0ffee01 number 1`. */
export const espName = (spi: number, sequence: number | string): string =>
  `ESP ${spiText(spi)} number ${sequence}`;

function otherParts({ kind, octets, reason }: SeenOther): Parts {
  if (kind === "keepalive") return { kind: "other", text: "NAT keepalive", clear: [] };
  return {
    kind: "other",
    text: `${octets.length} octets: ${reason ?? "unreadable"}`,
    clear: [{ kind: "octets", data: hex(octets) }],
  };
}
