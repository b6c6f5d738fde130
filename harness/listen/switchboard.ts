/** Hands each datagram to the one dial that it belongs to, and bounds what anybody can cost or make us send. */
import type { Address, Datagram, Link } from "../link/types.ts";
import { concat, hex, readU32 } from "../wire/bytes.ts";
import { decodeMessage, IKE_HEADER, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG, type Message } from "../wire/types.ts";
import { demultiplex, NON_ESP_MARKER } from "../wire/udp.ts";
import { Cookies } from "./cookies.ts";
import { Ledger, Rates } from "./ledger.ts";

/** A dial as the switchboard has it. */
export interface Station {
  /** Where its first datagram came from, or went to. */
  readonly remote: Address;
  take(datagram: Datagram): void;
  /** Its answer to IKE_SA_INIT must not be sent before its source is proven: it is of no use any more. */
  unproven(): void;
}

export interface BoardLimits {
  /** Dials at once, of all, and of one host. */
  dials: number;
  dialsOfHost: number;
  /** IKE_SA_INIT requests that may begin a dial, at once and per second, altogether and from one host. */
  inits: { burst: number; perSecond: number };
  initsOfHost: { burst: number; perSecond: number };
  /** So many dials whose source is not proven are a reason to ask for cookies. */
  unproven: number;
}

/** A hackathon may sit behind one address. */
export const ORDINARY_LIMITS: BoardLimits = {
  ...{ dials: 512, dialsOfHost: 128, unproven: 64 },
  inits: { burst: 400, perSecond: 200 },
  initsOfHost: { burst: 120, perSecond: 20 },
};

export interface BoardOptions {
  link: Link;
  /** Our port with the non-ESP marker. */
  natPort: number;
  limits: BoardLimits;
  now(): number;
  /** Which dial under way takes a request that would begin one; not set: none. */
  taker(datagram: Datagram): Station | undefined;
  /** A dial for a new IKE_SA_INIT request; undefined: not now. */
  begin(datagram: Datagram): Station | undefined;
  /** Is told of a fault of ours, which a datagram must not end the listener by. */
  fault(error: unknown): void;
}

/** Keys of dials that are over, whose datagrams are nobody's. */
const MOST_FORGOTTEN = 8_192;
const MOST_OWING = 1_024;

interface Header {
  exchangeType: number;
  isRequest: boolean;
  /** What we are called in it, in hex. */
  ownSpi: string;
  /** The key of the dial that a first request makes. */
  init: string;
  /** It may begin something. */
  isFirst: boolean;
}

export class Switchboard {
  readonly ledger: Ledger;
  /** What was not taken, by reason. */
  readonly dropped = new Map<string, number>();
  readonly #options: BoardOptions;
  readonly #cookies: Cookies;
  readonly #inits: Rates;
  readonly #initsOfHost: Rates;
  readonly #stations = new Set<Station>();
  /** By keys of theirs: `ike SPI`, `esp SPI`, `init SOURCE SPIi`, `from SOURCE`. */
  readonly #byKey = new Map<string, Station>();
  readonly #keysOf = new Map<Station, Set<string>>();
  readonly #forgotten = new Set<string>();
  /** Hosts whose answer was held back: they need a cookie. */
  readonly #owing = new Set<string>();
  /** The request that is being answered. */
  #current?: Datagram;

  constructor(options: BoardOptions) {
    const { now, limits, link } = options;
    this.#options = options;
    this.ledger = new Ledger(now);
    this.#cookies = new Cookies(now);
    this.#inits = new Rates(limits.inits.burst, limits.inits.perSecond, now);
    this.#initsOfHost = new Rates(limits.initsOfHost.burst, limits.initsOfHost.perSecond, now);
    link.onReceive((datagram) => {
      try {
        this.take(datagram);
      } catch (error) {
        options.fault(error);
      }
    });
  }

