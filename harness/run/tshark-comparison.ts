/** Holds tshark's reading of a capture against ours, message by message and field by field. */
import { Decoder, type EspKeySet, type IkeKeySet, type KeyRing } from "../../pcaps/decode/index.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import { wiresharkKnows } from "../../pcaps/keys.ts";
import type { DecodedEsp, DecodedFrame, DecodedIke, DecodedPayload } from "../../pcaps/tshark.ts";
import type { Datagram } from "../../pcaps/types.ts";
import type { Seen, SeenEsp } from "../lint/seen.ts";
import { concat, hex } from "../wire/bytes.ts";
import { decodeMessage, encodeChain, IKE_HEADER, isFrameError } from "../wire/index.ts";
import type { Finding, Message, Payload } from "../wire/types.ts";
import { ourFacts, theirFacts } from "./tshark-facts.ts";

/** What we make of a datagram. */
export interface Reading {
  packet: number;
  kind: "ike" | "esp" | "keepalive" | "unreadable";
  /** Octets of the message or packet. */
  size: number;
  /** Of what is IKE. */
  message?: Message;
  /** What it completed; not set for a fragment that waits for others, or that nothing waits for. */
  seen?: Seen;
  /** What opened it. */
  used?: IkeKeySet | EspKeySet;
  /** Set for a fragment that came after others which tshark takes for parts of the same message, and we do not. */
  confused?: true;
}

/** Reads datagrams with our own decoder, in the order of the capture. */
export class Reader {
  readonly #decoder: Decoder;
  #used: IkeKeySet | EspKeySet | undefined;
  readonly #fragments = new FragmentHistory();

  constructor(ring: KeyRing) {
    const used = (keys: IkeKeySet | EspKeySet) => {
      this.#used = keys;
    };
    this.#decoder = new Decoder(ring, { used });
  }

  read(datagram: Datagram): Reading {
    this.#used = undefined;
    const { packet } = datagram;
    const given = this.#decoder.datagram(datagram);
    const { kind, data } = partOf(datagram);
    const reading: Reading = { packet, kind, size: data.length };
    const seen = given.find(({ packets }) => packets.at(-1) === packet);
    if (seen && !("opening" in seen && seen.opening === "waiting")) reading.seen = seen;
    if (this.#used) reading.used = this.#used;
    if (kind !== "ike") return reading;
    const message = decodeMessage(Uint8Array.from(data));
    if (isFrameError(message)) return { ...reading, kind: "unreadable" };
    const confused = this.#fragments.confused(datagram, message);
    return { ...reading, message, ...(confused && { confused }) };
  }
}

/** Follows fragments as tshark does, which tells their messages apart by ends and Message ID alone. */
class FragmentHistory {
  readonly #seen = new Map<string, { message: string; numbers: Set<number> }>();
  readonly #confused = new Set<string>();

  /** Whether other messages, other cuts of it, or the same fragment came before. */
  confused({ source, destination }: Datagram, { header, payloads }: Message): boolean {
    const last = payloads.at(-1);
    if (last?.kind !== "SKF") return false;
    const ends = [source, destination].map(({ host, port }) => `${host} ${port}`);
    const key = [...ends, header.messageId].join();
    const { spiI, spiR, exchangeType, flags } = header;
    const message = [hex(spiI), hex(spiR), exchangeType, flags, last.totalFragments].join();
    const known = this.#seen.get(key) ?? { message, numbers: new Set() };
    if (known.message !== message || known.numbers.has(last.fragmentNumber)) this.#confused.add(key);
    known.numbers.add(last.fragmentNumber);
    this.#seen.set(key, known);
    return this.#confused.has(key);
  }
}

/** A field, payload or message of which the two say different things. */
export interface Difference {
  /** As in `header > Message ID` or `inner payload 2 (33) > 4`. */
  field: string;
  ours: string;
  theirs: string;
  reading: Reading;
  frame: DecodedFrame;
  /** What we found ill-formed in the payload, or in the one at which tshark's list of payloads ends and the one after it. */
  faults?: readonly Finding[];
  /** Where tshark has fewer payloads: the last that it has, as we read it. */
  stoppedAt?: Payload;
}

type Found = Omit<Difference, "reading" | "frame">;

const differs = (field: string, ours: unknown, theirs: unknown, more: Partial<Found> = {}): Found => ({
  field,
  ours: String(ours),
  theirs: String(theirs),
  ...more,
});

/** Counts what agrees, and tells what does not. */
export class Comparison {
  messages = 0;
  /** Messages of which tshark opened the Encrypted payload. */
  inner = 0;
  fragmented = 0;
  esp = 0;
  /** Messages and packets that we opened, and tshark cannot, for it has no name for their transforms. */
  alone = 0;
  /** Single values that were compared. */
  fields = 0;
  readonly espOpened = new Set<number>();
  readonly differences: Difference[] = [];

