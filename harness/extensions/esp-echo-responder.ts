/** The end that answers ESP echo requests, in one revision of the drafts. */
import type { DataPlane, EspExtension } from "../esp/hooks.ts";
import type { OpenedPacket } from "../esp/inbound.ts";
import type { Pipe } from "../esp/pipe.ts";
import { isMulticast } from "../link/multicast-address.ts";
import type { Datagram } from "../link/types.ts";
import { equal, hex, readU32, view } from "../wire/bytes.ts";
import type { CodePointOverrides } from "../wire/documents/code-point.ts";
import {
  asksForPath,
  decodeEcho,
  type Echo,
  type EchoForm,
  type EchoNumbers,
  type EchoRevision,
  echoForms,
  echoNumbers,
  encodeEcho,
  headerLength,
  isEchoError,
  type ReadEcho,
} from "../wire/esp-echo.ts";
import { CONGESTION_SUBTYPE, decodeCongestion, encodeCongestion } from "../wire/esp-echo-congestion.ts";
import { decodePlain, encodePlain, type ReadPlainEcho } from "../wire/esp-echo-plain.ts";
import { echoNotify, hasAnnounced } from "./esp-echo-announcement.ts";
import { decideEcho, type EchoDecisions, type EchoManners, type OutgoingEcho } from "./esp-echo-manners.ts";
import { ReplyRate } from "./esp-echo-rate.ts";
import { roomForEsp, roomForPayload, roomForPlain } from "./esp-echo-room.ts";

export interface ResponderOptions {
  revision: EchoRevision;
  codePoints?: CodePointOverrides | undefined;
  /** Octets of the largest IP packet on the way back; not set: 1500. */
  mtu?: number | undefined;
  manners?: readonly EchoManners[];
}

const ETHERNET = 1500;
const REPLIES_PER_SECOND = 100;
/** As the prototype for Linux, which shares the limit of ICMP. */
const REPLIES_IN_ALL = 1000;
const MOST_PADDING = 3;
const PROTOTYPE_DATA = 512;

/** An encrypted request with what it came in. */
interface Came {
  pipe: Pipe;
  packet: OpenedPacket;
  datagram: Datagram;
}

/** Answers requests inside of SAs and, in revisions that have them, outside. */
export const echoResponder = (options: ResponderOptions): EspExtension => {
  const responder = new Responder(options);
  return {
    name: "ESP echo responder",
    delivered: (came, plane) => responder.delivered(came, plane),
    stray: (octets, datagram, plane) => responder.stray(octets, datagram, plane),
  };
};

