/** Captures of many tests in one file with the keys of all, for tshark takes long to start. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KeyRing, PcapngWriter } from "../../pcaps/decode/index.ts";
import { parseKeysJson } from "../../pcaps/key-files/json.ts";
import type { KeySets } from "../../pcaps/key-files/types.ts";
import { type EspSaKeys, type IkeSaKeys, writeKeyFolder } from "../../pcaps/keys.ts";
import { dissect, openCapture } from "../../pcaps/read/index.ts";
import {
  type CaptureFault,
  type CaptureItem,
  type CapturePacket,
  type Datagram,
  LINKTYPE,
} from "../../pcaps/types.ts";
import { concat, hex } from "../wire/bytes.ts";
import { formatAddress, parseAddress } from "../wire/ip.ts";
import { AddressPool, addressesIn, withAddresses } from "./tshark-addresses.ts";
import { Reader, type Reading } from "./tshark-comparison.ts";

/** A capture with the folder of its keys. */
export interface Source {
  capture: string;
  keys: string;
}

/** A capture, read. */
export interface Loaded {
  source: Source;
  packets: CapturePacket[];
  /** What we make of each packet, by its number. */
  readings: Map<number, Reading[]>;
  /** How many generations of keys came after the one that opened it; 0 is not in here. */
  age: Map<Reading, number>;
  faults: CaptureFault[];
  /** The generations of each SA, the oldest first, by what tshark tells SAs apart. */
  ike: Map<string, IkeSaKeys[]>;
  esp: Map<string, EspSaKeys[]>;
  /** The IKE SAs of the keys, and those on the wire that have none: a test may hear the end of the one before. */
  spis: Set<string>;
  /** The most generations of an SA: so often tshark must run. */
  generations: number;
  hosts: Map<string, Uint8Array>;
  octets: number;
}

/** Reads a capture of raw IP with its `keys.json`. Throws what the file system throws, and where one cannot be read. */
export function load(source: Source): Loaded {
  const keys = keysOf(source);
  const [packets, faults]: [CapturePacket[], CaptureFault[]] = [[], []];
  const readings = new Map<number, Reading[]>();
  const reader = new Reader(ringOf(keys));
  const opened: Opened[] = [];
  for (const item of dissect(copied(openCapture(source.capture), packets))) {
    if (item.kind === "fault") faults.push(item);
    if (item.kind !== "datagram") continue;
    const reading = reader.read(item);
    readings.set(item.packet, [...(readings.get(item.packet) ?? []), reading]);
    if (reading.used) opened.push({ reading, keys: onTheWire(reading.used.keys, item) });
  }
  const ike = grouped(keys.ike, ikeName);
  const esp = grouped(keys.esp, espName);
  for (const { keys } of opened) if ("spi" in keys && !esp.has(espName(keys))) esp.set(espName(keys), [keys]);
  const generations = Math.max(1, ...[...ike.values(), ...esp.values()].map(({ length }) => length));
  const age = agesOf(opened, ike, esp);
  const spis = new Set([...ike.keys(), ...spisIn(readings)]);
  return { source, packets, readings, age, faults, ike, esp, spis, generations, ...extentOf(packets) };
}

function keysOf({ keys }: Source): KeySets {
  const read = parseKeysJson(readFileSync(join(keys, "keys.json"), "utf8"));
  const [fault] = read.faults;
  if (fault) throw new Error(`${keys}: ${fault.reason}`);
  return read;
}

function ringOf({ ike, esp }: KeySets): KeyRing {
  const ring = new KeyRing();
  for (const keys of ike) ring.addIke(keys);
  for (const keys of esp) ring.addEsp(keys);
  return ring;
}

function* copied(items: Iterable<CaptureItem>, packets: CapturePacket[]): Generator<CaptureItem> {
  for (const item of items) {
    if (item.kind === "packet" && item.linkType !== LINKTYPE.raw)
      throw new Error(`packet ${item.number} is not of raw IP`);
    if (item.kind === "packet") packets.push({ ...item, data: Uint8Array.from(item.data) });
    yield item;
  }
}

interface Opened {
  reading: Reading;
  keys: IkeSaKeys | EspSaKeys;
}

/** tshark looks for keys of ESP by addresses; an end may have moved, or an SA be used by others than it was made for. */
const onTheWire = (keys: IkeSaKeys | EspSaKeys, { source, destination }: Datagram): IkeSaKeys | EspSaKeys =>
  "spi" in keys ? { ...keys, source: source.host, destination: destination.host } : keys;

