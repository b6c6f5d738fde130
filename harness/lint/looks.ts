/** Whether octets that came where IKE is expected are IKE: ESP with an SPI of 0 in UDP looks so (RFC 3948 section 2.1). */
import { readU32 } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG } from "../wire/types.ts";
import { addMarker } from "../wire/udp.ts";
import type { SeenEsp, SeenIke } from "./seen.ts";

const FLAGS = FLAG.initiator | FLAG.version | FLAG.response;
const TYPES: ReadonlySet<number> = new Set(Object.values(EXCHANGE));
const FIRST_PRIVATE_TYPE = 240;
const VERSION = 0x20;

/** One field of the header may be wrong in a message of IKE; where two are, it is none, or nobody can tell whose fault it is. */
export function looksLikeIke({ message: { header } }: SeenIke): boolean {
  const oddities = [
    header.version !== VERSION,
    header.length !== undefined,
    (header.flags & ~FLAGS) !== 0,
    !TYPES.has(header.exchangeType) && header.exchangeType < FIRST_PRIVATE_TYPE,
  ];
  return oddities.filter((odd) => odd).length < 2;
}

/** Numbers of packets soon after an SA began; those of a random initiator's SPI are beyond them but once in 65,536 times. */
const LOW_NUMBER = 65_536;

/** The ESP packet with SPI 0 that it is, behind the marker that is its SPI; undefined where that is not sure. */
export function espOfSpiZero(seen: SeenIke): SeenEsp | undefined {
  const { octets, source, destination, packets, timeMs, repeats, transport } = seen;
  const sequence = octets.length < 4 ? 0 : readU32(octets, 0);
  const isEncapsulated = transport === "udp" && (source.port === 4500 || destination.port === 4500);
  if (!isEncapsulated || looksLikeIke(seen) || sequence === 0 || sequence >= LOW_NUMBER) return undefined;
  return {
    ...{ packets, timeMs, source, destination, ...(repeats !== undefined && { repeats }) },
    ...{ kind: "esp", transport, octets: addMarker(octets), spi: 0, sequence, opening: "no-keys" },
  };
}
