/** The end that sends ESP echo requests and takes the replies: one probing session. It has no timers and no I/O. */

import type { Random } from "../crypto/types.ts";
import type { DataPlane, EspExtension } from "../esp/hooks.ts";
import type { OpenedPacket } from "../esp/inbound.ts";
import type { Pipe } from "../esp/pipe.ts";
import type { Datagram } from "../link/types.ts";
import { EMPTY, equal, readU16, readU32 } from "../wire/bytes.ts";
import type { CodePointOverrides } from "../wire/documents/code-point.ts";
import {
  decodeEcho,
  type Echo,
  type EchoForm,
  type EchoNumbers,
  type EchoRevision,
  echoForms,
  echoNumbers,
  encodeEcho,
  isEchoError,
} from "../wire/esp-echo.ts";
import {
  CONGESTION_SUBTYPE,
  type CongestionPayload,
  decodeCongestion,
  encodeCongestion,
} from "../wire/esp-echo-congestion.ts";
import { decodePlain, encodePlain } from "../wire/esp-echo-plain.ts";
import type { EchoManners, OutgoingEcho } from "./esp-echo-manners.ts";

export interface RequesterOptions {
  plane: DataPlane;
  revision: EchoRevision;
  random: Random;
  codePoints?: CodePointOverrides | undefined;
  /** 16 bits; not set: a random one. */
  identifier?: number;
  manners?: readonly EchoManners[];
  onReply?: (reply: EchoReply) => void;
}

/** Where a packet outside of SAs goes. */
export type PlainPath = Pick<Datagram, "protocol" | "source" | "destination">;

export interface Probe {
  /** The SA pair that is probed; not set: the newest in use. */
  pipe?: Pipe;
  /** Set to send outside of SAs. */
  plain?: PlainPath;
  /** Octets of Data; 56 unless told. */
  size?: number;
  /** The Data itself. */
  data?: Uint8Array;
  /** False: a one-way probe, where the revision knows such. */
  reply?: boolean;
  /** The SPI of ours that the reply is to come on; not set: that of the pair. */
  replySpi?: number;
  /** The congestion-control payload of RFC 9347 instead; of the others only `pipe` counts then. */
  congestion?: boolean;
}

/** A reply of this session. */
export interface EchoReply {
  sequence: number;
  /** Milliseconds. */
  rttMs: number;
  /** The SPI it came on. */
  spi: number;
  /** False: on another SPI than it was asked for. */
  asAsked: boolean;
  /** Outside of SAs. */
  plain: boolean;
  data: Uint8Array;
  /** Octets of Data that were sent. */
  sentOctets: number;
  /** Whether Data is what was sent, or the beginning of it. */
  matches: boolean;
  /** A reply to the same request came before. */
  duplicate: boolean;
  datagram: Datagram;
}

/** A request under way. */
interface Sent {
  at: number;
  data: Uint8Array;
  spi: number;
  /** The other end's address, of a plain request. */
  host?: string;
  wantsReply: boolean;
  replies: number;
}

const ORDINARY_SIZE = 56;
/** Replies to one request that are kept; who sends more has nothing new to say. */
const MOST_REPLIES = 16;

export class EchoRequester {
  readonly identifier: number;
  readonly replies: EchoReply[] = [];
  /** What the host must have among its ESP extensions for replies to be seen. */
  readonly extension: EspExtension;
  readonly #options: RequesterOptions;
  readonly #form: EchoForm;
  readonly #numbers: EchoNumbers;
  readonly #sent = new Map<number, Sent>();
  #sequence = 0;

  constructor(options: RequesterOptions) {
    this.#options = options;
    this.#form = echoForms[options.revision];
    this.#numbers = echoNumbers(options.codePoints);
    this.identifier = options.identifier ?? readU16(options.random(2), 0);
    this.extension = {
      name: "ESP echo requester",
      delivered: (came) => this.#delivered(came),
      stray: (octets, datagram) => {
        this.#stray(octets, datagram);
        return [];
      },
    };
  }