class Responder {
  readonly #revision: EchoRevision;
  readonly #form: EchoForm;
  readonly #numbers: EchoNumbers;
  readonly #notify: number | undefined;
  readonly #mtu: number;
  readonly #manners: readonly EchoManners[];
  /** Apart, so that a flood of forged plain requests leaves those inside of SAs alone. */
  readonly #rates = {
    plain: new ReplyRate(REPLIES_PER_SECOND, REPLIES_IN_ALL),
    encrypted: new ReplyRate(REPLIES_PER_SECOND, REPLIES_IN_ALL),
  };
  /** Plain requests seen, for a window that there must not be. */
  readonly #seen = new Set<string>();

  constructor({ revision, codePoints, mtu = ETHERNET, manners = [] }: ResponderOptions) {
    this.#revision = revision;
    this.#form = echoForms[revision];
    this.#numbers = echoNumbers(codePoints);
    this.#notify = echoNotify(revision, codePoints);
    this.#mtu = mtu;
    this.#manners = manners;
  }

  #decide<P extends keyof EchoDecisions>(point: P, ordinary: EchoDecisions[P]): EchoDecisions[P] {
    return decideEcho(this.#manners, point, ordinary);
  }

  #allows(mode: "plain" | "encrypted", peer: string, plane: DataPlane): boolean {
    return (
      this.#rates[mode].allows(peer, plane.now()) || this.#decide("reply rate", "limited") === "unlimited"
    );
  }

  /** A packet that ESP processing has let through. It is not held against the SA's selectors. */
  delivered(came: Came, plane: DataPlane): void {
    const { pipe, packet } = came;
    if (!this.#form.encrypted || packet.nextHeader !== this.#form.nextHeader) return;
    if (!this.#serves(pipe, plane)) return;
    if (packet.payload[0] === CONGESTION_SUBTYPE) return this.#answerCongestion(came, plane);
    const echo = decodeEcho(packet.payload, this.#revision);
    if (isEchoError(echo) || !this.#isRequest(echo)) return;
    const path = this.#pathOf(echo, pipe, plane);
    if (path) this.#reply(echo, path, plane);
  }

  /** Who announced support gets it on all Child SAs of its IKE SA. */
  #serves({ child }: Pipe, plane: DataPlane): boolean {
    const mandatory = this.#revision === "M" || this.#revision === "E3";
    const silent = mandatory && this.#notify !== undefined && !hasAnnounced(child.ike, this.#notify);
    if (silent && this.#decide("peer that announced nothing", "ignore") === "ignore") return false;
    if (this.#decide("later Child SA", "answer") === "ignore" && plane.pipes[0]?.child !== child)
      return false;
    const matched = this.#decide("echo outside of the selectors", "answer") === "drop";
    return !matched || child.mode === "transport";
  }

  #isRequest(echo: ReadEcho): boolean {
    const { request, reply } = this.#numbers.subType;
    if (echo.subType === reply) return this.#decide("received reply", "drop") === "answer";
    if (echo.subType !== request && this.#decide("unknown sub-type", "drop") === "drop") return false;
    return this.#isSound(echo);
  }

  /** Excess octets would be padding of a kind that the text does not let be. */
  #isSound({ flags, dataLength = 0, data, excess }: ReadEcho): boolean {
    const reserved = (flags & ~this.#form.replyFlag) !== 0;
    if (reserved && this.#decide("reserved bits", "ignore") === "drop") return false;
    if (this.#form.header === "bare" || this.#form.header === "none") return true;
    const whole = dataLength === data.length && excess.length === 0;
    return whole || this.#decide("wrong Data Length", "drop") === "answer";
  }

  /** The SA pair whose outbound half the reply goes on; undefined: there is none. */
  #pathOf(echo: Echo, pipe: Pipe, plane: DataPlane): Pipe | undefined {
    const anyBit = echo.flags !== 0 && this.#decide("the bit R", "of the revision") === "any";
    const asked = asksForPath(echo, this.#revision) || anyBit;
    if (!asked && this.#form.oneWay) return this.#pathOfOneWay(echo, pipe, plane);
    if (!asked) return usable(pipe, plane);
    if (this.#decide("reply path", "as asked") === "another")
      return plane.pipes.find((other) => other !== pipe && other.outbound.spi !== echo.replySpi) ?? pipe;
    const anybody = this.#decide("reply path of another peer", "refuse") === "use";
    const named = pathBySpi(echo.replySpi, plane, (other) => anybody || isSamePeer(other, pipe));
    if (named) return named;
    return this.#decide("unknown reply path", "the pair") === "silence" ? undefined : usable(pipe, plane);
  }

  #pathOfOneWay(echo: Echo, pipe: Pipe, plane: DataPlane): Pipe | undefined {
    const manner = this.#decide("one-way probe", "consume");
    if (manner === "consume") return undefined;
    const named = pathBySpi(echo.replySpi, plane, (other) => isSamePeer(other, pipe));
    return named ?? (manner === "answer" ? usable(pipe, plane) : undefined);
  }

  #reply(request: ReadEcho, path: Pipe, plane: DataPlane): void {
    const { local, remote, nat } = path.child.ike;
    if (!this.#allows("encrypted", remote.host, plane)) return;
    const protocol = local.transport ?? (nat?.peer || nat?.us ? "udp" : "esp");
    const room = roomForPayload(path.child, roomForEsp(this.#mtu, remote.host, protocol));
    const echo = this.#answerTo(request, room);
    const outgoing: OutgoingEcho = { kind: "reply", echo, nextHeader: this.#form.nextHeader, how: {} };
    const strange = this.#decide("unknown reply path", "the pair") === "the SPI all the same";
    if (strange && request.replySpi !== undefined && asksForPath(request, this.#revision))
      outgoing.how = { spi: request.replySpi };
    for (const manners of this.#manners) manners.outgoing?.(outgoing);
    const payload = encodeEcho(outgoing.echo, this.#revision);
    const payloads = outgoing.octets ? outgoing.octets(payload) : [payload];
    for (const octets of payloads) plane.sendEsp(path, octets, outgoing.nextHeader, outgoing.how);
  }

  /** A copy, with as many octets of data as `room` for the payload lets it have. */
  #answerTo(request: ReadEcho, room: number): Echo {
    const { excess: _, findings: __, ...echo } = request;
    const manner = this.#decide("data of a reply", "as much as fits");
    const flags = echo.flags & this.#form.replyFlag;
    const limit = Math.max(0, room - headerLength(this.#form, flags));
    const most = manner === "512 octets, Data Length as asked" ? PROTOTYPE_DATA : limit;
    const data = manner === "as asked" ? echo.data : view(echo.data, 0, Math.min(most, echo.data.length));
    const { dataLength: asked, ...rest } = echo;
    const dataLength = manner === "as much as fits" ? data.length : asked;
    const subType = this.#numbers.subType.reply;
    return { ...rest, subType, flags, data, ...(dataLength !== undefined && { dataLength }) };
  }

  /** RFC 9347 lets a congestion-control payload without data blocks be an echo: TVal comes back in TEcho. */
  #answerCongestion({ pipe, packet }: Came, plane: DataPlane): void {
    const asked = decodeCongestion(packet.payload);
    // E3 wants USE_AGGFRAG on the SA for it, which we do not speak; the prototype has none.
    if (this.#revision !== "M" && this.#revision !== "E2") return;
    if (isEchoError(asked) || asked.findings.length > 0 || asked.tval === 0) return;
    const { remote } = pipe.child.ike;
    if (!usable(pipe, plane) || !this.#allows("encrypted", remote.host, plane)) return;
    const answer = { ...asked, flags: 0, rtt: 0, echoDelay: 0, transmitDelay: 0 };
    const payload = encodeCongestion({ ...answer, tval: 0, techo: asked.tval });
    plane.sendEsp(pipe, payload, this.#form.nextHeader);
  }

  /** A packet of no SA: on the SPI of requests it is answered the way it came. */
  stray(octets: Uint8Array, datagram: Datagram, plane: DataPlane): Uint8Array[] {
    if (octets.length < 4 || readU32(octets, 0) !== this.#numbers.spi.request) return [];
    if (this.#form.plain === "none" || !this.#hears(octets, datagram, plane)) return [];
    const packet = decodePlain(octets, this.#revision, this.#numbers);
    if (isEchoError(packet) || !this.#isPlainRequest(packet)) return [];
    if (!this.#allows("plain", datagram.source.host, plane)) return [];
    const room = roomForEsp(this.#mtu, datagram.source.host, datagram.protocol);
    const outgoing: OutgoingEcho = {
      kind: "reply",
      echo: this.#answerTo(packet.echo, roomForPlain(room, packet.trailer !== undefined)),
      nextHeader: this.#form.nextHeader,
      plain: { spi: this.#numbers.spi.reply, espSequence: 0, trailer: {} },
      how: {},
    };
    return this.#plainOctets(outgoing);
  }

  #plainOctets(outgoing: OutgoingEcho): Uint8Array[] {
    for (const manners of this.#manners) manners.outgoing?.(outgoing);
    const { plain, echo, nextHeader, octets: change } = outgoing;
    if (!plain) return [];
    const trailer = { nextHeader, ...plain.trailer };
    const octets = encodePlain({ ...plain, echo, trailer }, this.#revision);
    return change ? change(octets) : [octets];
  }

  #hears(octets: Uint8Array, { protocol, destination }: Datagram, plane: DataPlane): boolean {
    const manner = this.#decide("plain echo", "answer");
    if (manner === "answer out of UDP" && protocol !== "esp") return false;
    if (manner === "answer beside an SA" && plane.pipes.length === 0) return false;
    const many = isMulticast(destination.host) || destination.host === "255.255.255.255";
    if (many && this.#decide("echo to many", "drop") === "drop") return false;
    if (this.#decide("repeated plain echo", "answer") === "answer") return true;
    const name = hex(octets);
    const isNew = !this.#seen.has(name);
    this.#seen.add(name);
    return isNew;
  }

  #isPlainRequest({ echo, trailer }: ReadPlainEcho): boolean {
    const { nextHeader, header, oneWay } = this.#form;
    const odd = trailer !== undefined && trailer.nextHeader !== nextHeader;
    if (odd && this.#decide("Next Header of a plain echo", "check") === "check") return false;
    if (header === "bare" || header === "none") return true;
    const long = (trailer?.padding.length ?? 0) > MOST_PADDING;
    if (long && this.#decide("padding of a plain echo", "at most 3") === "at most 3") return false;
    const isRequest = echo.subType === this.#numbers.subType.request;
    if (!isRequest && this.#decide("sub-type of a plain echo", "as the SPI says") === "as the SPI says")
      return false;
    if (!this.#isSound(echo)) return false;
    if (!oneWay) return true;
    if (!asksForPath(echo, this.#revision)) return this.#decide("one-way probe", "consume") !== "consume";
    const any = this.#decide("reply path of a plain echo", "the reply SPI only") === "any";
    return any || echo.replySpi === this.#numbers.spi.reply;
  }
}

/** The pair while it stands, else another one of the same IKE SA. */
function usable(pipe: Pipe, plane: DataPlane): Pipe | undefined {
  if (isInUse(pipe) && plane.pipes.includes(pipe)) return pipe;
  return plane.pipes.findLast((other) => other.child.ike === pipe.child.ike && isInUse(other));
}

const isInUse = ({ child }: Pipe): boolean => child.state === "installed" || child.state === "rekeyed";

const pathBySpi = (
  spi: number | undefined,
  plane: DataPlane,
  permits: (pipe: Pipe) => boolean,
): Pipe | undefined =>
  plane.pipes.find((pipe) => pipe.outbound.spi === spi && isInUse(pipe) && permits(pipe));

/** By proven identity and address: an identity alone can be that of many, as NULL's is. */
function isSamePeer(a: Pipe, b: Pipe): boolean {
  const [one, other] = [a.child.ike, b.child.ike];
  if (one === other) return true;
  const [x, y] = [one.remoteIdentity, other.remoteIdentity];
  const same = x !== undefined && y !== undefined && x.type === y.type && equal(x.data, y.data);
  return same && one.remote.host === other.remote.host;
}