  /** A datagram from the wire. */
  take(datagram: Datagram): void {
    this.ledger.received(datagram.source.host, datagram.data.length);
    const octets = this.#ikeOctets(datagram);
    const header = octets && headerOf(octets, datagram.source);
    // What is no IKE message may come on a port that its dial chose for itself.
    const station = header ? this.#ofIke(header, datagram) : this.#ofOthers(datagram);
    if (station) return this.#give(station, datagram);
    if (!octets || !header?.isFirst) return this.#drop("of no dial");
    if (this.#forgotten.has(header.init)) return this.#drop("of a dial that is over");
    this.#begin(datagram, octets, header);
  }

  #ikeOctets({ destination, data }: Datagram): Uint8Array | undefined {
    if (destination.port !== this.#options.natPort) return data;
    const part = demultiplex(data);
    return part.kind === "ike" ? part.data : undefined;
  }

  /** Who knows an SPI of ours that went to that host alone got it there. */
  #ofIke({ ownSpi, init, isFirst }: Header, { source }: Datagram): Station | undefined {
    const own = this.#byKey.get(`ike ${ownSpi}`);
    if (own?.remote.host === source.host) {
      this.ledger.prove(source.host);
      // It may go on from another port than it began from.
      this.#enter(own, sourceKey(source), true);
    }
    if (own) return own;
    if (isFirst) return this.#byKey.get(init);
    return this.#forgotten.has(`ike ${ownSpi}`) ? undefined : this.#byKey.get(sourceKey(source));
  }

