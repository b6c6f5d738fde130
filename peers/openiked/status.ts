/** What `ikectl show sa` and `ip -s xfrm state` print, as values. */
import type { PeerStatus } from "../contract.ts";
import { parseXfrmPackets } from "../runtime/guest-network.ts";

type IkeSa = PeerStatus["ikeSas"][number];
type ChildSa = PeerStatus["childSas"][number];

/** An IKE SA in any state, with the identity of the other end as `ikectl reset id` takes it. */
export interface ListedIkeSa extends IkeSa {
  remoteId: string;
}

/** One direction of a Child SA. `flags` holds `L` when it is loaded into the kernel. */
interface Half {
  pointer: string;
  spi: string;
  incoming: boolean;
  flags: string;
  other: string;
}

const IKE_SA =
  /^iked_sas: \S+ rspi 0x(?<spiR>[0-9a-f]{16}) ispi 0x(?<spiI>[0-9a-f]{16}) \S+?->\S+?<(?<remoteId>[^>]*)>\[[^\]]*\] (?<state>\S+) /gm;
const HALF =
  /^ {2}sa_childsas: (?<pointer>\S+) ESP 0x(?<spi>[0-9a-f]{8}) (?<direction>in|out) \S+ -> \S+ \((?<flags>[A-Z]*)\) B=\S+ P=(?<other>\S+) @/gm;

/** IKE SAs in any state. */
export function parseIkeSas(showSa: string): ListedIkeSa[] {
  return [...showSa.matchAll(IKE_SA)].map(({ groups = {} }) => ({
    spiI: groups.spiI!,
    spiR: groups.spiR!,
    state: groups.state!,
    remoteId: groups.remoteId!,
  }));
}

function parseHalves(showSa: string): Half[] {
  return [...showSa.matchAll(HALF)].map(({ groups = {} }) => ({
    pointer: groups.pointer!,
    spi: groups.spi!,
    incoming: groups.direction === "in",
    flags: groups.flags!,
    other: groups.other!,
  }));
}

/** Established IKE SAs, and Child SAs of which both directions are in the kernel, joined with the kernel's counters. Oldest first. */
export function parseSas(showSa: string, xfrm: string): { ikeSas: IkeSa[]; childSas: ChildSa[] } {
  const ikeSas = parseIkeSas(showSa)
    .filter(({ state }) => state === "ESTABLISHED")
    .map(({ spiI, spiR, state }) => ({ spiI, spiR, state }));
  const packets = parseXfrmPackets(xfrm);
  const halves = parseHalves(showSa).filter(({ flags }) => flags.includes("L"));
  const childSas = halves.flatMap((incoming): ChildSa[] => {
    const outgoing = halves.find((half) => !half.incoming && half.pointer === incoming.other);
    if (!incoming.incoming || !outgoing) return [];
    const [packetsIn, packetsOut] = [packets.get(incoming.spi), packets.get(outgoing.spi)];
    return [
      {
        ...{ spiIn: incoming.spi, spiOut: outgoing.spi, state: "INSTALLED" },
        ...(packetsIn !== undefined && { packetsIn }),
        ...(packetsOut !== undefined && { packetsOut }),
      },
    ];
  });
  return { ikeSas, childSas };
}