  /** Requests that were sent. */
  get sent(): number {
    return this.#sent.size;
  }

  /** Requests that have waited for a reply for so many milliseconds, or more. */
  lost(afterMs: number): number {
    const now = this.#options.plane.now();
    return [...this.#sent.values()].filter(
      ({ wantsReply, replies, at }) => wantsReply && replies === 0 && now - at >= afterMs,
    ).length;
  }

  /** The first reply to this request. */
  replyTo(sequence: number): EchoReply | undefined {
    return this.replies.find((reply) => reply.sequence === sequence);
  }

  /**
   * Sends a request, and gives its Sequence Number.
   * @throws Error if there is no SA to probe, or nothing of that kind in this revision
   */
  probe(wishes: Probe = {}): number {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const sequence = this.#sequence;
    if (wishes.plain) this.#probePlain(sequence, wishes, wishes.plain);
    else this.#probeWithin(sequence, wishes, wishes.pipe ?? newest(this.#options.plane));
    return sequence;
  }

  #probeWithin(sequence: number, wishes: Probe, pipe: Pipe | undefined): void {
    if (!pipe) throw new Error("no SA to probe");
    if (!this.#form.encrypted)
      throw new Error(`revision ${this.#options.revision} has no echo inside of SAs`);
    const { plane, revision } = this.#options;
    const spi = wishes.replySpi ?? pipe.inbound.spi;
    if (wishes.congestion) {
      this.#remember(sequence, EMPTY, { spi, wantsReply: true });
      return plane.sendEsp(
        pipe,
        encodeCongestion(congestionProbe(this.#token(sequence))),
        this.#form.nextHeader,
      );
    }
    const echo = this.#request(sequence, wishes, spi);
    const outgoing = this.#changed({ kind: "request", echo, nextHeader: this.#form.nextHeader, how: {} });
    this.#remember(outgoing.echo.sequence, outgoing.echo.data, { spi, wantsReply: this.#wantsReply(wishes) });
    const payload = encodeEcho(outgoing.echo, revision);
    const payloads = outgoing.octets ? outgoing.octets(payload) : [payload];
    for (const octets of payloads) plane.sendEsp(pipe, octets, outgoing.nextHeader, outgoing.how);
  }

  #probePlain(sequence: number, wishes: Probe, path: PlainPath): void {
    const { plane, revision } = this.#options;
    if (this.#form.plain === "none") throw new Error(`revision ${revision} has no echo outside of SAs`);
    const { request, reply } = this.#numbers.spi;
    const { nextHeader } = this.#form;
    const outgoing = this.#changed({
      ...{
        kind: "request",
        echo: this.#request(sequence, wishes, wishes.replySpi ?? reply),
        nextHeader,
        how: {},
      },
      plain: { spi: request, espSequence: 0, trailer: {} },
    });
    const { plain, echo } = outgoing;
    if (!plain) return;
    const host = path.destination.host;
    this.#remember(echo.sequence, echo.data, { spi: reply, host, wantsReply: this.#wantsReply(wishes) });
    const trailer = { nextHeader: outgoing.nextHeader, ...plain.trailer };
    const packet = encodePlain({ ...plain, echo, trailer }, revision);
    const packets = outgoing.octets ? outgoing.octets(packet) : [packet];
    for (const data of packets) plane.send({ ...path, data });
  }

  #changed(outgoing: OutgoingEcho): OutgoingEcho {
    for (const manners of this.#options.manners ?? []) manners.outgoing?.(outgoing);
    return outgoing;
  }

  /** R names a path always where R = 0 would ask for silence, else only if one is wished for. */
  #request(sequence: number, wishes: Probe, spi: number): Echo {
    const { identifier } = this;
    const { oneWay, header, replyFlag } = this.#form;
    const data = wishes.data ?? new Uint8Array(wishes.size ?? ORDINARY_SIZE).map((_, index) => index);
    const names = oneWay ? wishes.reply !== false : wishes.replySpi !== undefined && header !== "bare";
    const echo = { subType: this.#numbers.subType.request, identifier, sequence, data };
    return names ? { ...echo, flags: replyFlag, replySpi: spi } : { ...echo, flags: 0 };
  }

