/** The streams of RFC 9329 in the TCP segments of a capture. What is kept is bounded, whatever a capture has. */
import { readU16, readU32 } from "../../harness/wire/bytes.ts";
import { STREAM_PREFIX, type StreamFault, StreamReader } from "../../harness/wire/tcp-encap.ts";
import { Lru } from "../lru.ts";
import type { CaptureFault, Datagram } from "../types.ts";
import { ACK, type End, RST, type Segment, Segments, SYN } from "./segments.ts";

/** Connections that are remembered; who was silent longest is forgotten first. */
const MOST_CONNECTIONS = 4096;
/** Octets that wait in all of them: segments behind a gap, frames that are not complete. */
const MOST_OCTETS = 16 << 20;

/** One direction of a connection. */
class Direction {
  readonly source: End;
  readonly destination: End;
  readonly segments = new Segments();
  /** Not set while nobody knows where a frame begins. */
  reader: StreamReader | undefined;
  /** It is that of who opened the connection, and begins with the prefix. */
  opens = false;
  /** Octets that were read. */
  taken = 0;

  constructor(source: End, destination: End) {
    this.source = source;
    this.destination = destination;
  }

  /** The stream's first octet has this sequence number. */
  begin(sequence: number, { prefix }: { prefix: boolean }): void {
    this.segments.next = sequence >>> 0;
    this.reader = new StreamReader({ prefix });
    this.opens = prefix;
  }

  /** Octets that wait. */
  get octets(): number {
    return this.segments.octets + (this.reader?.unfinished ?? 0);
  }
}

interface Connection {
  /** `undecided`: the stream's prefix did not come yet; `foreign`: it is no stream of RFC 9329. */
  kind: "undecided" | "ike" | "foreign";
  /** One of its ports is a port of ours: what is wrong with it is told. */
  expected: boolean;
  directions: [Direction, Direction];
  octets: number;
  last: Pick<Segment, "packet" | "offset" | "timeMs">;
}

/** Takes the segments of a capture as they come, in any order, and gives the frames in them. */
export class TcpStreams {
  /** In the order in which they were last heard of. */
  readonly #connections = new Lru<string, Connection>(Number.POSITIVE_INFINITY);
  readonly #isOurs: (port: number) => boolean;
  readonly #emit: (found: Datagram | CaptureFault) => void;
  /** That wait, in all connections. */
  #octets = 0;

  constructor(isOurs: (port: number) => boolean, emit: (found: Datagram | CaptureFault) => void) {
    this.#isOurs = isOurs;
    this.#emit = emit;
  }

  /** Whether it matters that a segment between these ends is damaged. */
  follows(source: End, destination: End): boolean {
    const connection = this.#connections.get(nameOf(source, destination));
    if (!connection) return this.#isOurs(source.port) || this.#isOurs(destination.port);
    return connection.kind === "ike" || (connection.expected && connection.kind === "undecided");
  }

  /** Takes a segment; false when it is of no concern here. */
  add(segment: Segment): boolean {
    const name = nameOf(segment.source, segment.destination);
    let connection = this.#connections.get(name);
    if (this.#begins(connection, segment)) {
      if (connection) this.#close(connection, "when its connection begins anew");
      connection = this.#begin(segment);
    }
    if (!connection) return false;
    // Its data are not held.
    connection.last = { packet: segment.packet, offset: segment.offset, timeMs: segment.timeMs };
    if (segment.flags & RST) {
      this.#connections.delete(name);
      this.#close(connection, "when its connection is reset");
    } else this.#take(name, connection, segment);
    return connection.kind !== "foreign";
  }

  /** No more segments come: gives what the oldest connection still has; false when there is none left. */
  endOldest(): boolean {
    const oldest = this.#connections.shift();
    if (oldest) this.#close(oldest, "when the capture ends");
    return oldest !== undefined;
  }

