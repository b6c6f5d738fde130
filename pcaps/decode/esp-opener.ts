/** Opens ESP packets that were seen: without a replay window, for a capture may begin anywhere and repeat itself. */
import { InboundSa, type OpenResult } from "../../harness/esp/inbound.ts";
import type { SeenEsp } from "../../harness/lint/seen.ts";
import { readU32 } from "../../harness/wire/bytes.ts";
import { isEspError, splitEspPlaintext } from "../../harness/wire/esp.ts";
import type { KeyRing } from "./key-ring.ts";
import type { EspKeySet } from "./transforms.ts";

const TWO_31 = 2 ** 31;
const TWO_32 = 2 ** 32;
/** High halves that are tried on the first packet of an SA with ESN: a capture may begin when it is old. */
const FIRST_HIGHS = Array.from({ length: 16 }, (_, high) => high);
const ONLY_ZERO = [0];
/** Packets of an SA that are tried with all of these; the keys are of another SA if none opens. */
const MOST_FIRST = 8;

export type EspOpened =
  | { opening: "opened"; content: NonNullable<SeenEsp["content"]>; keys: EspKeySet }
  | { opening: "no-keys" | "icv" | "damaged" };

/** An SA with one reading of its sequence numbers. */
interface Reading {
  keys: EspKeySet;
  sa: InboundSa;
  /** The highest number that opened, in halves; not set before the first. */
  last?: { high: number; low: number };
  /** Packets tried before the first that opened. */
  tried: number;
}

export class EspOpener {
  readonly #ring: KeyRing;
  /** Bounded by the ring. The reading that opened last stands first. */
  readonly #readings = new Map<number, { sets: number; readings: Reading[] }>();

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** Opens a packet from SPI to ICV, of at least 8 octets. Never throws. */
  open(packet: Uint8Array): EspOpened {
    const spi = readU32(packet, 0);
    const readings = this.#readingsOf(spi);
    let opening: "no-keys" | "icv" | "damaged" = "no-keys";
    for (const [index, reading] of readings.entries()) {
      const opened = openWith(reading, packet);
      if (opened.opening === "opened") {
        if (index > 0) readings.unshift(...readings.splice(index, 1));
        return opened;
      }
      if (opening !== "damaged") ({ opening } = opened);
    }
    return { opening };
  }

  /** Keys may be added while a capture is read. */
  #readingsOf(spi: number): Reading[] {
    const sets = this.#ring.espOf(spi);
    const known = this.#readings.get(spi);
    if (sets.length === (known?.sets ?? 0)) return known?.readings ?? [];
    const readings = [...(known?.readings ?? []), ...sets.slice(known?.sets).flatMap(readingsOf)];
    this.#readings.set(spi, { sets: sets.length, readings });
    return readings;
  }
}

/** Where nothing tells whether an SA has ESN, both are tried. */
function readingsOf(keys: EspKeySet): Reading[] {
  const esns = keys.keys.esn === undefined ? [false, true] : [keys.keys.esn];
  return esns.map((esn) => ({ keys, sa: receiver(keys, esn), tried: 0 }));
}

const receiver = ({ keys, transforms, checked }: EspKeySet, esn: boolean): InboundSa =>
  new InboundSa({
    spi: keys.spi,
    transforms,
    keys: { encr: keys.encrKey, integ: keys.integKey },
    esn,
    window: { enabled: false },
    checkPadding: false,
    checkIcv: checked,
  });

function openWith(reading: Reading, packet: Uint8Array): EspOpened {
  const low = readU32(packet, 4);
  let result: OpenResult | undefined;
  for (const high of highsOf(reading, low)) {
    // So that the window deduces just this half.
    reading.sa.window.high = high;
    reading.sa.window.low = low;
    result = reading.sa.open(packet);
    if (result.ok || result.plaintext) {
      remember(reading, high, low);
      break;
    }
    if (result.reason !== "icv") break;
  }
  if (!result) return { opening: "icv" };
  if (!result.ok && !result.plaintext) return { opening: result.reason === "icv" ? "icv" : "damaged" };
  const content = contentOf(result);
  return content ? { opening: "opened", content, keys: reading.keys } : { opening: "damaged" };
}

/** High halves that a low half can belong to, the likeliest first: what lies nearest to the number before. */
function highsOf(reading: Reading, low: number): readonly number[] {
  const { sa, last } = reading;
  if (!sa.parameters.esn) return ONLY_ZERO;
  if (!last) return reading.tried++ < MOST_FIRST ? FIRST_HIGHS : ONLY_ZERO;
  const step = low - last.low;
  const near = step > TWO_31 ? last.high - 1 : step < -TWO_31 ? last.high + 1 : last.high;
  const other = near === last.high ? near + 1 : last.high;
  return [...new Set([near, other, 0])].filter((high) => high >= 0 && high < TWO_32);
}

function remember(reading: Reading, high: number, low: number): void {
  const { last } = reading;
  if (!last || high > last.high || (high === last.high && low > last.low)) reading.last = { high, low };
}

/** What stands in the packet, TFC padding included; undefined if the padding is longer than that. */
function contentOf(result: OpenResult): SeenEsp["content"] {
  if (result.ok) {
    const { payload, padding, nextHeader, tfcLength } = result;
    const whole = new Uint8Array(payload.buffer, payload.byteOffset, payload.length + tfcLength);
    return { nextHeader, payload: whole, padding };
  }
  const parts = splitEspPlaintext(result.plaintext ?? new Uint8Array(0));
  if (isEspError(parts)) return undefined;
  return { nextHeader: parts.nextHeader, payload: parts.payload, padding: parts.padding };
}
