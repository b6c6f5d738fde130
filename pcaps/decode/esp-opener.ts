/** Opens ESP packets that were seen: without a replay window, for a capture may begin anywhere and repeat itself. */
import type { OpenResult } from "../../harness/esp/inbound.ts";
import type { SeenEsp } from "../../harness/lint/seen.ts";
import { EMPTY, readU32 } from "../../harness/wire/bytes.ts";
import { isEspError, splitEspPlaintext } from "../../harness/wire/esp.ts";
import { type Reading, readingsOf } from "./esp-readings.ts";
import type { KeyRing } from "./key-ring.ts";
import type { EspKeySet } from "./transforms.ts";

export type EspOpened =
  | { opening: "opened"; content: NonNullable<SeenEsp["content"]>; keys: EspKeySet }
  | { opening: "no-keys" | "icv" | "damaged" };

export class EspOpener {
  readonly #ring: KeyRing;
  /** Bounded by the ring. The reading that opened last stands first. */
  readonly #readings = new Map<number, { sets: number; readings: Reading[] }>();

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** Opens a packet from SPI to ICV, of at least 8 octets. Never throws. */
  open(packet: Uint8Array): EspOpened {
    const readings = this.#readingsOf(readU32(packet, 0));
    let opening: "no-keys" | "icv" | "damaged" = "no-keys";
    for (let index = 0; index < readings.length; index++) {
      const reading = readings[index]!;
      const result = reading.open(packet);
      if (result.ok || result.plaintext) {
        if (index > 0) readings.unshift(...readings.splice(index, 1));
        const content = contentOf(result);
        return content ? { opening: "opened", content, keys: reading.keys } : { opening: "damaged" };
      }
      // The reading that is likeliest tells.
      if (index === 0) opening = result.reason === "icv" ? "icv" : "damaged";
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

/** What stands in the packet, TFC padding included; undefined if the padding is longer than that. */
function contentOf(result: OpenResult): SeenEsp["content"] {
  if (result.ok) {
    const { payload, padding, nextHeader, tfcLength } = result;
    const whole = new Uint8Array(payload.buffer, payload.byteOffset, payload.length + tfcLength);
    return { nextHeader, payload: whole, padding };
  }
  const parts = splitEspPlaintext(result.plaintext ?? EMPTY);
  if (isEspError(parts)) return undefined;
  return { nextHeader: parts.nextHeader, payload: parts.payload, padding: parts.padding };
}
