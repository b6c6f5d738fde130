/** What `ipsec whack --showstates` and `ip -s xfrm state` print, as values. */
import type { PeerStatus } from "../contract.ts";
import { parseXfrmPackets } from "../runtime/guest-network.ts";

type IkeSa = PeerStatus["ikeSas"][number];
type ChildSa = PeerStatus["childSas"][number];

/** Number and state of every SA, such as `{ serial: 2, state: "ESTABLISHED_CHILD_SA" }`, in order. */
export function parseStates(text: string): { serial: number; state: string }[] {
  return [...text.matchAll(/^#(\d+): "[^"]*".*? ([A-Z][A-Z0-9_]+) \(/gm)].map((match) => ({
    serial: Number(match[1]),
    state: match[2]!,
  }));
}

/**
 * SAs of pluto joined with the kernel's counters. pluto does not tell the SPIs of an IKE SA: they are empty.
 * A Child SA is there as soon as it has SPIs.
 */
export function parseSas(showStates: string, xfrm: string): { ikeSas: IkeSa[]; childSas: ChildSa[] } {
  const packets = parseXfrmPackets(xfrm);
  const states = parseStates(showStates);
  const ikeSas = states
    .filter(({ state }) => state === "ESTABLISHED_IKE_SA")
    .map(({ state }) => ({ spiI: "", spiR: "", state }));
  const childSas: ChildSa[] = [];
  for (const match of showStates.matchAll(/^#(\d+): .*? esp\.([0-9a-f]+)@\S+ esp\.([0-9a-f]+)@/gm)) {
    const spiOut = match[2]!.padStart(8, "0");
    const spiIn = match[3]!.padStart(8, "0");
    const state = states.find(({ serial }) => serial === Number(match[1]))?.state ?? "unknown";
    const child: ChildSa = { spiIn, spiOut, state };
    const packetsIn = packets.get(spiIn);
    const packetsOut = packets.get(spiOut);
    if (packetsIn !== undefined) child.packetsIn = packetsIn;
    if (packetsOut !== undefined) child.packetsOut = packetsOut;
    childSas.push(child);
  }
  return { ikeSas, childSas };
}