  #ofOthers({ source, data }: Datagram): Station | undefined {
    const esp = data.length >= 4 ? `esp ${readU32(data, 0)}` : undefined;
    if (esp !== undefined && this.#forgotten.has(esp)) return undefined;
    return (esp === undefined ? undefined : this.#byKey.get(esp)) ?? this.#byKey.get(sourceKey(source));
  }

  #begin(datagram: Datagram, octets: Uint8Array, { init }: Header): void {
    const { taker, begin, limits } = this.#options;
    const { host } = datagram.source;
    const running = taker(datagram);
    if (running) {
      this.#enter(running, init);
      return this.#give(running, datagram);
    }
    if (!this.#initsOfHost.take(host) || !this.#inits.take("")) return this.#drop("too many IKE_SA_INIT");
    if (!this.#provenByCookie(datagram, octets)) return;
    const ofHost = [...this.#stations].filter(({ remote }) => remote.host === host).length;
    if (this.#stations.size >= limits.dials || ofHost >= limits.dialsOfHost)
      return this.#drop("too many dials");
    const station = begin(datagram);
    if (!station) return this.#drop("refused by the owner");
    this.enter(station);
    this.#enter(station, init);
    this.#give(station, datagram);
  }

  /** False where a cookie was asked for instead. */
  #provenByCookie(datagram: Datagram, octets: Uint8Array): boolean {
    const { source } = datagram;
    if (this.ledger.isProven(source.host) || !this.#needsCookie(source.host)) return true;
    const request = decodeMessage(octets);
    if (isFrameError(request)) return false;
    if (this.#cookies.isRight(request, source.host, source.port)) {
      this.ledger.prove(source.host);
      this.#owing.delete(source.host);
      return true;
    }
    this.#challenge(datagram, request);
    return false;
  }

  #needsCookie(host: string): boolean {
    if (this.#owing.has(host)) return true;
    const unproven = [...this.#stations].filter(({ remote }) => !this.ledger.isProven(remote.host)).length;
    return unproven >= this.#options.limits.unproven;
  }

  #challenge({ source, destination }: Datagram, request: Message): void {
    this.#drop("asked for a cookie");
    const octets = this.#cookies.challenge(request, source.host, source.port);
    const marked = destination.port === this.#options.natPort;
    const data = marked ? concat(NON_ESP_MARKER, octets) : octets;
    this.#transmit({ protocol: "udp", source: destination, destination: source, data });
  }

  #give(station: Station, datagram: Datagram): void {
    this.#current = datagram;
    try {
      station.take(datagram);
    } finally {
      this.#current = undefined;
    }
  }

  /** A dial that begins. */
  enter(station: Station): void {
    this.#stations.add(station);
    this.#keysOf.set(station, new Set());
    this.#enter(station, sourceKey(station.remote), true);
  }

  /** What the dial is called from now on: our SPI of an IKE SA, or of an ESP SA. */
  learn(station: Station, kind: "ike" | "esp", spi: Uint8Array): void {
    this.#enter(station, kind === "ike" ? `ike ${hex(spi)}` : `esp ${readU32(spi, 0)}`);
  }

  #enter(station: Station, key: string, instead = false): void {
    const keys = this.#keysOf.get(station);
    if (!keys || (!instead && this.#byKey.has(key))) return;
    keys.add(key);
    this.#byKey.set(key, station);
  }

  /** The dial is over: what still comes for it is dropped. With `again` its first request may begin one. */
  leave(station: Station, again = false): void {
    const keys = this.#keysOf.get(station) ?? [];
    this.#stations.delete(station);
    this.#keysOf.delete(station);
    for (const key of keys) {
      if (this.#byKey.get(key) === station) this.#byKey.delete(key);
      if (key.startsWith("from ") || (again && key.startsWith("init "))) continue;
      this.#forgotten.add(key);
      const oldest = this.#forgotten.values().next().value;
      if (this.#forgotten.size > MOST_FORGOTTEN && oldest !== undefined) this.#forgotten.delete(oldest);
    }
  }

  /** Sends for a dial, if that may be; learns what it calls itself. */
  send(station: Station, datagram: Datagram): void {
    const octets = this.#ikeOctets({ ...datagram, destination: datagram.source });
    const header = octets && sentHeaderOf(octets);
    if (header?.ownSpi) this.#enter(station, `ike ${header.ownSpi}`);
    if (this.#transmit(datagram)) return;
    if (header?.answersInit) this.#holdBack(station, datagram.destination.host);
  }

  /** A greater answer than the request: its sender has to show first that it gets what is sent there. */
  #holdBack(station: Station, host: string): void {
    this.#owing.add(host);
    const oldest = this.#owing.values().next().value;
    if (this.#owing.size > MOST_OWING && oldest !== undefined) this.#owing.delete(oldest);
    const request = this.#current;
    const octets = request && this.#ikeOctets(request);
    const decoded = octets && decodeMessage(octets);
    if (!request || !decoded || isFrameError(decoded)) return;
    this.leave(station, true);
    station.unproven();
    this.#challenge(request, decoded);
  }

  #transmit(datagram: Datagram): boolean {
    if (!this.ledger.maySend(datagram.destination.host, datagram.data.length)) return false;
    this.#options.link.send(datagram);
    return true;
  }

  #drop(reason: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + 1);
  }
}

const sourceKey = ({ host, port }: Address): string => `from ${host} ${port}`;

/** Undefined for what is no IKE message of version 2. */
function headerOf(octets: Uint8Array, source: Address): Header | undefined {
  if (octets.length < IKE_HEADER || (octets[17] ?? 0) >> 4 !== 2) return undefined;
  const [spiI, spiR] = [hex(octets.subarray(0, 8)), hex(octets.subarray(8, 16))];
  const flags = octets[19] ?? 0;
  const exchangeType = octets[18] ?? 0;
  const isRequest = (flags & FLAG.response) === 0;
  const byInitiator = (flags & FLAG.initiator) !== 0;
  return {
    ...{ exchangeType, isRequest, ownSpi: byInitiator ? spiR : spiI },
    init: `init ${source.host} ${source.port} ${spiI}`,
    isFirst: exchangeType === EXCHANGE.IKE_SA_INIT && isRequest && byInitiator && /^0+$/.test(spiR),
  };
}

/** Of a message of ours; `ownSpi` is empty where it has none yet. */
function sentHeaderOf(octets: Uint8Array): { ownSpi: string; answersInit: boolean } | undefined {
  if (octets.length < IKE_HEADER) return undefined;
  const flags = octets[19] ?? 0;
  const spi = (flags & FLAG.initiator) !== 0 ? octets.subarray(0, 8) : octets.subarray(8, 16);
  const isResponse = (flags & FLAG.response) !== 0;
  return {
    ownSpi: spi.some((octet) => octet !== 0) ? hex(spi) : "",
    answersInit: isResponse && octets[18] === EXCHANGE.IKE_SA_INIT,
  };
}
