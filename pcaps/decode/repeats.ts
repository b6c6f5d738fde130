/** Remembers what was seen lately, to tell that the same octets went the same way before. */
import { hash } from "node:crypto";
import type { End } from "../../harness/lint/seen.ts";
import { Lru } from "./lru.ts";

/** Datagrams that are remembered. */
const MOST = 16_384;

export class Repeats {
  readonly #seen: Lru<string, number>;

  constructor(most = MOST) {
    this.#seen = new Lru(most);
  }

  /** The number of the packet that first brought these octets this way; undefined if this one is the first. */
  before(octets: Uint8Array, source: End, destination: End, packet: number): number | undefined {
    const ends = `${source.host} ${source.port} ${destination.host} ${destination.port} `;
    const name = ends + hash("sha1", octets, "binary");
    const first = this.#seen.get(name);
    if (first === undefined) this.#seen.set(name, packet);
    return first;
  }
}
