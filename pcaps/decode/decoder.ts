/** From datagrams of a capture to what they say: IKE and ESP opened as far as the keys at hand go. */
import type { Seen, SeenEsp, SeenIke, SeenOther } from "../../harness/lint/seen.ts";
import { readU32, uninitialized } from "../../harness/wire/bytes.ts";
import { ESP_HEADER } from "../../harness/wire/esp.ts";
import { decodeChain, decodeMessage, isFrameError } from "../../harness/wire/index.ts";
import type { Message, SkfPayload } from "../../harness/wire/types.ts";
import type { Datagram } from "../types.ts";
import { EspOpener } from "./esp-opener.ts";
import { type FragmentLimits, Fragments, type Joined } from "./fragments.ts";
import { encryptedPayload, openIke } from "./ike-opener.ts";
import type { KeyRing } from "./key-ring.ts";
import { partOf } from "./part.ts";
import { Repeats } from "./repeats.ts";
import type { EspKeySet, IkeKeySet } from "./transforms.ts";

export interface DecoderOptions {
  /** Bounds of what waits for further fragments. */
  fragments?: Partial<FragmentLimits>;
  /** Datagrams that are remembered to find repeats. */
  repeats?: number;
  /** Told of each set of keys that opened something, whenever it does. */
  used?: (keys: IkeKeySet | EspKeySet) => void;
}

/** What all of a datagram's Seen has. */
type Frame = Pick<Seen, "packets" | "timeMs" | "source" | "destination" | "repeats">;

/**
 * Decodes datagrams in the order of the capture. Its memory is bounded whatever comes: by the keys, and by the limits
 * of fragments and repeats. Never throws. What it gives are copies, which may be kept.
 */
export class Decoder {
  readonly #ring: KeyRing;
  readonly #esp: EspOpener;
  readonly #fragments: Fragments;
  readonly #repeats: Repeats;
  readonly #used: DecoderOptions["used"];

  constructor(ring: KeyRing, { fragments, repeats, used }: DecoderOptions = {}) {
    this.#ring = ring;
    this.#esp = new EspOpener(ring);
    this.#fragments = new Fragments(fragments);
    this.#repeats = new Repeats(repeats);
    this.#used = used;
  }

  /**
   * What a datagram shows. Nothing while its message waits for further fragments; several where fragments are given up
   * for it.
   */
  datagram(datagram: Datagram): Seen[] {
    const seen = this.#seen(datagram);
    const late = this.#fragments.late(datagram.packet);
    return late.length === 0 ? seen : [...late, ...seen];
  }

  #seen(datagram: Datagram): Seen[] {
    const { protocol, timeMs, source, destination, packet } = datagram;
    const { kind, data, reason } = partOf(datagram);
    const octets = copyOf(data);
    const repeats = this.#repeats.before(octets, source, destination, packet);
    const frame: Frame = { packets: [packet], timeMs, source, destination };
    if (repeats !== undefined) frame.repeats = repeats;
    if (kind === "esp") return [this.#espSeen(frame, protocol === "esp" ? "ip" : protocol, octets)];
    if (kind === "ike") return this.#ikeSeen(frame, protocol === "tcp" ? "tcp" : "udp", octets);
    return [{ ...frame, kind, octets, ...(reason !== undefined && { reason }) } satisfies SeenOther];
  }

  /** Fragments whose messages never became complete. */
  end(): Seen[] {
    return this.#fragments.end();
  }

  #espSeen(frame: Frame, transport: SeenEsp["transport"], octets: Uint8Array): Seen {
    if (octets.length < ESP_HEADER)
      return { ...frame, kind: "unreadable", octets, reason: `${octets.length} octets are no ESP packet` };
    const opened = this.#esp.open(octets);
    // Spelt out, for there are a million of them: to spread the frame takes longer than all the rest.
    const { packets, timeMs, source, destination, repeats } = frame;
    const seen: SeenEsp = {
      packets,
      timeMs,
      source,
      destination,
      kind: "esp",
      transport,
      octets,
      spi: readU32(octets, 0),
      sequence: readU32(octets, 4),
      opening: opened.opening,
    };
    if (repeats !== undefined) seen.repeats = repeats;
    if (opened.opening !== "opened") return seen;
    this.#used?.(opened.keys);
    seen.content = opened.content;
    return seen;
  }

  #ikeSeen(frame: Frame, transport: SeenIke["transport"], octets: Uint8Array): Seen[] {
    const message = decodeMessage(octets);
    if (isFrameError(message)) return [{ ...frame, kind: "unreadable", octets, reason: message.error }];
    const { packets, timeMs, source, destination, repeats } = frame;
    const seen: SeenIke = {
      packets,
      timeMs,
      source,
      destination,
      kind: "ike",
      transport,
      octets,
      message,
    };
    if (repeats !== undefined) seen.repeats = repeats;
    return this.#open(seen, message);
  }

  #open(seen: SeenIke, message: Message): Seen[] {
    const payload = encryptedPayload(message);
    if (!payload) return [seen];
    const opened = openIke(this.#ring, seen.octets, message, payload);
    if (payload.kind === "SKF") seen.fragments = payload.totalFragments;
    if ("error" in opened) return [{ ...seen, opening: opened.error }];
    this.#used?.(opened.keys);
    if (payload.kind === "SKF") return this.#collect(seen, payload, opened.plaintext);
    return [withInside(seen, opened.innerType, opened.plaintext)];
  }

  #collect(fragment: SeenIke, payload: SkfPayload, plaintext: Uint8Array): Seen[] {
    const seen: SeenIke = { ...fragment, opening: "waiting" };
    const { whole, given } = this.#fragments.collect({ seen, payload, plaintext });
    return whole ? [...given, wholeOf(fragment, whole)] : given;
  }
}

/** A message as it stands when its last fragment came. */
function wholeOf(last: SeenIke, whole: Joined): SeenIke {
  const { first, packets, pieces, repeats, innerType, plaintext } = whole;
  const { timeMs, source, destination } = last;
  const { repeats: _, ...frame } = first.seen;
  const seen: SeenIke = { ...frame, packets, pieces, timeMs, source, destination };
  if (repeats !== undefined) seen.repeats = repeats;
  return withInside(seen, innerType, plaintext);
}

/** Adds what it says to a message that was just read. */
function withInside(seen: SeenIke, innerType: number, plaintext: Uint8Array): SeenIke {
  seen.opening = "opened";
  seen.inner = decodeChain(innerType, plaintext);
  seen.plaintext = plaintext;
  return seen;
}

function copyOf(octets: Uint8Array): Uint8Array {
  const copy = uninitialized(octets.length);
  copy.set(octets);
  return copy;
}