  /** Compares a frame with what we read in it, which are several datagrams where it is of TCP. */
  frame(readings: readonly Reading[], frame: DecodedFrame): void {
    const ours = readings.filter(({ kind }) => kind === "ike" || kind === "esp");
    const all = readings.filter(({ kind }) => kind !== "keepalive");
    if (frame.parts.length > all.length) {
      const reading = all[0] ?? { packet: frame.number, kind: "unreadable", size: 0 };
      this.differences.push({ ...differs("messages", all.length, frame.parts.length), reading, frame });
    }
    const found = ours.flatMap((reading, at) =>
      this.#part(reading, frame, at).map((difference) => ({ ...difference, reading, frame })),
    );
    this.differences.push(...found);
  }

  #part(reading: Reading, { parts }: DecodedFrame, at: number): Found[] {
    const theirs = parts[at];
    if (theirs?.kind !== reading.kind) return [differs("kind", reading.kind, theirs?.kind)];
    if (theirs.kind === "esp") return this.#esp(reading, theirs.esp);
    return reading.message ? this.#ike(reading, reading.message, theirs.ike) : [];
  }

  #ike(reading: Reading, message: Message, ike: DecodedIke): Found[] {
    this.messages++;
    return [
      ...this.#values("header", headerValues(message, reading.size, ike)),
      ...this.#chain("payload", { findings: [], ...message }, ike.payloads, IKE_HEADER),
      ...this.#inside(reading, ike),
    ];
  }

  #inside({ seen, used }: Reading, theirs: DecodedIke): Found[] {
    if (seen?.kind === "ike" && seen.opening === undefined)
      return this.#values("Encrypted payload", [["inner chain", false, theirs.inner !== undefined]]);
    if (!used) return this.#values("Encrypted payload", [closedValue(seen, theirs.icv)]);
    const { encrId, integId } = used.keys;
    if (!wiresharkKnows("ike", encrId, integId)) {
      this.alone++;
      return this.#values("Encrypted payload", [["opened", false, theirs.inner !== undefined]]);
    }
    const icv = this.#icv(integId, theirs.icv);
    if (seen?.kind !== "ike" || !seen.inner)
      return [
        ...icv,
        ...this.#values("Encrypted payload", [["complete", false, theirs.inner !== undefined]]),
      ];
    if (!theirs.inner && seen.plaintext?.length)
      return [...icv, differs("Encrypted payload", "opened", "closed")];
    this.inner++;
    if (seen.fragments !== undefined) this.fragmented++;
    return [...icv, ...this.#chain("inner payload", seen.inner, theirs.inner ?? [], 0)];
  }

  #esp(reading: Reading, theirs: DecodedEsp): Found[] {
    const { seen, used } = reading;
    if (seen?.kind !== "esp") return [differs("ESP packet", seen?.kind, "esp")];
    this.esp++;
    const header = this.#values("ESP", [
      ["SPI", seen.spi, theirs.spi],
      ["sequence number", seen.sequence, theirs.sequence],
    ]);
    if (!used || !("esn" in used.keys))
      return [...header, ...this.#values("ESP", [closedValue(seen, theirs.icv)])];
    const { encrId, integId, esn } = used.keys;
    if (!wiresharkKnows("esp", encrId, integId)) {
      this.alone++;
      return [...header, ...this.#values("ESP", [["opened", false, theirs.plaintext !== undefined]])];
    }
    this.espOpened.add(encrId);
    return [
      ...header,
      ...this.#values("ESP", espValues(seen, theirs)),
      ...(esn ? [] : this.#icv(integId, theirs.icv)),
    ];
  }

  /** AES-XCBC-96 and AES-CMAC-96 are not checked by tshark. */
  #icv(integId: number | undefined, theirs: "good" | "bad" | undefined): Found[] {
    return integId === 5 || integId === 8 ? [] : this.#values("ICV", [["opinion", "good", theirs]]);
  }

  #values(
    where: string,
    values: readonly (readonly [name: string, ours: unknown, theirs: unknown])[],
  ): Found[] {
    this.fields += values.length;
    return values.flatMap(([name, a, b]) => (a === b ? [] : [differs(`${where} > ${name}`, a, b)]));
  }

  /** Payload by payload, as far as tshark read them; then whether it read them all. `base`: where findings count from. */
  #chain(
    where: string,
    { payloads, findings }: { payloads: readonly Payload[]; findings: readonly Finding[] },
    theirs: readonly DecodedPayload[],
    base: number,
  ): Found[] {
    const faults = faultsOf(payloads, findings, base);
    const found = payloads.slice(0, theirs.length).flatMap((payload, at) =>
      this.#payload(`${where} ${at + 1} (${payload.type})`, payloads, at, theirs[at]!).map((difference) => ({
        ...difference,
        faults: faults[at],
      })),
    );
    if (payloads.length === theirs.length) return found;
    const list = (of: readonly { type: number }[]) => of.map(({ type }) => type).join(" ");
    const atEnd = faults.slice(Math.max(0, theirs.length - 1), theirs.length + 1).flat();
    return [
      ...found,
      differs(`${where}s`, list(payloads), list(theirs), {
        faults: atEnd,
        stoppedAt: payloads[theirs.length - 1],
      }),
    ];
  }

  #payload(where: string, chain: readonly Payload[], at: number, theirs: DecodedPayload): Found[] {
    const payload = chain[at]!;
    const octets = octetsOf(chain, at);
    this.fields++;
    if (hex(octets) !== theirs.octets) return [differs(`${where} > octets`, hex(octets), theirs.octets)];
    if (payload.kind === "SK" || payload.kind === "SKF") return [];
    const [mine, his] = [ourFacts(payload, nextOf(chain, at), octets), theirFacts(theirs)];
    const first = mine.findIndex((fact, index) => fact !== his[index]);
    this.fields += first < 0 ? mine.length : first;
    if (first < 0 && mine.length === his.length) return [];
    const index = first < 0 ? mine.length : first;
    return [differs(`${where} > ${index}`, mine[index], his[index])];
  }
}

