/** Texts of addresses: a capture has few of them, and each a million times. */
import { readU32 } from "../../harness/wire/bytes.ts";
import { formatAddress } from "../../harness/wire/ip.ts";

/** Addresses that are remembered; a sender who forges more makes this forget them all. */
const MOST = 65_536;

export class AddressTexts {
  readonly #v4 = new Map<number, string>();
  readonly #v6 = new Map<string, string>();

  /** Of the 4 or 16 octets at that place. */
  at(bytes: Uint8Array, place: number, size: 4 | 16): string {
    if (size === 4) return remembered(this.#v4, readU32(bytes, place), bytes, place, size);
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + place, size).toString("latin1");
    return remembered(this.#v6, name, bytes, place, size);
  }
}

function remembered<K>(
  texts: Map<K, string>,
  name: K,
  bytes: Uint8Array,
  place: number,
  size: number,
): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  if (texts.size >= MOST) texts.clear();
  const text = formatAddress(bytes.subarray(place, place + size));
  texts.set(name, text);
  return text;
}
