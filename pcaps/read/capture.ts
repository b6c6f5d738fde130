/**
 * Reads capture files: classic pcap and pcapng, in either byte order. Nothing in a file is believed: a damaged one
 * yields what stands before the damage, and says where that is. Memory does not grow with the file.
 */
import { plain } from "../../harness/wire/bytes.ts";
import type { CaptureItem } from "../types.ts";
import { ended, readClassic } from "./classic.ts";
import { formatOf } from "./formats.ts";
import { Octets, openOctets } from "./octets.ts";
import { readPcapng } from "./pcapng.ts";

/**
 * The items of a file as they stand in it; `-` is standard input, and a pipe is read as well. What is yielded is good
 * until the next item. A file that cannot be read is a fault at its offset.
 */
export function* openCapture(path: string): Generator<CaptureItem, void, undefined> {
  const opened = openOctets(path);
  if ("failure" in opened) {
    yield { kind: "fault", offset: 0, reason: opened.failure, end: true };
    return;
  }
  try {
    yield* readCapture(opened.octets);
  } finally {
    opened.close();
  }
}

/** The same of a file in memory; data are views of `bytes`. */
export function parseCapture(bytes: Uint8Array): Generator<CaptureItem, void, undefined> {
  return readCapture(new Octets(plain(bytes)));
}

function* readCapture(octets: Octets): Generator<CaptureItem, void, undefined> {
  octets.have(8);
  const format = formatOf(octets.bytes.subarray(octets.from, octets.end));
  if (octets.failure !== undefined) yield ended(octets, 0, octets.failure);
  else if (format.format === "classic") yield* readClassic(octets, format);
  else if (format.format === "pcapng") yield* readPcapng(octets);
  else yield ended(octets, 0, format.reason);
}
