/** A host: an IKE endpoint with the ESP SAs it negotiates, on a link. Both the tester and the builtin peer are one. */
import type { Random } from "../crypto/types.ts";
import type { DataPlane, EspExtension, EspSendOptions, OutgoingEsp } from "../esp/hooks.ts";
import { type InboundOptions, InboundSa, type OpenedPacket, type OpenResult } from "../esp/inbound.ts";
import { isSealRefusal, OutboundSa } from "../esp/outbound.ts";
import type { Pipe } from "../esp/pipe.ts";
import { NEXT_HEADER, type SaParameters } from "../esp/sa.ts";
import type { ChildSa } from "../ike/child.ts";
import { Endpoint } from "../ike/endpoint.ts";
import type { IkeEvent } from "../ike/events.ts";
import type { Extension } from "../ike/hooks.ts";
import type { Policy } from "../ike/policy.ts";
import type { Clock, Datagram, Link } from "../link/types.ts";
import { hex, readU32 } from "../wire/bytes.ts";
import { buildEcho, parseAddress } from "../wire/ip.ts";
import { demultiplex } from "../wire/udp.ts";
import { echoPacket, type InnerPacket, readInner, replyTo } from "./inner.ts";

export type HostEvent =
  | IkeEvent
  | { type: "datagram-sent" | "datagram-received"; datagram: Datagram }
  | { type: "esp-sent"; pipe: Pipe; packet: Uint8Array; inner: Uint8Array; nextHeader: number }
  /** `pipe` is not set for an unknown SPI. */
  | { type: "esp-received"; pipe?: Pipe; packet: Uint8Array; result: OpenResult; inner?: InnerPacket }
  | { type: "keepalive"; datagram: Datagram }
  /** The test failed; what follows asks whether the peer still answers. */
  | { type: "judged" };

export interface HostOptions {
  policy: Policy;
  extensions: Extension[];
  esp: EspExtension[];
  random: Random;
  clock: Clock;
  link: Link;
  natPort: number;
  remoteNatPort: number;
  /** Whether echo requests inside of ESP are answered. */
  answersEcho: boolean;
  /** Numbers the replay window of new SAs holds, 0 for no replay protection; not set: 64. */
  window?: number;
  event(event: HostEvent): void;
  /** Called when a datagram or timer has had all its effects. */
  settled?(): void;
  /** Takes what a hook threw while a datagram or timer had its effects; not set: it goes to whoever brought that. */
  failed?(error: unknown): void;
}

export class Host implements DataPlane {
  readonly endpoint: Endpoint;
  readonly pipes: Pipe[] = [];
  readonly options: HostOptions;
  #cancelTimer?: () => void;

  constructor(options: HostOptions) {
    this.options = options;
    const { policy, extensions, random, natPort, remoteNatPort, clock } = options;
    this.endpoint = new Endpoint({
      ...{ policy, extensions, random, natPort, remoteNatPort },
      now: () => clock.now(),
      send: (datagram) => this.send(datagram),
      event: (event) => this.#onIke(event),
      outside: (work) => this.#await(work),
    });
    options.link.onReceive((datagram) => this.take(datagram));
  }

  /** Puts a datagram on the link as it is. */
  send(datagram: Datagram): void {
    this.options.event({ type: "datagram-sent", datagram });
    this.options.link.send(datagram);
  }

  /** Must follow every command given to the endpoint, so that its timers run. */
  settle(): void {
    this.#cancelTimer?.();
    const next = this.endpoint.nextTimer;
    this.#cancelTimer =
      next === undefined
        ? undefined
        : this.options.clock.at(next, () => {
            this.#guarded(() => this.endpoint.runTimers());
            this.settle();
          });
    this.options.settled?.();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  pipeOf(child: ChildSa): Pipe | undefined {
    return this.pipes.find((p) => p.child === child);
  }

  #onIke(event: IkeEvent): void {
    if (event.type === "child-established") this.#addPipe(event.child);
    if (event.type === "child-closed") this.#removePipe(event.child);
    this.options.event(event);
  }

