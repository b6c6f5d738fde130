/** One link, many conversations: every datagram goes to the one that it is for. */
import type { Datagram, Link } from "../../harness/link/types.ts";
import { plain, readU32 } from "../../harness/wire/bytes.ts";
import { demultiplex } from "../../harness/wire/udp.ts";

/** Who takes part; the newest comes first where nothing else decides. */
export interface Party {
  take(datagram: Datagram): void;
  /** Whether an ESP packet with this SPI is its own. */
  hasEsp(spi: number): boolean;
  /** Whether it takes what is nobody's: the requests of a peer that begins, and octets that cannot be told. */
  awaitsPeer(): boolean;
}

/** SPIs of conversations that are over which are known to be stale. */
const MOST_STALE = 4096;
const BOTH_SPIS = 16;

export class Switchboard {
  readonly #link: Link;
  readonly #natPort: number;
  readonly #parties = new Set<Party>();
  /** By either IKE SPI. */
  readonly #bySpi = new Map<string, Party>();
  readonly #spis = new Map<Party, Set<string>>();
  /** SPIs of parties that have left; the oldest first. */
  readonly #stale = new Set<string>();
  /** Datagrams that were nobody's. */
  dropped = 0;

  constructor(link: Link, natPort: number) {
    this.#link = link;
    this.#natPort = natPort;
    link.onReceive((datagram) => this.#take(datagram));
  }

  /** A link for this party alone. */
  join(party: Party): Link {
    this.#parties.add(party);
    this.#spis.set(party, new Set());
    const { join } = this.#link;
    return {
      send: (datagram) => {
        this.#learn(party, datagram);
        this.#link.send(datagram);
      },
      onReceive: () => {},
      ...(join && { join: (group: string) => this.#link.join?.(group) }),
      close: async () => this.leave(party),
    };
  }

  /** What was for one party is for the other from now on. */
  hand(from: Party, to: Party): void {
    for (const spi of this.#spis.get(from) ?? []) this.#own(to, spi);
    this.#spis.get(from)?.clear();
  }

  leave(party: Party): void {
    this.#parties.delete(party);
    for (const spi of this.#spis.get(party) ?? []) {
      if (this.#bySpi.get(spi) === party) this.#bySpi.delete(spi);
      this.#stale.add(spi);
    }
    this.#spis.delete(party);
    for (const spi of this.#stale) {
      if (this.#stale.size <= MOST_STALE) break;
      this.#stale.delete(spi);
    }
  }

  #learn(party: Party, datagram: Datagram): void {
    const octets = ikeOctets(datagram, datagram.source.port === this.#natPort);
    if (octets) for (const at of [0, 8]) this.#own(party, spiAt(octets, at));
  }

  #own(party: Party, spi: string | undefined): void {
    const own = this.#spis.get(party);
    if (spi === undefined || !own) return;
    this.#bySpi.set(spi, party);
    own.add(spi);
  }

  #take(datagram: Datagram): void {
    const party = this.#find(datagram);
    if (party) party.take(datagram);
    else this.dropped++;
  }

  #find(datagram: Datagram): Party | undefined {
    const octets = ikeOctets(datagram, datagram.destination.port === this.#natPort);
    if (octets) {
      const spis = [spiAt(octets, 0), spiAt(octets, 8)].filter((spi) => spi !== undefined);
      for (const spi of spis) {
        const party = this.#bySpi.get(spi);
        if (party) return party;
      }
      // A peer repeats for a while what nobody listens to any more.
      if (spis.some((spi) => this.#stale.has(spi))) return undefined;
      const party = this.#waiting();
      for (const spi of party ? spis : []) if (party) this.#own(party, spi);
      return party;
    }
    const { data } = datagram;
    const spi = data.length >= 4 ? readU32(plain(data), 0) : 0;
    return [...this.#parties].findLast((party) => party.hasEsp(spi)) ?? this.#waiting();
  }

  #waiting(): Party | undefined {
    return [...this.#parties].findLast((party) => party.awaitsPeer());
  }
}

/** IKE octets that are long enough for both SPIs; `marked`: on a port where ESP has no marker in front and IKE has. */
export function ikeOctets({ protocol, data }: Datagram, marked: boolean): Uint8Array | undefined {
  if (protocol === "esp") return undefined;
  const part = marked || protocol === "tcp" ? demultiplex(data) : undefined;
  if (part && part.kind !== "ike") return undefined;
  const octets = part?.data ?? plain(data);
  return octets.length < BOTH_SPIS ? undefined : octets;
}

/** Undefined for an SPI of zero. */
export function spiAt(octets: Uint8Array, at: number): string | undefined {
  const [high, low] = [readU32(octets, at), readU32(octets, at + 4)];
  return high === 0 && low === 0 ? undefined : `${high} ${low}`;
}
