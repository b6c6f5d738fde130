/** What both ends said in a case, opened with all keys of it: the octets as they travelled, not as we meant them. */

import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Datagram } from "../../harness/link/types.ts";
import type { Seen, SeenIke } from "../../harness/lint/seen.ts";
import { espSaKeys, ikeSaKeys } from "../../harness/run/evidence.ts";
import type { TraceEntry } from "../../harness/script/trace.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { FLAG, type Payload } from "../../harness/wire/types.ts";
import { Decoder, KeyRing } from "../../pcaps/decode/index.ts";
import { partOf } from "../../pcaps/decode/part.ts";

/** An IKE message of either end. */
export interface Said {
  /** Of its last datagram among the entries, from 0. */
  index: number;
  ours: boolean;
  seen: SeenIke;
  isResponse: boolean;
  exchangeType: number;
  messageId: number;
  /** SPIs in hex: `spiI:spiR`. */
  sa: string;
  /** True if it came in SK or SKF and could be opened: it is from the other end of the key exchange. */
  opened: boolean;
  /** What it carries: inside of SK where that was opened, else in clear. */
  payloads: readonly Payload[];
}

export interface Heard {
  all: readonly { index: number; ours: boolean; seen: Seen }[];
  ike: readonly Said[];
}

export const saKey = ({ spiI, spiR }: { spiI: Uint8Array; spiR: Uint8Array }): string =>
  `${hex(spiI)}:${hex(spiR)}`;

/** Whether AUTH had its place in this IKE SA: those made by rekeying, which forget whom they replaced, inherit it. */
export const isFirst = ({ initRequest }: IkeSa): boolean => initRequest.length > 0;

const SPI = 8;
const IKE_HEADER = 28;
const MOST_REPEATS = 16_384;

/** The initiator's SPIs of our messages, as they travelled. */
const spisOf = (entries: readonly TraceEntry[]): Set<string> =>
  new Set(
    entries.flatMap(({ event }) =>
      event.type === "sent" ? event.datagrams.map((octets) => hex(octets.subarray(0, SPI))) : [],
    ),
  );

/** Of a stranger that asks whether the peer lives: an IKE_SA_INIT that is none of the conversation's. */
function isProbe(datagram: Datagram, spis: ReadonlySet<string>): boolean {
  const { kind, data } = partOf(datagram);
  if (kind !== "ike" || data.length < IKE_HEADER || data[18] !== EXCHANGE.IKE_SA_INIT) return false;
  return !spis.has(hex(data.subarray(0, SPI)));
}

/** Whether it begins something; a peer that does so has an SPI of its own. */
const isRequest = ({ data }: Datagram): boolean => ((data[19] ?? 0) & FLAG.response) === 0;

/** Decodes the datagrams of a case; those that ask whether the peer lives are left out. */
export function heardIn(entries: readonly TraceEntry[]): Heard {
  const spis = spisOf(entries);
  // Room to remember all of them: the tables for as many as a capture may have cost more than all else here.
  const decoder = new Decoder(ringOf(entries), { repeats: Math.min(2 * entries.length, MOST_REPEATS) });
  const all: { index: number; ours: boolean; seen: Seen }[] = [];
  for (const [index, { at, event }] of entries.entries()) {
    if (event.type !== "datagram-sent" && event.type !== "datagram-received") continue;
    const ours = event.type === "datagram-sent";
    if ((ours || !isRequest(event.datagram)) && isProbe(event.datagram, spis)) continue;
    const { protocol, source, destination, data } = event.datagram;
    const datagram = { packet: index + 1, offset: 0, timeMs: at, protocol, source, destination, data };
    for (const seen of decoder.datagram({ kind: "datagram", ...datagram })) all.push({ index, ours, seen });
  }
  const ike: Said[] = [];
  for (const { seen, index, ours } of all) if (seen.kind === "ike") ike.push(saidOf(seen, index, ours));
  return { all, ike };
}

function saidOf(seen: SeenIke, index: number, ours: boolean): Said {
  const { header, payloads } = seen.message;
  const opened = seen.opening === "opened" && seen.inner !== undefined;
  return {
    index,
    ours,
    seen,
    opened,
    sa: saKey(header),
    isResponse: (header.flags & FLAG.response) !== 0,
    exchangeType: header.exchangeType,
    messageId: header.messageId,
    payloads: (opened ? seen.inner?.payloads : payloads) ?? [],
  };
}

/** The keys of all SAs of the conversation. */
function ringOf(entries: readonly TraceEntry[]): KeyRing {
  const ring = new KeyRing();
  for (const { event } of entries) {
    if (event.type === "keys")
      for (const keys of [...event.sa.earlierKeys, event.sa.keys])
        for (const set of ikeSaKeys(event.sa, keys)) ring.addIke(set);
    if (event.type === "child-established") for (const set of espSaKeys(event.child)) ring.addEsp(set);
  }
  return ring;
}