  #addPipe(child: ChildSa): void {
    const transforms = { encr: child.encr, integ: child.integ };
    const size = this.options.window;
    const window = size === 0 ? { enabled: false } : size === undefined ? undefined : { size };
    const pipe: Pipe = {
      child,
      outbound: new OutboundSa({
        ...parameters(child, child.spiOut),
        keys: child.keysOut,
        random: this.options.random,
      }),
      inbound: new InboundSa({ ...parameters(child, child.spiIn), transforms, keys: child.keysIn, window }),
    };
    this.pipes.push(pipe);
    for (const extension of this.options.esp) extension.established?.(pipe, this);
  }

  #removePipe(child: ChildSa): void {
    const index = this.pipes.findIndex((p) => p.child === child);
    if (index >= 0) this.pipes.splice(index, 1);
  }

  /** Takes a datagram from the link. */
  take(datagram: Datagram): void {
    this.options.event({ type: "datagram-received", datagram });
    this.#guarded(() => {
      if (datagram.protocol === "esp") this.#receiveEsp(datagram, datagram.data);
      else if (!this.endpoint.receive(datagram)) this.#receiveOther(datagram);
    });
    this.settle();
  }

  #await(work: Promise<void>): void {
    const failed = (error: unknown) =>
      this.#guarded(() => {
        throw error;
      });
    this.options.clock.outside(work.catch(failed).then(() => this.settle()));
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!this.options.failed) throw error;
      this.options.failed(error);
    }
  }

  #receiveOther(datagram: Datagram): void {
    const part = demultiplex(datagram.data);
    if (part.kind === "esp") return this.#receiveEsp(datagram, part.data);
    if (part.kind === "keepalive") this.options.event({ type: "keepalive", datagram });
    this.#answerStray(datagram, datagram.data);
  }

  #answerStray(datagram: Datagram, octets: Uint8Array): void {
    const { protocol, source, destination } = datagram;
    const answers = this.options.esp.flatMap((extension) => extension.stray?.(octets, datagram, this) ?? []);
    for (const data of answers) this.send({ protocol, source: destination, destination: source, data });
  }

  #receiveEsp(datagram: Datagram, packet: Uint8Array): void {
    const spi = packet.length >= 4 ? readU32(packet, 0) : 0;
    const pipe = this.pipes.find((p) => p.inbound.parameters.spi === spi);
    if (!pipe) {
      const result: OpenResult = { ok: false, reason: "spi", detail: `no SA with SPI ${spi}` };
      this.options.event({ type: "esp-received", packet, result });
      return this.#answerStray(datagram, packet);
    }
    let result = pipe.inbound.open(packet);
    const sa = pipe.inbound;
    const reopen = (options: Partial<InboundOptions>) => sa.fresh(options).open(packet);
    for (const extension of this.options.esp) {
      result = extension.incoming?.(result, reopen, { packet, sa, datagram }) ?? result;
    }
    const inner = result.ok && !result.dummy ? readInner(pipe.child, result) : undefined;
    this.options.event({ type: "esp-received", pipe, packet, result, inner });
    if (result.ok) this.#deliver(pipe, result, datagram);
    if (inner?.echo && !inner.echo.reply && inner.allowed && this.options.answersEcho) {
      const reply = replyTo(pipe.child, inner);
      this.sendEsp(pipe, reply.payload, reply.nextHeader);
    }
  }

  #deliver(pipe: Pipe, packet: OpenedPacket, datagram: Datagram): void {
    for (const extension of this.options.esp) extension.delivered?.({ pipe, packet, datagram }, this);
  }

  now(): number {
    return this.options.clock.now();
  }

  /** Seals and sends; `payload` is a whole IP packet in tunnel mode, the upper layer in transport mode. */
  sendEsp(pipe: Pipe, payload: Uint8Array, nextHeader: number, how: EspSendOptions = {}): void {
    const { octets: change, over, ...options } = how;
    const spiIn = hex(pipe.child.spiIn);
    const sa = pipe.outbound;
    const outgoing: OutgoingEsp = { spiIn, sa, payload, nextHeader, options, octets: change };
    for (const extension of this.options.esp) extension.outgoing?.(outgoing);
    const packet = pipe.outbound.seal(outgoing.payload, outgoing.nextHeader, outgoing.options);
    if (isSealRefusal(packet)) return;
    const packets = outgoing.octets ? outgoing.octets(packet) : [packet];
    this.options.event({
      type: "esp-sent",
      pipe,
      packet,
      inner: outgoing.payload,
      nextHeader: outgoing.nextHeader,
    });
    for (const octets of packets) this.sendSealed(pipe.child, octets, over);
    if (outgoing.leak) this.#leak(pipe.child, outgoing.payload);
  }

  /**
   * Sends ESP octets the way the IKE SA found unless told: in its TCP connection, in UDP if there is a NAT, else as
   * IP protocol 50.
   */
  sendSealed(child: ChildSa, data: Uint8Array, over?: Datagram["protocol"]): void {
    const { local, remote, nat } = child.ike;
    const { natPort, remoteNatPort } = this.options;
    const found = local.transport ?? (nat?.peer || nat?.us ? "udp" : "esp");
    const protocol = over ?? found;
    if (protocol === "tcp") return this.send({ protocol, source: local, destination: remote, data });
    if (protocol === "udp") {
      const port = remote.port === 500 ? remoteNatPort : remote.port;
      const source = { host: local.host, port: natPort };
      return this.send({ protocol, source, destination: { host: remote.host, port }, data });
    }
    const source = { host: local.host, port: 0 };
    this.send({ protocol, source, destination: { host: remote.host, port: 0 }, data });
  }

  #leak(child: ChildSa, data: Uint8Array): void {
    const { local, remote } = child.ike;
    this.send({ protocol: "udp", source: local, destination: { host: remote.host, port: 9 }, data });
  }

  /** Sends an echo request through a Child SA. */
  sendEcho(
    pipe: Pipe,
    echo: { from: string; to: string; identifier: number; sequence: number; data: Uint8Array },
    how: EspSendOptions & { nextHeader?: number } = {},
  ): void {
    const { nextHeader, ...rest } = how;
    const [source, destination] = [parseAddress(echo.from), parseAddress(echo.to)];
    if (!source || !destination) throw new Error(`no IP address: ${echo.from} or ${echo.to}`);
    const message = { reply: false, identifier: echo.identifier, sequence: echo.sequence, data: echo.data };
    const icmp = source.length === 4 ? NEXT_HEADER.icmp : NEXT_HEADER.icmpv6;
    const transport = pipe.child.mode === "transport";
    const build = transport ? buildEcho : echoPacket;
    const ordinary = transport ? icmp : source.length === 4 ? NEXT_HEADER.ipv4 : NEXT_HEADER.ipv6;
    this.sendEsp(pipe, build(source, destination, message), nextHeader ?? ordinary, rest);
  }
}

const parameters = (child: ChildSa, spi: Uint8Array): Omit<SaParameters, "keys"> => ({
  spi: readU32(spi, 0),
  transforms: { encr: child.encr, integ: child.integ },
  esn: child.esn,
});
