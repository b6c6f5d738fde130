/** What files of keys hold. */
import type { EspSaKeys, IkeSaKeys } from "../keys.ts";

/** Keys as read; several generations of an IKE SA stand with the oldest first. */
export interface KeySets {
  ike: IkeSaKeys[];
  esp: EspSaKeys[];
}

/** Keys of an IKE SA out of a file that does not tell its SPIs. */
export type UnboundKeys = Omit<IkeSaKeys, "spiI" | "spiR">;

/** What is wrong with a file of keys, or with a line of it. The reason never shows a key. */
export interface KeyFault {
  kind: "key-fault";
  /** As given, or the name of what holds the keys. */
  path: string;
  /** Counted from 1; not set for what concerns the whole file. */
  line?: number;
  reason: string;
  /** Set where nothing of the file was used: unreadable, too large, or of no kind we know. */
  fatal?: true;
}

/** What a reader of one kind of file gives. */
export interface KeysRead extends KeySets {
  /**
   * Keys of IKE SAs whose SPIs the file does not tell, in the order they came about. The transforms are not told either:
   * those that fit the lengths of the keys, the likeliest first.
   */
  unbound?: UnboundKeys[][];
  /** Without a path. */
  faults: LineFault[];
  /** Lines and entries that were left out beside those of which `faults` tell. */
  more?: number;
}

export type LineFault = Pick<KeyFault, "line" | "reason">;

/** No file of keys is larger; a log can be. */
export const MOST_OCTETS = 64 * 1024 * 1024;
/** Key sets of either kind that are taken. */
export const MOST_SETS = 32_768;
/** Faults that are told of a file; the last says how many more there are. */
export const MOST_FAULTS = 100;

/** What a reader gathers of a file; a hostile one has millions of lines, of which the first count and the rest is counted. */
export class Gathered implements KeysRead {
  readonly ike: IkeSaKeys[] = [];
  readonly esp: EspSaKeys[] = [];
  readonly unbound: UnboundKeys[][] = [];
  readonly faults: LineFault[] = [];
  more = 0;

  addIke(keys: IkeSaKeys): void {
    this.#add(this.ike, keys, MOST_SETS);
  }

  addEsp(keys: EspSaKeys): void {
    this.#add(this.esp, keys, MOST_SETS);
  }

  addUnbound(candidates: UnboundKeys[]): void {
    this.#add(this.unbound, candidates, MOST_SETS);
  }

  addFault(fault: LineFault): void {
    this.#add(this.faults, fault, MOST_FAULTS);
  }

  #add<T>(to: T[], item: T, most: number): void {
    if (to.length < most) to.push(item);
    else this.more++;
  }
}

/** Octets of hex digits, with or without `0x`; undefined for any other text. */
export function octetsOf(text: string): Uint8Array | undefined {
  const digits = /^(?:0x)?([0-9a-f]*)$/i.exec(text)?.[1];
  if (digits === undefined || digits.length % 2 !== 0) return undefined;
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** The lines of a text with their numbers, counted from 1, one at a time: logs are long. */
export function* linesOf(text: string): Generator<[number: number, line: string]> {
  for (let number = 1, at = 0; at <= text.length; number++) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    yield [number, text.slice(at, text[end - 1] === "\r" ? end - 1 : end)];
    at = end + 1;
  }
}