function nextOf(chain: readonly Payload[], at: number): number {
  const payload = chain[at];
  if (payload?.kind === "SK" || payload?.kind === "SKF") return payload.innerType;
  return payload?.next ?? chain[at + 1]?.type ?? 0;
}

const octetsOf = (chain: readonly Payload[], at: number): Uint8Array =>
  encodeChain([{ ...chain[at]!, next: nextOf(chain, at) }]);

/** Findings by payload, without those of bits and types that a reader passes over. */
function faultsOf(payloads: readonly Payload[], findings: readonly Finding[], base: number): Finding[][] {
  const faults = findings.filter(
    ({ field, reason }) => field !== "payload type" && !/^reserved bits/.test(reason),
  );
  let start = base;
  return payloads.map((_, at) => {
    const end = start + (faults.length > 0 ? octetsOf(payloads, at).length : 0);
    const within = faults.filter(({ offset }) => offset >= start && offset < end);
    start = end;
    return within;
  });
}

/** What we call damaged is too short for an ICV, or has a good one and bad padding. */
const closedValue = (seen: Seen | undefined, icv: "good" | "bad" | undefined) =>
  seen && "opening" in seen && seen.opening === "damaged"
    ? (["ICV of damaged octets", false, icv === "bad"] as const)
    : (["ICV", false, icv === "good"] as const);

const headerValues = ({ header, payloads }: Message, size: number, theirs: DecodedIke) =>
  [
    ["SPIi", hex(header.spiI), theirs.spiI],
    ["SPIr", hex(header.spiR), theirs.spiR],
    ["Next Payload", header.nextPayload ?? payloads[0]?.type ?? 0, theirs.nextPayload],
    ["version", header.version, theirs.version],
    ["exchange type", header.exchangeType, theirs.exchangeType],
    ["flags", header.flags, theirs.flags],
    ["Message ID", header.messageId, theirs.messageId],
    ["Length", header.length ?? size, theirs.length],
  ] as const;

function espValues({ content }: SeenEsp, theirs: DecodedEsp) {
  const { payload, padding, nextHeader } = content ?? {};
  const trailer = Uint8Array.of(padding?.length ?? 0, nextHeader ?? 0);
  const plaintext = payload && padding && hex(concat(payload, padding, trailer));
  return [
    ["plaintext", plaintext, theirs.plaintext],
    ["Next Header", nextHeader, theirs.nextHeader],
  ] as const;
}
