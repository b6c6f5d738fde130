/** The ways to read the packets of an ESP SA: what a file of keys does not tell is found by trying. */
import { InboundSa, type OpenResult } from "../../harness/esp/inbound.ts";
import { SubspaceInboundSa } from "../../harness/esp/subspaces.ts";
import { readU32 } from "../../harness/wire/bytes.ts";
import type { EspKeySet } from "./transforms.ts";

const TWO_31 = 2 ** 31;
const TWO_32 = 2 ** 32;
/** High halves that are tried on the first packet of an SA with ESN: a capture may begin when it is old. */
const FIRST_HIGHS = Array.from({ length: 16 }, (_, high) => high);
const ONLY_ZERO = [0];
/** Packets of an SA that are tried with all of these; the keys are of another SA if none opens. */
const MOST_FIRST = 8;

/** An SA with one reading of its header. */
export interface Reading {
  keys: EspKeySet;
  /** Opens a packet from SPI to ICV. A plaintext in the result says that the ICV was good. */
  open(packet: Uint8Array): OpenResult;
}

/** The readings of an SA, the likeliest first. */
export function readingsOf(keys: EspKeySet): Reading[] {
  const esns = keys.keys.esn === undefined ? [false, true] : [keys.keys.esn];
  const numbered = esns.map((esn) => new NumberedReading(keys, esn));
  // Without an ICV to tell, the first reading fits always.
  return keys.checked ? [...numbered, subspaceReading(keys)] : numbered;
}

const options = ({ keys, transforms, checked }: EspKeySet, esn: boolean) => ({
  spi: keys.spi,
  transforms,
  keys: { encr: keys.encrKey, integ: keys.integKey },
  esn,
  window: { enabled: false },
  checkPadding: false,
  checkIcv: checked,
});

/** The header of RFC 4303. */
class NumberedReading implements Reading {
  readonly keys: EspKeySet;
  readonly #sa: InboundSa;
  /** The highest number that opened, in halves; not set before the first. */
  #last?: { high: number; low: number };
  #tried = 0;

  constructor(keys: EspKeySet, esn: boolean) {
    this.keys = keys;
    this.#sa = new InboundSa(options(keys, esn));
  }

  open(packet: Uint8Array): OpenResult {
    const low = readU32(packet, 4);
    let result: OpenResult | undefined;
    for (const high of this.#highsOf(low)) {
      // So that the window deduces just this half.
      this.#sa.window.high = high;
      this.#sa.window.low = low;
      result = this.#sa.open(packet);
      if (result.ok || result.plaintext) this.#remember(high, low);
      if (result.ok || result.reason !== "icv") return result;
    }
    return result ?? this.#sa.open(packet);
  }

  /** High halves that a low half can belong to, the likeliest first: what lies nearest to the number before. */
  #highsOf(low: number): readonly number[] {
    const last = this.#last;
    if (!this.#sa.parameters.esn) return ONLY_ZERO;
    if (!last) return this.#tried++ < MOST_FIRST ? FIRST_HIGHS : ONLY_ZERO;
    const step = low - last.low;
    const near = step > TWO_31 ? last.high - 1 : step < -TWO_31 ? last.high + 1 : last.high;
    const other = near === last.high ? near + 1 : last.high;
    return [...new Set([near, other, 0])].filter((high) => high >= 0 && high < TWO_32);
  }

  #remember(high: number, low: number): void {
    const last = this.#last;
    if (!last || high > last.high || (high === last.high && low > last.low)) this.#last = { high, low };
  }
}

/** The header with subspaces; a fresh SA for every packet, for it keeps a window for each subspace. */
const subspaceReading = (keys: EspKeySet): Reading => ({
  keys,
  open: (packet) => new SubspaceInboundSa({ ...options(keys, true), subspaces: 2 ** 16 }).open(packet),
});
