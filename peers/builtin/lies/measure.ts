/** Lies of a peer that has no measure for what it takes in. */
import { decodeMessage, isFrameError } from "../../../harness/wire/index.ts";
import { demultiplex } from "../../../harness/wire/udp.ts";
import { type Lie, lie } from "./lie.ts";

/** Octets of a datagram that none of the ordinary exchanges comes near. */
const LONG = 15_000;
const MANY_FRAGMENTS = 1_000;
const MOST_OCTETS = 65_536;

/** The total that a fragment names, and the octets of it; with the non-ESP marker in front or without. */
function fragmentIn(octets: Uint8Array): { total: number; octets: number } | undefined {
  const part = demultiplex(octets);
  const message = decodeMessage(part.kind === "ike" ? part.data : octets);
  const last = isFrameError(message) ? undefined : message.payloads.at(-1);
  return last?.kind === "SKF" ? { total: last.totalFragments, octets: last.data.length } : undefined;
}

export const measureLies: readonly Lie[] = [
  lie("dies-of-long-messages", "IKEV2-294", "ends at a datagram of more than 15,000 octets", () => ({
    diesOf: (octets) => octets.length > LONG,
  })),
  lie("dies-of-many-fragments", "IKEFRAG-47", "ends at a fragment of a set of more than 1,000", () => ({
    diesOf: (octets) => (fragmentIn(octets)?.total ?? 0) > MANY_FRAGMENTS,
  })),
  lie("dies-of-much-in-fragments", "IKEFRAG-47", "ends once it has more than 64 KiB of fragments", () => {
    let sum = 0;
    return {
      diesOf: (octets) => {
        sum += fragmentIn(octets)?.octets ?? 0;
        return sum > MOST_OCTETS;
      },
    };
  }),
];