  #wantsReply = ({ reply }: Probe): boolean => reply !== false || !this.#form.oneWay;

  #remember(sequence: number, data: Uint8Array, rest: Pick<Sent, "spi" | "wantsReply" | "host">): void {
    this.#sent.set(sequence, { at: this.#options.plane.now(), data, replies: 0, ...rest });
  }

  #delivered({ pipe, packet, datagram }: { pipe: Pipe; packet: OpenedPacket; datagram: Datagram }): void {
    if (!this.#form.encrypted || packet.nextHeader !== this.#form.nextHeader) return;
    if (packet.payload[0] === CONGESTION_SUBTYPE) return this.#congestion(packet, pipe, datagram);
    const echo = decodeEcho(packet.payload, this.#options.revision);
    if (isEchoError(echo) || echo.subType !== this.#numbers.subType.reply) return;
    this.#take(echo, { spi: pipe.inbound.spi, plain: false, datagram });
  }

  #congestion({ payload }: OpenedPacket, pipe: Pipe, datagram: Datagram): void {
    const answer = decodeCongestion(payload);
    if (isEchoError(answer)) return;
    const sequence = answer.techo & 0xffff;
    const echo = { subType: 0, flags: 0, identifier: answer.techo >>> 16, sequence, data: EMPTY };
    this.#take(echo, { spi: pipe.inbound.spi, plain: false, datagram });
  }

  /** A packet on the SPI of plain replies; one that answers none of our requests is passed over. */
  #stray(octets: Uint8Array, datagram: Datagram): void {
    if (this.#form.plain === "none" || octets.length < 4) return;
    if (readU32(octets, 0) !== this.#numbers.spi.reply) return;
    const packet = decodePlain(octets, this.#options.revision, this.#numbers);
    if (isEchoError(packet)) return;
    const { header } = this.#form;
    const says =
      header === "bare" || header === "none" || packet.echo.subType === this.#numbers.subType.reply;
    if (!says) return;
    const echo = header === "none" ? { ...packet.echo, ...this.#oldest() } : packet.echo;
    this.#take(echo, { spi: packet.spi, plain: true, datagram });
  }

  /** What the oldest request without reply would be answered with: packets without any content have no names. */
  #oldest(): { identifier: number; sequence: number } {
    const open = [...this.#sent].find(([, { wantsReply, replies }]) => wantsReply && replies === 0);
    return { identifier: this.identifier, sequence: open?.[0] ?? this.#sequence };
  }

  #take(echo: Echo, came: Pick<EchoReply, "spi" | "plain" | "datagram">): void {
    const sent = this.#sent.get(echo.sequence);
    if (!sent || echo.identifier !== this.identifier || sent.replies >= MOST_REPLIES) return;
    if (came.plain !== (sent.host !== undefined)) return;
    if (came.plain && came.datagram.source.host !== sent.host) return;
    const reply: EchoReply = {
      ...{ ...came, sequence: echo.sequence, data: echo.data, sentOctets: sent.data.length },
      rttMs: this.#options.plane.now() - sent.at,
      asAsked: came.spi === sent.spi,
      matches: equal(echo.data, sent.data.subarray(0, echo.data.length)),
      duplicate: sent.replies > 0,
    };
    sent.replies++;
    this.replies.push(reply);
    this.#options.onReply?.(reply);
  }

  /** What a congestion probe is known by. */
  #token = (sequence: number): number => ((this.identifier << 16) | sequence) >>> 0;
}

const newest = ({ pipes }: DataPlane): Pipe | undefined =>
  pipes.findLast(({ child }) => child.state === "installed");

const congestionProbe = (tval: number): CongestionPayload => ({
  ...{ subType: CONGESTION_SUBTYPE, flags: 0, blockOffset: 0, lossEventRate: 0 },
  ...{ rtt: 0, echoDelay: 0, transmitDelay: 0, tval, techo: 0, blocks: EMPTY },
});
