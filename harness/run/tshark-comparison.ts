/** Holds tshark's reading of a capture against ours, frame by frame; for tests. */
import { wiresharkKnows } from "../../pcaps/keys.ts";
import type { DecodedFrame, DecodedIke, DecodedPayload } from "../../pcaps/tshark.ts";
import type { Captured } from "../../pcaps/types.ts";
import { InboundSa } from "../esp/inbound.ts";
import type { ChildSa } from "../ike/child.ts";
import type { IkeSa } from "../ike/sa.ts";
import { openPayload } from "../ike/sk.ts";
import { concat, equal, hex, readU32 } from "../wire/bytes.ts";
import { decodeChain, decodeMessage, encodeChain, isFrameError } from "../wire/index.ts";
import { FLAG, type Message, type Payload } from "../wire/types.ts";
import { demultiplex } from "../wire/udp.ts";
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
  readonly #fragments = new Map<string, Map<number, Uint8Array>>();
  readonly #innerTypes = new Map<string, number>();
  readonly #sas: IkeSa[];
  readonly #children: ChildSa[];

  constructor(sas: IkeSa[], children: ChildSa[]) {
    this.#sas = sas;
    this.#children = children;
  }

  frame(datagram: Captured, frame: DecodedFrame): void {
    const part =
      datagram.protocol === "esp" ? { kind: "esp" as const, data: datagram.data } : ikePart(datagram);
    const differences =
      part.kind === "esp" ? this.#esp(part.data, datagram, frame) : this.#ike(part.data, frame);
    for (const difference of differences) this.found.push(`frame ${frame.number}: ${difference}`);
  }

  #ike(data: Uint8Array, { ike }: DecodedFrame): string[] {
    const decoded = decodeMessage(data);
    if (isFrameError(decoded) || !ike) return [`not IKE for ${ike ? "us" : "tshark"}`];
    this.messages++;
    return [
      ...headerDifferences(decoded, data.length, ike),
      ...chainDifferences(decoded.payloads, ike.payloads),
      ...this.#inside(decoded, data, ike),
    ];
  }

  #inside(decoded: Message, data: Uint8Array, theirs: DecodedIke): string[] {
    const last = decoded.payloads.at(-1);
    if (last?.kind !== "SK" && last?.kind !== "SKF")
      return theirs.inner ? ["tshark sees an inner chain"] : [];
    const { header } = decoded;
    const sa = this.#sas.find((s) => equal(s.spiI, header.spiI) && equal(s.spiR, header.spiR));
    if (!sa?.suite) return ["we have no keys"];
    const fromUs = ((header.flags & FLAG.initiator) !== 0) === (sa.role === "initiator");
    const keys = fromUs ? sa.outbound : sa.inbound;
    const opened = keys && openPayload(keys, data, last);
    if (!opened || "error" in opened) return [`we cannot open it: ${opened?.error}`];
    if (!wiresharkKnows("ike", sa.suite.encr.id, sa.suite.integ?.id))
      return theirs.inner ? ["tshark opened what it should not know"] : [];
    const checked = sa.suite.integ?.id !== 5 && sa.suite.integ?.id !== 8;
    const icv = checked && theirs.icv !== "good" ? [`tshark's opinion of the ICV: ${theirs.icv}`] : [];
    const whole =
      last.kind === "SK"
        ? opened
        : this.#reassemble(decoded, last.fragmentNumber, last.totalFragments, opened);
    if (!whole) return theirs.inner ? [...icv, "tshark has the whole message already"] : icv;
    if (!theirs.inner && whole.plaintext.length > 0) return [...icv, "tshark found nothing inside"];
    this.inner++;
    return [
      ...icv,
      ...chainDifferences(decodeChain(whole.innerType, whole.plaintext).payloads, theirs.inner ?? []),
    ];
  }

  #reassemble(
    { header }: Message,
    number: number,
    total: number,
    opened: { plaintext: Uint8Array; innerType: number },
  ): { plaintext: Uint8Array; innerType: number } | undefined {
    const key = [hex(header.spiI), hex(header.spiR), header.messageId, header.flags].join();
    const parts = this.#fragments.get(key) ?? new Map<number, Uint8Array>();
    this.#fragments.set(key, parts.set(number, opened.plaintext));
    if (number === 1) this.#innerTypes.set(key, opened.innerType);
    if (parts.size < total) return undefined;
    this.fragmented++;
    const plaintext = concat(
      ...Array.from({ length: total }, (_, i) => parts.get(i + 1) ?? new Uint8Array()),
    );
    return { plaintext, innerType: this.#innerTypes.get(key) ?? 0 };
  }

  #esp(packet: Uint8Array, { source }: Captured, { esp, protocols }: DecodedFrame): string[] {
    if (!esp) return ["not ESP for tshark"];
    this.esp++;
    const spi = readU32(packet, 0);
    const child = this.#children.find((c) => readU32(c.spiIn, 0) === spi || readU32(c.spiOut, 0) === spi);
    if (!child) return ["we have no keys"];
    const keys = source.host === child.ike.local.host ? child.keysOut : child.keysIn;
    const { encr, integ, esn } = child;
    const sa = new InboundSa({ spi, keys, esn, transforms: { encr, integ } });
    const opened = sa.open(packet);
    if (!opened.ok) return [`we cannot open it: ${opened.reason}`];
    const facts =
      spi === esp.spi && Number(opened.sequence) === esp.sequence ? [] : ["SPI or sequence number"];
    if (!wiresharkKnows("esp", encr.id, integ?.id))
      return esp.plaintext === undefined ? facts : [...facts, "tshark opened what it should not know"];
    this.espOpened.add(encr.id);
    const trailer = Uint8Array.of(opened.padding.length, opened.nextHeader);
    const plaintext = hex(concat(opened.payload, opened.padding, trailer));
    if (plaintext !== esp.plaintext) facts.push(`plaintext ${plaintext}, tshark ${esp.plaintext}`);
    if (esp.nextHeader !== opened.nextHeader)
      facts.push(`Next Header ${opened.nextHeader}, tshark ${esp.nextHeader}`);
    if (!protocols.includes("icmp")) facts.push(`tshark sees ${protocols.join()} inside`);
    const checked = !esn && integ?.id !== 5 && integ?.id !== 8;
    return checked && esp.icv !== "good" ? [...facts, `tshark's opinion of the ICV: ${esp.icv}`] : facts;
  }
}

function ikePart(datagram: Captured): { kind: "ike" | "esp"; data: Uint8Array } {
  const { protocol, source, destination, data } = datagram;
  const marked = protocol === "tcp" || source.port === 4500 || destination.port === 4500;
  if (!marked) return { kind: "ike", data };
  const part = demultiplex(data);
  if (part.kind === "esp" || part.kind === "ike") return { kind: part.kind, data: part.data };
  return { kind: "ike", data };
}
