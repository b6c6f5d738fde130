/** Tells the formats of files apart by how they begin. */
import { hex } from "../../harness/wire/bytes.ts";

export const SECTION_HEADER = 0x0a0d0d0a;

/** How a file is read, or in words what it is that is not read here. */
export type Format =
  | { format: "classic"; little: boolean; unitsPerMs: number }
  | { format: "pcapng" }
  | { format: "other"; reason: string };

/** Of classic pcap, read as big endian. */
const CLASSIC = new Map<number, Format>([
  [0xa1b2c3d4, { format: "classic", little: false, unitsPerMs: 1e3 }],
  [0xd4c3b2a1, { format: "classic", little: true, unitsPerMs: 1e3 }],
  [0xa1b23c4d, { format: "classic", little: false, unitsPerMs: 1e6 }],
  [0x4d3cb2a1, { format: "classic", little: true, unitsPerMs: 1e6 }],
]);

const COMPRESSED = "is compressed; decompress it first";
const CONVERT = "; editcap -F pcapng converts it";

/** How other files begin, in hex. */
const OTHERS: readonly (readonly [begin: string, what: string])[] = [
  ["1f8b", `gzip: the file ${COMPRESSED}`],
  ["28b52ffd", `zstd: the file ${COMPRESSED}`],
  ["04224d18", `lz4: the file ${COMPRESSED}`],
  ["fd377a585a", `xz: the file ${COMPRESSED}`],
  ["425a68", `bzip2: the file ${COMPRESSED}`],
  ["504b0304", "a ZIP archive; unpack it first"],
  ["a1b2cd34", `pcap as modified by a patch of libpcap, with longer records${CONVERT}`],
  ["34cdb2a1", `pcap as modified by a patch of libpcap, with longer records${CONVERT}`],
  ["a1b234cd", `pcap as modified at Navtel${CONVERT}`],
  ["cd34b2a1", `pcap as modified at Navtel${CONVERT}`],
  ["a1e2cb12", `pcap as modified by AIX or a later patch${CONVERT}`],
  ["12cbe2a1", `pcap as modified by AIX or a later patch${CONVERT}`],
  ["1c0001ac", `pcap as written by IXIA hardware${CONVERT}`],
  ["ac01001c", `pcap as written by IXIA hardware${CONVERT}`],
  ["1c0001ab", `pcap as written by IXIA software${CONVERT}`],
  ["ab01001c", `pcap as written by IXIA software${CONVERT}`],
  ["736e6f6f7000", `snoop${CONVERT}`],
  ["6274736e6f6f7000", "btsnoop, which has Bluetooth inside"],
  ["52545353", `Microsoft Network Monitor 1${CONVERT}`],
  ["474d4255", `Microsoft Network Monitor 2${CONVERT}`],
  ["0d0a0d0d", "pcapng, damaged by a transfer as text"],
  ["0a0d0a", "pcapng, damaged by a transfer as text"],
];

/** `head`: the first octets of the file, 8 if it has them. */
export function formatOf(head: Uint8Array): Format {
  if (head.length === 0) return { format: "other", reason: "the file is empty" };
  const begin = hex(head.subarray(0, 8));
  const magic = Number.parseInt(begin.slice(0, 8), 16);
  if (head.length >= 4 && magic === SECTION_HEADER) return { format: "pcapng" };
  const classic = head.length >= 4 ? CLASSIC.get(magic) : undefined;
  if (classic) return classic;
  const other = OTHERS.find(([start]) => begin.startsWith(start));
  if (other) return { format: "other", reason: `no capture that is read here, but ${other[1]}` };
  if (head.length < 4)
    return { format: "other", reason: `the file has ${head.length} octets, too few for any capture` };
  return { format: "other", reason: `neither pcap nor pcapng: the file begins with ${begin.slice(0, 8)}` };
}