function spisIn(readings: ReadonlyMap<number, Reading[]>): string[] {
  const headers = [...readings.values()].flat().flatMap(({ message }) => message?.header ?? []);
  return headers.filter(({ spiR }) => spiR.some((octet) => octet !== 0)).map(ikeName);
}

const ikeName = ({ spiI, spiR }: Pick<IkeSaKeys, "spiI" | "spiR">): string => `${hex(spiI)} ${hex(spiR)}`;
const espName = ({ source, destination, spi }: EspSaKeys): string => `${source} ${destination} ${spi}`;

function grouped<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}

function agesOf(
  opened: readonly Opened[],
  ike: ReadonlyMap<string, IkeSaKeys[]>,
  esp: ReadonlyMap<string, EspSaKeys[]>,
): Map<Reading, number> {
  const age = new Map<Reading, number>();
  for (const { reading, keys } of opened) {
    const generations = "spi" in keys ? esp.get(espName(keys)) : ike.get(ikeName(keys));
    const secret = secretOf(keys);
    const at = generations?.findLastIndex((other) => secretOf(other) === secret) ?? -1;
    if (generations && at >= 0 && at < generations.length - 1) age.set(reading, generations.length - 1 - at);
  }
  return age;
}

const secretOf = (keys: IkeSaKeys | EspSaKeys): string =>
  ("spi" in keys ? [keys.encrKey, keys.integKey] : [keys.SK_ei, keys.SK_er, keys.SK_ai, keys.SK_ar])
    .map(hex)
    .join();

function extentOf(packets: readonly CapturePacket[]): Pick<Loaded, "hosts" | "octets"> {
  const hosts = new Map<string, Uint8Array>();
  for (const { data } of packets) for (const host of addressesIn(data)) hosts.set(hex(host), host);
  return { hosts, octets: packets.reduce((sum, { data }) => sum + data.length, 0) };
}

/** Octets of packets in one file: tshark needs a minute for them at most. */
const MOST_OCTETS = 8 << 20;

/** Where a frame of the merged file comes from. */
export interface Origin {
  loaded: Loaded;
  /** Number of the packet in its own capture. */
  packet: number;
}

/** The captures of one file. */
export class Merged {
  readonly captures: { loaded: Loaded; hosts: ReadonlyMap<string, Uint8Array> }[] = [];
  readonly origins: Origin[] = [];
  generations = 1;
  readonly #pool = new AddressPool();
  readonly #spis = new Set<string>();
  #octets = 0;

  /** Whether there is room for it, and no IKE SA with the SPIs of one of its own. */
  fits({ hosts, spis, octets }: Loaded): boolean {
    const crowded = this.#octets + octets > MOST_OCTETS || hosts.size > this.#pool.left;
    return this.captures.length === 0 || !(crowded || [...spis].some((name) => this.#spis.has(name)));
  }

  add(loaded: Loaded): void {
    const hosts = new Map([...loaded.hosts].map(([name, host]) => [name, this.#pool.next(host)]));
    this.captures.push({ loaded, hosts });
    this.generations = Math.max(this.generations, loaded.generations);
    for (const name of loaded.spis) this.#spis.add(name);
    this.#octets += loaded.octets;
    for (const { number } of loaded.packets) this.origins.push({ loaded, packet: number });
  }

  /** The file for tshark. */
  write(path: string): void {
    const writer = new PcapngWriter();
    const blocks = this.captures.flatMap(({ loaded, hosts }) =>
      loaded.packets.map((packet) =>
        writer.packet({ ...packet, data: withAddresses(packet.data, hosts), comment: "" }),
      ),
    );
    writeFileSync(path, concat(writer.start(""), ...blocks));
  }

  /** A profile with the keys after which so many others came; 0: with the last of each SA. */
  writeKeys(folder: string, age: number): void {
    const ike = this.captures.flatMap(({ loaded }) => ofAge(loaded.ike, age));
    const esp = this.captures.flatMap(({ loaded, hosts }) =>
      ofAge(loaded.esp, age).map((keys) => ({
        ...keys,
        source: moved(keys.source, hosts),
        destination: moved(keys.destination, hosts),
      })),
    );
    writeKeyFolder(folder, { ike, esp });
  }
}

const ofAge = <T>(generations: ReadonlyMap<string, T[]>, age: number): T[] =>
  [...generations.values()].flatMap((keys) => keys.at(-1 - age) ?? []);

function moved(host: string, hosts: ReadonlyMap<string, Uint8Array>): string {
  const other = hosts.get(hex(parseAddress(host) ?? new Uint8Array(0)));
  return other ? formatAddress(other) : host;
}