  /** A connection begins with SYN, with the prefix where SYN was not seen, or on our ports in its middle. */
  #begins(connection: Connection | undefined, segment: Segment): boolean {
    const { source, destination, flags, sequence, data } = segment;
    if (flags & RST) return false;
    if (flags & SYN) {
      const next = connection && directionFrom(connection, source).segments.next;
      const isAnswer = (flags & ACK) !== 0 && connection !== undefined && next === undefined;
      return !isAnswer && next !== (sequence + 1) >>> 0;
    }
    if (connection || data.length === 0) return false;
    return startsWithPrefix(data) || this.#isOurs(source.port) || this.#isOurs(destination.port);
  }

  #begin({ source, destination, flags, sequence, acknowledgment, data, ...last }: Segment): Connection {
    const there = new Direction(source, destination);
    const back = new Direction(destination, source);
    const answers = (flags & SYN) !== 0 && (flags & ACK) !== 0;
    const prefixed = (flags & SYN) === 0 && startsWithPrefix(data);
    if (answers) back.begin(acknowledgment, { prefix: true });
    else if (flags & SYN) there.begin(sequence + 1, { prefix: true });
    else if (prefixed) there.begin(sequence, { prefix: true });
    if (prefixed && flags & ACK) back.begin(acknowledgment, { prefix: false });
    const known = (flags & SYN) !== 0 || prefixed;
    const connection: Connection = {
      kind: known ? "undecided" : "ike",
      expected: this.#isOurs(source.port) || this.#isOurs(destination.port),
      directions: [there, back],
      octets: 0,
      last,
    };
    if (!known && !beginsFrame(data))
      this.#fault(connection, `the beginning of a TCP stream is not in the capture; ${READ_ON}`);
    return connection;
  }

  #take(name: string, connection: Connection, { source, sequence, flags, data }: Segment): void {
    this.#connections.set(name, connection);
    if (connection.kind === "foreign") return;
    const direction = directionFrom(connection, source);
    const first = flags & SYN ? sequence + 1 : sequence;
    if (flags & SYN && direction.segments.next === undefined) direction.begin(first, { prefix: false });
    direction.segments.add(first >>> 0, data);
    this.#read(connection);
    if (direction.segments.isFull) this.#skipGaps(connection);
    this.#account(connection);
  }

  /** Reads what is in order. Before the prefix came, only who opened the connection is heard. */
  #read(connection: Connection): void {
    for (const direction of connection.directions)
      if (connection.kind === "undecided" && direction.opens) this.#drain(connection, direction);
    for (const direction of connection.directions)
      if (connection.kind === "ike") this.#drain(connection, direction);
  }

  #drain(connection: Connection, direction: Direction): void {
    const { segments } = direction;
    for (let data = segments.take(); data && connection.kind !== "foreign"; data = segments.take()) {
      if (!direction.reader && beginsFrame(data)) direction.reader = new StreamReader({ prefix: false });
      const { reader } = direction;
      if (!reader) continue;
      for (const { kind, content } of reader.push(data))
        if (kind !== "empty") this.#emit(datagramOf(connection, direction, content));
      direction.taken += data.length;
      if (reader.fault) this.#onFault(connection, direction, reader.fault);
      else if (direction.taken >= STREAM_PREFIX.length) connection.kind = "ike";
    }
  }

  /** Behind a wrong prefix the stream is something else; behind a wrong length it may go on where a message begins. */
  #onFault(connection: Connection, direction: Direction, { field, offset, reason }: StreamFault): void {
    if (field === "prefix") this.#ignore(connection);
    else direction.reader = undefined;
    if (connection.kind === "ike" || connection.expected)
      this.#fault(connection, `at octet ${offset} of a TCP stream: ${reason}`);
  }

  #ignore(connection: Connection): void {
    connection.kind = "foreign";
    for (const direction of connection.directions) {
      direction.reader = undefined;
      direction.segments.clear();
    }
  }

  /** Gives up what is missing. */
  #skipGaps(connection: Connection): void {
    if (connection.kind === "undecided" && connection.expected) connection.kind = "ike";
    if (connection.kind !== "ike") return this.#ignore(connection);
    this.#read(connection);
    for (const direction of connection.directions) {
      while (direction.segments.isWaiting) {
        const missing = direction.segments.skip();
        direction.reader = undefined;
        this.#fault(connection, `${missing} octets of a TCP stream are missing; ${READ_ON}`);
        this.#drain(connection, direction);
      }
    }
  }

  #fault({ last: { packet, offset } }: Connection, reason: string): void {
    this.#emit({ kind: "fault", offset, packet, reason });
  }

  /** Sees to it that the bounds are kept. */
  #account(connection: Connection): void {
    const [there, back] = connection.directions;
    const octets = there.octets + back.octets;
    this.#octets += octets - connection.octets;
    connection.octets = octets;
    const isWithin = () => this.#connections.size <= MOST_CONNECTIONS && this.#octets <= MOST_OCTETS;
    while (!isWithin()) {
      const oldest = this.#connections.shift();
      if (!oldest) return;
      this.#close(oldest, "when too many others are under way");
    }
  }

  /** Of one that is taken out. */
  #close(connection: Connection, when: string): void {
    this.#octets -= connection.octets;
    this.#skipGaps(connection);
    for (const { reader } of connection.directions) {
      if (!reader?.unfinished) continue;
      this.#fault(connection, `${reader.unfinished} octets of a frame that is not complete ${when}`);
    }
  }
}

const READ_ON = "it is read on where an IKE message begins";

const endName = ({ host, port }: End): string => `${host} ${port}`;

function nameOf(source: End, destination: End): string {
  const [a, b] = [endName(source), endName(destination)];
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function directionFrom({ directions: [there, back] }: Connection, { host, port }: End): Direction {
  return there.source.host === host && there.source.port === port ? there : back;
}

const startsWithPrefix = (data: Uint8Array): boolean => STREAM_PREFIX.every((octet, i) => data[i] === octet);

/** Length, non-ESP marker, and a header of IKEv2 whose length is that of the frame: no other content looks like it. */
function beginsFrame(data: Uint8Array): boolean {
  const length = readU16(data, 0);
  return (
    data.length >= 34 &&
    readU32(data, 2) === 0 &&
    data[23]! >>> 4 === 2 &&
    length >= 34 &&
    readU32(data, 30) === length - 6
  );
}

function datagramOf({ last }: Connection, { source, destination }: Direction, data: Uint8Array): Datagram {
  const { packet, offset, timeMs } = last;
  return { kind: "datagram", packet, offset, timeMs, protocol: "tcp", source, destination, data };
}
