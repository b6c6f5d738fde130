/** Classic pcap files: a header of 24 octets, then records. */
import type { CaptureFault, CaptureItem } from "../types.ts";
import type { Format } from "./formats.ts";
import type { Octets } from "./octets.ts";

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** The largest packet any link type has; what tcpdump and Wireshark take as well. */
export const MOST_PACKET = 262_144;
/** The upper bits say whether the packets end in a frame check sequence, which IP does not look at. */
const LINK_TYPE_BITS = 0x03ffffff;

/** Reads to the end, or to the first fault: behind that nothing tells where the next record begins. */
export function* readClassic(
  octets: Octets,
  { little, unitsPerMs }: Extract<Format, { format: "classic" }>,
): Generator<CaptureItem> {
  if (!octets.have(FILE_HEADER)) {
    yield ended(octets, 0, `a file header of pcap has ${FILE_HEADER} octets, the file ${octets.left}`);
    return;
  }
  const version = `${octets.view.getUint16(4, little)}.${octets.view.getUint16(6, little)}`;
  if (version !== "2.4") {
    yield ended(octets, 4, `version ${version} of pcap is not known, only 2.4`);
    return;
  }
  const linkType = octets.view.getUint32(20, little) & LINK_TYPE_BITS;
  octets.from += FILE_HEADER;
  for (let number = 1; octets.have(1); number++) {
    const fault = faultOfRecord(octets, little, number);
    if (fault) {
      yield fault;
      return;
    }
    const { view, from, offset } = octets;
    const length = view.getUint32(from + 8, little);
    const timeMs = view.getUint32(from, little) * 1000 + view.getUint32(from + 4, little) / unitsPerMs;
    const originalLength = view.getUint32(from + 12, little);
    const start = from + RECORD_HEADER;
    octets.from = start + length;
    const data = octets.bytes.subarray(start, start + length);
    yield { kind: "packet", number, offset, timeMs, linkType, data, originalLength };
  }
  if (octets.failure !== undefined) yield ended(octets, 0, octets.failure);
}

/** Brings the whole record into the window. */
function faultOfRecord(octets: Octets, little: boolean, packet: number): CaptureFault | undefined {
  if (!octets.have(RECORD_HEADER))
    return cut(octets, packet, `a record header has ${RECORD_HEADER} octets, ${octets.left} are left`);
  const length = octets.view.getUint32(octets.from + 8, little);
  if (length > MOST_PACKET) {
    const reason = `a packet of ${length} octets; at most ${MOST_PACKET} are taken`;
    return { ...ended(octets, 8, reason), packet };
  }
  if (octets.have(RECORD_HEADER + length)) return undefined;
  return cut(octets, packet, `a packet of ${length} octets, ${octets.left - RECORD_HEADER} are left`);
}

/** The file ends too early, or cannot be read any further. */
function cut(octets: Octets, packet: number, reason: string): CaptureFault {
  return { ...ended(octets, 0, octets.failure ?? `the file is cut: ${reason}`), packet };
}

/** A fault so many octets behind the next one, and the end of what can be read. */
export function ended(octets: Octets, behind: number, reason: string): CaptureFault {
  return { kind: "fault", offset: octets.offset + behind, reason, end: true };
}
