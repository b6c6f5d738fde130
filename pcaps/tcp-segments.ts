/** Frames of a TCP connection (RFC 9329) as the segments they could have travelled in: our sockets never show them. */
import { concat } from "../harness/wire/bytes.ts";
import { buildTcpPacket, type IpFields } from "../harness/wire/ip.ts";
import { encodeFrame, isTooLong, STREAM_PREFIX } from "../harness/wire/tcp-encap.ts";
import type { Captured } from "./types.ts";

type Addresses = Pick<IpFields, "source" | "destination">;

/** Octets of stream in one IP packet. */
const MOST_IN_SEGMENT = 0xffff - 60;
const [ACK, PSH] = [0x10, 0x08];

/** The next sequence numbers of both ends, by `host port`. */
type Stream = Map<string, number>;

/** Makes the segments of all connections of a capture, in the order of the datagrams. */
export class TcpSegments {
  readonly #streams = new Map<string, Stream>();

  /** The IP packets of one frame. Who sends first on a connection is its originator, whose stream has the prefix. */
  packets(captured: Captured, addresses: Addresses): Uint8Array[] {
    const { source, destination } = captured;
    const [from, to] = [nameOf(source), nameOf(destination)];
    const name = [from, to].toSorted().join(" ");
    const known = this.#streams.get(name);
    const stream: Stream = known ?? new Map([from, to].map((end) => [end, 1]));
    this.#streams.set(name, stream);
    const frame = encodeFrame(captured.data);
    if (isTooLong(frame)) return [];
    const octets = known ? frame : concat(STREAM_PREFIX, frame);
    return cut(octets).map((payload) => {
      const sequence = stream.get(from) ?? 1;
      stream.set(from, (sequence + payload.length) >>> 0);
      const header = { sequence, acknowledgment: stream.get(to) ?? 1, flags: ACK | PSH };
      return buildTcpPacket(addresses, {
        sourcePort: source.port,
        destinationPort: destination.port,
        ...header,
        payload,
      });
    });
  }
}

const nameOf = ({ host, port }: Captured["source"]): string => `${host} ${port}`;

function cut(octets: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += MOST_IN_SEGMENT)
    pieces.push(octets.subarray(at, at + MOST_IN_SEGMENT));
  return pieces;
}
