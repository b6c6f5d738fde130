/** Changes messages of a recording and seals them anew, so that exactly one thing differs. */
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import { OutboundSa } from "../../harness/esp/outbound.ts";
import { type Protection, sealMessage } from "../../harness/ike/sk.ts";
import {
  decodeChain,
  decodeMessage,
  encodeChain,
  encodeMessage,
  FLAG,
  firstPayloadType,
  type Header,
  isFrameError,
  type Payload,
  readU32,
} from "../../harness/wire/index.ts";
import { EspOpener } from "../../pcaps/decode/esp-opener.ts";
import { encryptedPayload, openIke } from "../../pcaps/decode/ike-opener.ts";
import { KeyRing } from "../../pcaps/decode/key-ring.ts";
import type { Captured } from "../../pcaps/types.ts";
import type { Recording } from "./recording.ts";

/** An IKE message, open. */
export interface Draft {
  header: Header;
  isResponse: boolean;
  /** Payloads in clear in front of the encrypted one. */
  clear: Payload[];
  /** Those inside; not set where nothing is encrypted. */
  inner?: Payload[];
  /** Set to send it in two fragments. */
  inFragments?: true;
}

/** Which message: its exchange type, whether it is the response, and which of those (from 1). */
export interface Which {
  exchange: number;
  isResponse?: boolean;
  number?: number;
}

/** An ESP packet, open. */
export interface EspDraft {
  payload: Uint8Array;
  nextHeader: number;
}

const RANDOM = seededRandom("sealed anew");

export class Editor {
  readonly #recording: Recording;
  readonly #ring = new KeyRing();

  constructor(recording: Recording) {
    this.#recording = recording;
    for (const keys of recording.ike) this.#ring.addIke(keys);
    for (const keys of recording.esp) this.#ring.addEsp(keys);
  }

  /** The recording with other packets. */
  #with(packets: Captured[]): Recording {
    return { ...this.#recording, packets };
  }

  /** Changes one message in place, in all its copies. */
  change(which: Which, edit: (draft: Draft) => void): Recording {
    const places = this.#placesOf(which);
    return this.#with(
      this.#recording.packets.flatMap((packet, place) => {
        if (!places.has(place)) return [packet];
        return this.#edited(packet, edit).map((data) => ({ ...packet, data }));
      }),
    );
  }

  /** Leaves messages out. */
  drop(...all: Which[]): Recording {
    const places = new Set(all.flatMap((which) => [...this.#placesOf(which)]));
    return this.#with(this.#recording.packets.filter((_, place) => !places.has(place)));
  }

  /** Takes messages out and puts them where the first of `before` stands. */
  moveBefore(before: Which, ...all: Which[]): Recording {
    const { packets } = this.#recording;
    const places = new Set(all.flatMap((which) => [...this.#placesOf(which)]));
    const moved = packets.filter((_, place) => places.has(place));
    const target = Math.min(...this.#placesOf(before));
    return this.#with(
      packets.flatMap((packet, place) =>
        place === target ? [...moved, packet] : places.has(place) ? [] : [packet],
      ),
    );
  }

  /** Changes what ESP packets from the initiator carry. */
  changeEsp(edit: (draft: EspDraft) => void): Recording {
    const opener = new EspOpener(this.#ring);
    const [first] = this.#recording.packets;
    return this.#with(
      this.#recording.packets.map((packet) => {
        if (packet.protocol !== "esp" || packet.source.host !== first?.source.host) return packet;
        const opened = opener.open(packet.data);
        if (opened.opening !== "opened") return packet;
        const draft = { payload: opened.content.payload, nextHeader: opened.content.nextHeader };
        edit(draft);
        const { keys, transforms } = opened.keys;
        const sa = new OutboundSa({
          ...{ spi: keys.spi, transforms, esn: keys.esn === true, random: RANDOM },
          keys: { encr: keys.encrKey, integ: keys.integKey },
          counter: BigInt(readU32(packet.data, 4) - 1),
        });
        const data = sa.seal(draft.payload, draft.nextHeader);
        return "error" in data ? packet : { ...packet, data };
      }),
    );
  }

  /** Changes packets as they travel. */
  changePackets(edit: (packet: Captured) => Captured | undefined): Recording {
    return this.#with(this.#recording.packets.flatMap((packet) => edit(packet) ?? []));
  }

  /** Places of all copies of a message. */
  #placesOf({ exchange, isResponse = false, number = 1 }: Which): Set<number> {
    const kinds = new Map<string, number[]>();
    for (const [place, packet] of this.#recording.packets.entries()) {
      const message = packet.protocol === "udp" ? decodeMessage(packet.data) : undefined;
      if (!message || isFrameError(message)) continue;
      const { header } = message;
      if (header.exchangeType !== exchange) continue;
      if (((header.flags & FLAG.response) !== 0) !== isResponse) continue;
      const octets = Buffer.from(packet.data).toString("hex");
      kinds.set(octets, [...(kinds.get(octets) ?? []), place]);
    }
    const places = [...kinds.values()][number - 1];
    if (!places) throw new Error(`there is no message ${number} of exchange ${exchange}`);
    return new Set(places);
  }

  #edited({ data }: Captured, edit: (draft: Draft) => void): Uint8Array[] {
    const message = decodeMessage(data);
    if (isFrameError(message)) throw new Error(message.error);
    const { header, payloads } = message;
    const isResponse = (header.flags & FLAG.response) !== 0;
    const sealed = encryptedPayload(message);
    if (!sealed) {
      const draft: Draft = { header, isResponse, clear: payloads };
      edit(draft);
      return [encodeMessage({ header: draft.header, payloads: draft.clear })];
    }
    const opened = openIke(this.#ring, data, message, sealed);
    if ("error" in opened) throw new Error(`a message cannot be opened: ${opened.error}`);
    const inner = decodeChain(opened.innerType, opened.plaintext).payloads;
    const draft: Draft = { header, isResponse, clear: payloads.slice(0, -1), inner };
    const fromInitiator = (header.flags & FLAG.initiator) !== 0;
    edit(draft);
    return seal(draft, fromInitiator ? opened.keys.fromInitiator : opened.keys.fromResponder);
  }
}

function seal({ header, clear, inner = [], inFragments }: Draft, keys: Protection): Uint8Array[] {
  const chain = encodeChain(inner);
  const type = firstPayloadType(inner);
  if (!inFragments) return [sealMessage(keys, RANDOM, header, clear, chain, type)];
  const middle = chain.length >>> 1;
  return [chain.subarray(0, middle), chain.subarray(middle)].map((part, index) =>
    sealMessage(
      keys,
      RANDOM,
      header,
      clear,
      part,
      index === 0 ? type : 0,
      {},
      { number: index + 1, total: 2 },
    ),
  );
}
