/** Looks on while a dial goes on: its trace becomes what a page is told, and what is kept of it. */

import { Decoder, KeyRing } from "../../pcaps/decode/index.ts";
import type { EspSaKeys, IkeSaKeys } from "../../pcaps/keys.ts";
import type { Captured } from "../../pcaps/types.ts";
import type { View } from "../../pcaps/view.ts";
import { espSaKeys, ikeSaKeys } from "../run/evidence.ts";
import { ladderViews } from "../run/ladder.ts";
import { Trace, type TraceEntry } from "../script/trace.ts";
import { type Judged, type Manner, Requirements } from "./requirements.ts";
import { cut, shownPayloads } from "./shown.ts";
import type { ShownField } from "./types.ts";

/** What was new when the watch looked. */
export interface Look {
  messages: { direction: "in" | "out"; exchange: string; line: string; payloads: ShownField[]; at: number }[];
  judged: Judged[];
  datagrams: Captured[];
  views: View[];
  /** Set where there are new keys. */
  keys?: { ike: IkeSaKeys[]; esp: EspSaKeys[] };
}

/** Datagrams that are remembered to find repeats, of a dial. */
const REPEATS = 512;

export class Watch {
  readonly #ring = new KeyRing();
  readonly #decoder: Decoder;
  readonly #requirements: Requirements;
  #packet = 0;

  constructor(manner: Manner) {
    this.#decoder = new Decoder(this.#ring, { repeats: REPEATS });
    this.#requirements = new Requirements(manner);
  }

  /** Takes the entries that came since it looked last. */
  look(entries: readonly TraceEntry[]): Look {
    const part = new Trace();
    const found: Look = { messages: [], judged: [], datagrams: [], views: [] };
    const keys = { ike: [] as IkeSaKeys[], esp: [] as EspSaKeys[] };
    for (const entry of entries) {
      part.add(entry.at, entry.event);
      this.#learn(entry, keys);
      this.#judge(entry, found);
    }
    if (keys.ike.length + keys.esp.length > 0) found.keys = keys;
    found.views = ladderViews(part);
    found.messages = found.views.map(messageOf);
    return found;
  }

  #learn({ event }: TraceEntry, keys: { ike: IkeSaKeys[]; esp: EspSaKeys[] }): void {
    if (event.type === "keys")
      for (const set of ikeSaKeys(event.sa)) {
        this.#ring.addIke(set);
        keys.ike.push(set);
      }
    if (event.type !== "child-established") return;
    for (const set of espSaKeys(event.child)) {
      this.#ring.addEsp(set);
      keys.esp.push(set);
    }
  }

  #judge({ at, event }: TraceEntry, found: Look): void {
    if (event.type !== "datagram-sent" && event.type !== "datagram-received") return;
    this.#packet += 1;
    const { datagram } = event;
    found.datagrams.push({ timeMs: at, ...datagram });
    const place = { kind: "datagram", packet: this.#packet, offset: 0, timeMs: at } as const;
    for (const seen of this.#decoder.datagram({ ...place, ...datagram }))
      found.judged.push(...this.#requirements.see(seen, event.type === "datagram-received"));
  }

  /** The requirements that the participant was seen to keep. */
  kept(): Judged[] {
    return this.#requirements.kept();
  }
}

function messageOf(view: View): Look["messages"][number] {
  const { from, text, note, again, timeMs } = view;
  const marks = [
    ...(again && !note?.includes("retransmission") ? ["retransmission"] : []),
    ...(note ? [note] : []),
  ];
  return {
    direction: from === "left" ? "out" : "in",
    exchange: cut(/^[^:[]+/.exec(text)?.[0]?.trim() ?? text, 80),
    line: cut(marks.length > 0 ? `${text} (${marks.join(", ")})` : text),
    payloads: shownPayloads(view),
    at: timeMs,
  };
}
