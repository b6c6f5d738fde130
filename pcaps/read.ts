/**
 * Reads classic pcap files, in either byte order, with micro- or nanoseconds. Nothing in a file is believed: a
 * damaged one yields the packets before the damage and says where it is.
 */
import { readFileSync } from "node:fs";

export interface PcapPacket {
  /** Octets from the start of the file to the packet's record header. */
  offset: number;
  /** Milliseconds since 1970. */
  timeMs: number;
  data: Uint8Array;
  /** Octets the packet had on the wire; more than `data` when it was cut. */
  originalLength: number;
}

export interface PcapError {
  error: "unreadable" | "magic" | "truncated" | "record-length";
  /** Octets from the start of the file. */
  offset: number;
  reason: string;
}

export interface Pcap {
  /** Undefined when the file header could not be read. */
  linkType?: number;
  packets: PcapPacket[];
  /** Set when reading ended before the end of the file. */
  error?: PcapError;
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** The largest record any link type needs; what Wireshark takes as well. */
const MAX_RECORD = 262_144;

const MAGIC = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);

export function parsePcap(bytes: Uint8Array): Pcap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FILE_HEADER) {
    return {
      packets: [],
      error: truncated(0, `a file header has ${FILE_HEADER} octets, the file ${bytes.length}`),
    };
  }
  const little = MAGIC.has(view.getUint32(0, true));
  const perMs = MAGIC.get(view.getUint32(0, little));
  if (perMs === undefined) {
    const found = view.getUint32(0).toString(16).padStart(8, "0");
    return {
      packets: [],
      error: { error: "magic", offset: 0, reason: `no classic pcap file: it begins with ${found}` },
    };
  }
  const pcap: Pcap = { linkType: view.getUint32(20, little) & 0x0fffffff, packets: [] };
  for (let offset = FILE_HEADER; offset < bytes.length; ) {
    const packet = readRecord(view, offset, little, perMs);
    if ("error" in packet) return { ...pcap, error: packet };
    pcap.packets.push(packet);
    offset += RECORD_HEADER + packet.data.length;
  }
  return pcap;
}

function readRecord(view: DataView, offset: number, little: boolean, perMs: number): PcapPacket | PcapError {
  const left = view.byteLength - offset;
  if (left < RECORD_HEADER) {
    return truncated(offset, `a record header has ${RECORD_HEADER} octets, ${left} are left`);
  }
  const field = (at: number) => view.getUint32(offset + at, little);
  const length = field(8);
  if (length > MAX_RECORD) {
    return {
      error: "record-length",
      offset: offset + 8,
      reason: `a record of ${length} octets; at most ${MAX_RECORD} are taken`,
    };
  }
  if (length > left - RECORD_HEADER) {
    return truncated(
      offset + RECORD_HEADER,
      `a record of ${length} octets, ${left - RECORD_HEADER} are left`,
    );
  }
  const start = view.byteOffset + offset + RECORD_HEADER;
  const data = new Uint8Array(view.buffer, start, length);
  return { offset, timeMs: field(0) * 1000 + field(4) / perMs, data, originalLength: field(12) };
}

function truncated(offset: number, reason: string): PcapError {
  return { error: "truncated", offset, reason };
}

/** Reads a file; one that cannot be read is an error like any other. */
export function readPcap(path: string): Pcap {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { packets: [], error: { error: "unreadable", offset: 0, reason } };
  }
  return parsePcap(bytes);
}
