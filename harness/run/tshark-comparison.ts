/** Holds tshark's reading of a capture against ours, frame by frame; for tests. */
import { Decoder, type EspKeySet, type IkeKeySet, type KeyRing } from "../../pcaps/decode/index.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import { wiresharkKnows } from "../../pcaps/keys.ts";
import type { DecodedFrame, DecodedIke, DecodedPayload } from "../../pcaps/tshark.ts";
import type { Captured } from "../../pcaps/types.ts";
import type { Seen, SeenEsp } from "../lint/seen.ts";
import { concat, hex } from "../wire/bytes.ts";
import { decodeMessage, encodeChain, isFrameError } from "../wire/index.ts";
import type { Message, Payload } from "../wire/types.ts";
import { ourFacts, theirFacts } from "./tshark-facts.ts";

/** Compares a chain as we read it with tshark's payloads; gives what differs. */
function chainDifferences(ours: readonly Payload[], theirs: readonly DecodedPayload[]): string[] {
  if (ours.length !== theirs.length)
    return [`we see payloads ${ours.map((p) => p.type)}, tshark ${theirs.map((p) => p.type)}`];
  return ours.flatMap((p, i) => {
    const them = theirs[i];
    const next = p.kind === "SK" || p.kind === "SKF" ? p.innerType : (ours[i + 1]?.type ?? 0);
    const whole = encodeChain([{ ...p, next }]);
    if (!them || hex(whole) !== them.octets)
      return [`payload ${p.type}: we have ${hex(whole)}, tshark ${them?.octets}`];
    if (p.kind === "SK" || p.kind === "SKF") return [];
    const [mine, his] = [ourFacts(p, next, whole.length), theirFacts(them)];
    const at = mine.findIndex((fact, index) => fact !== his[index]);
    if (at < 0 && mine.length === his.length) return [];
    const index = at < 0 ? mine.length : at;
    return [
      `payload ${p.type}, fact ${index}: we read ${mine[index]}, tshark ${his[index]} in ${hex(whole)}`,
    ];
  });
}

function headerDifferences({ header, payloads }: Message, size: number, theirs: DecodedIke): string[] {
  const ours: [string, unknown, unknown][] = [
    ["SPIi", hex(header.spiI), theirs.spiI],
    ["SPIr", hex(header.spiR), theirs.spiR],
    ["Next Payload", header.nextPayload ?? payloads[0]?.type ?? 0, theirs.nextPayload],
    ["version", header.version, theirs.version],
    ["exchange type", header.exchangeType, theirs.exchangeType],
    ["flags", header.flags, theirs.flags],
    ["Message ID", header.messageId, theirs.messageId],
    ["Length", header.length ?? size, theirs.length],
  ];
  return ours.flatMap(([field, a, b]) => (a === b ? [] : [`${field}: we read ${a}, tshark ${b}`]));
}

/** What our side makes of a capture: decodes and decrypts, and holds tshark's frames against that. */
export class Comparison {
  readonly found: string[] = [];
  messages = 0;
  inner = 0;
  fragmented = 0;
  esp = 0;
  espOpened = new Set<number>();
  readonly #decoder: Decoder;
  /** What opened the datagram at hand. */
  #used: IkeKeySet | EspKeySet | undefined;

  constructor(ring: KeyRing) {
    const used = (keys: IkeKeySet | EspKeySet): void => {
      this.#used = keys;
    };
    this.#decoder = new Decoder(ring, { used });
  }

  frame(captured: Captured, frame: DecodedFrame): void {
    this.#used = undefined;
    const datagram = { ...captured, kind: "datagram", packet: frame.number, offset: 0 } as const;
    const seen = this.#decoder.datagram(datagram).at(-1);
    const differences = seen?.kind === "esp" ? this.#esp(seen, frame) : this.#ike(captured, seen, frame);
    for (const difference of differences) this.found.push(`frame ${frame.number}: ${difference}`);
  }

  #ike(captured: Captured, seen: Seen | undefined, { ike }: DecodedFrame): string[] {
    const { data } = partOf(captured);
    const decoded = decodeMessage(data);
    if (isFrameError(decoded) || !ike) return [`not IKE for ${ike ? "us" : "tshark"}`];
    this.messages++;
    return [
      ...headerDifferences(decoded, data.length, ike),
      ...chainDifferences(decoded.payloads, ike.payloads),
      ...this.#inside(seen, ike),
    ];
  }

  /** `seen` is not set for a fragment that waits for others. */
  #inside(seen: Seen | undefined, theirs: DecodedIke): string[] {
    if (seen?.kind === "ike" && seen.opening === undefined)
      return theirs.inner ? ["tshark sees an inner chain"] : [];
    const used = this.#used?.keys;
    if (!used) return [`we cannot open it: ${seen && "opening" in seen ? seen.opening : seen?.kind}`];
    if (!wiresharkKnows("ike", used.encrId, used.integId))
      return theirs.inner ? ["tshark opened what it should not know"] : [];
    const checked = used.integId !== 5 && used.integId !== 8;
    const icv = checked && theirs.icv !== "good" ? [`tshark's opinion of the ICV: ${theirs.icv}`] : [];
    if (seen?.kind !== "ike" || !seen.inner)
      return theirs.inner ? [...icv, "tshark has the whole message already"] : icv;
    const { inner, plaintext } = seen;
    if (!theirs.inner && plaintext?.length) return [...icv, "tshark found nothing inside"];
    this.inner++;
    if (seen.fragments !== undefined) this.fragmented++;
    return [...icv, ...chainDifferences(inner.payloads, theirs.inner ?? [])];
  }

  #esp(seen: SeenEsp, { esp, protocols }: DecodedFrame): string[] {
    if (!esp) return ["not ESP for tshark"];
    this.esp++;
    const { content, spi, sequence, opening } = seen;
    const used = this.#used?.keys;
    if (!content || !used || !("esn" in used)) return [`we cannot open it: ${opening}`];
    const facts = spi === esp.spi && sequence === esp.sequence ? [] : ["SPI or sequence number"];
    if (!wiresharkKnows("esp", used.encrId, used.integId))
      return esp.plaintext === undefined ? facts : [...facts, "tshark opened what it should not know"];
    this.espOpened.add(used.encrId);
    const trailer = Uint8Array.of(content.padding.length, content.nextHeader);
    const plaintext = hex(concat(content.payload, content.padding, trailer));
    if (plaintext !== esp.plaintext) facts.push(`plaintext ${plaintext}, tshark ${esp.plaintext}`);
    if (esp.nextHeader !== content.nextHeader)
      facts.push(`Next Header ${content.nextHeader}, tshark ${esp.nextHeader}`);
    if (!protocols.includes("icmp")) facts.push(`tshark sees ${protocols.join()} inside`);
    const checked = !used.esn && used.integId !== 5 && used.integId !== 8;
    return checked && esp.icv !== "good" ? [...facts, `tshark's opinion of the ICV: ${esp.icv}`] : facts;
  }
}
