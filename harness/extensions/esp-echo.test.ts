import { expect } from "chai";
import { counting } from "../crypto/bytes.ts";
import { encrTransform } from "../crypto/encr.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { DataPlane, EspExtension } from "../esp/hooks.ts";
import { InboundSa } from "../esp/inbound.ts";
import { OutboundSa } from "../esp/outbound.ts";
import type { Pipe } from "../esp/pipe.ts";
import type { ChildSa } from "../ike/child.ts";
import { IkeSa } from "../ike/sa.ts";
import type { Datagram } from "../link/types.ts";
import { concat, EMPTY, fromHex, hex, readU32, u32 } from "../wire/bytes.ts";
import { decodeEcho, type EchoRevision, encodeEcho, isEchoError } from "../wire/esp-echo.ts";
import { encodePlain } from "../wire/esp-echo-plain.ts";
import { echoNotify } from "./esp-echo-announcement.ts";
import { EchoRequester } from "./esp-echo-requester.ts";
import { echoResponder, type ResponderOptions } from "./esp-echo-responder.ts";

const ENCR = encrTransform(20, 128);
const KEYS = { encr: concat(counting(0, 16), fromHex("a0a1a2a3")), integ: EMPTY };
const A = { host: "192.0.2.1", port: 500 };
const B = { host: "192.0.2.2", port: 500 };
const DATA = new TextEncoder().encode("abcdefgh");

const seal = (pipe: Pipe, payload: Uint8Array): Uint8Array => {
  const packet = pipe.outbound.seal(payload, 144, {});
  if (!(packet instanceof Uint8Array)) throw new Error(packet.reason);
  return packet;
};

/** One end's half of an SA pair, and the other's, with the same keys in both directions. */
function pipes(spis: [a: number, b: number], { announced = true, peer = 1 } = {}): { a: Pipe; b: Pipe } {
  if (!ENCR) throw new Error("no AES-GCM");
  const transforms = { encr: ENCR };
  const make = (local: typeof A, remote: typeof A, [spiIn, spiOut]: [number, number]): Pipe => {
    const ike = new IkeSa("initiator", new Uint8Array(8), local, remote);
    ike.remoteIdentity = { type: 2, data: u32(peer) };
    if (announced) ike.announced.add(echoNotify("M") ?? 0).add(echoNotify("E3") ?? 0);
    const child: ChildSa = {
      ...{
        ike,
        protocolId: 3,
        spiIn: u32(spiIn),
        spiOut: u32(spiOut),
        mode: "tunnel",
        localTs: [],
        remoteTs: [],
      },
      ...{
        encr: ENCR,
        esn: false,
        keysIn: KEYS,
        keysOut: KEYS,
        initiatedByUs: true,
        pfs: false,
        noTfc: false,
      },
      ...{ proposal: { number: 1, protocolId: 3, spi: u32(spiIn), transforms: [] }, state: "installed" },
    };
    const random = seededRandom("echo");
    const sa = { transforms, keys: KEYS, esn: false };
    return {
      child,
      outbound: new OutboundSa({ ...sa, spi: spiOut, random }),
      inbound: new InboundSa({ ...sa, spi: spiIn }),
    };
  };
  return { a: make(A, B, spis), b: make(B, A, [spis[1], spis[0]]) };
}

/** A host without IKE: gives what it opens to its extensions, and keeps what it sends. */
class Plane implements DataPlane {
  readonly pipes: Pipe[] = [];
  readonly sent: Datagram[] = [];
  readonly extensions: EspExtension[] = [];
  readonly host: string;
  time = 0;

  constructor(host: string) {
    this.host = host;
  }

  now = (): number => this.time;

  send(datagram: Datagram): void {
    this.sent.push(datagram);
  }

  sendEsp(pipe: Pipe, payload: Uint8Array): void {
    const { local, remote } = pipe.child.ike;
    this.send({ protocol: "esp", source: local, destination: remote, data: seal(pipe, payload) });
  }

  take(datagram: Datagram): void {
    const { protocol, source, destination, data } = datagram;
    const pipe = this.pipes.find(({ inbound }) => inbound.spi === readU32(data, 0));
    for (const extension of this.extensions) {
      if (pipe) {
        const packet = pipe.inbound.fresh({}).open(data);
        if (packet.ok) extension.delivered?.({ pipe, packet, datagram }, this);
        continue;
      }
      for (const answer of extension.stray?.(data, datagram, this) ?? [])
        this.send({
          protocol,
          source: { ...destination, host: this.host },
          destination: source,
          data: answer,
        });
    }
  }
}

/** A requester and a responder, with these pairs between them. */
function ends(
  revision: EchoRevision,
  spis: [number, number][] = [[0xa01, 0xb01]],
  options: Partial<ResponderOptions> = {},
) {
  const [a, b] = [new Plane(A.host), new Plane(B.host)];
  for (const pair of spis.map((spi) => pipes(spi))) {
    a.pipes.push(pair.a);
    b.pipes.push(pair.b);
  }
  const { codePoints } = options;
  const requester = new EchoRequester({ plane: a, revision, random: seededRandom("requester"), codePoints });
  a.extensions.push(requester.extension);
  b.extensions.push(echoResponder({ revision, ...options }));
  const carry = () => {
    for (const datagram of a.sent.splice(0)) b.take(datagram);
    for (const datagram of b.sent.splice(0)) a.take(datagram);
  };
  return { a, b, requester, carry };
}

const PLAIN = {
  protocol: "udp",
  source: { host: A.host, port: 4500 },
  destination: { host: B.host, port: 4500 },
} as const;

describe("ESP echo between two ends", () => {
  it("seals the digest's packet", () => {
    const { a } = pipes([1, 0xc0ffee01]);
    const echo = {
      subType: 2,
      flags: 0x80,
      identifier: 0x1234,
      sequence: 1,
      replySpi: 0xc0ffee02,
      data: DATA,
    };
    const packet = a.outbound.seal(encodeEcho(echo, "M"), 144, { iv: fromHex("1011121314151617") });
    expect(packet instanceof Uint8Array && hex(packet)).to.equal(
      "c0ffee010000000110111213141516175b12ea19e52f9baee2543c33785e368e5fbb25a3a95adc9805ecf34a2c2862b5907e0a1b09e194e0",
    );
  });

  for (const revision of ["M", "E3", "E2", "K"] as const) {
    it(`answers in revision ${revision} on the pair, and on another pair that is asked for`, () => {
      const { requester, carry } = ends(revision, [
        [0xa01, 0xb01],
        [0xa02, 0xb02],
      ]);
      const first = requester.probe({ data: DATA });
      const second = requester.probe({ data: DATA, replySpi: 0xa01 });
      carry();
      expect(requester.replyTo(first)).to.include({
        spi: 0xa02,
        asAsked: true,
        matches: true,
        duplicate: false,
      });
      expect(requester.replyTo(second)).to.include({ spi: 0xa01, asAsked: true, matches: true });
      expect(requester.lost(0)).to.equal(0);
    });
  }

  for (const revision of ["M", "K", "C", "C0"] as const) {
    it(`answers in revision ${revision} before there is any SA, the way it was asked`, () => {
      const { a, b, requester, carry } = ends(revision, []);
      const sequence = requester.probe({ plain: PLAIN, data: revision === "C0" ? EMPTY : DATA });
      const [request] = a.sent;
      carry();
      expect(requester.replyTo(sequence)).to.deep.include({ spi: 8, plain: true, matches: true });
      expect(requester.replyTo(sequence)?.datagram).to.deep.include({
        ...{ protocol: "udp", source: PLAIN.destination, destination: PLAIN.source },
      });
      expect(requester.replyTo(sequence)?.datagram.data.length).to.equal(request?.data.length);
      expect(b.sent).to.have.length(0);
    });
  }

  it("does not answer one-way probes in revision M", () => {
    const { requester, carry } = ends("M");
    requester.probe({ reply: false, replySpi: 0xa01 });
    requester.probe({ reply: false, plain: PLAIN });
    carry();
    expect(requester.replies).to.have.length(0);
    expect(requester.lost(0)).to.equal(0);
  });

  it("does not answer who announced nothing", () => {
    const { b, carry, requester, a } = ends("M", []);
    const pair = pipes([0xa01, 0xb01], { announced: false });
    a.pipes.push(pair.a);
    b.pipes.push(pair.b);
    requester.probe();
    carry();
    expect(requester.lost(0)).to.equal(1);
  });

  it("never uses the SA of another peer", () => {
    const { b, requester, carry } = ends("M");
    const stranger = pipes([0xc01, 0xd01], { peer: 2 }).b;
    b.pipes.push(stranger);
    const sequence = requester.probe({ replySpi: 0xc01 });
    carry();
    expect(requester.replyTo(sequence)).to.include({ spi: 0xa01, asAsked: false });
  });

  it("cuts the data to what the way back takes, and says so in Data Length", () => {
    const { a, b, requester } = ends("M", [[0xa01, 0xb01]], { mtu: 200 });
    requester.probe({ size: 400 });
    for (const datagram of a.sent) b.take(datagram);
    const [reply] = b.sent;
    expect((reply?.data.length ?? 0) + 20).to.be.within(197, 200);
    const opened = a.pipes[0]?.inbound.open(reply?.data ?? EMPTY);
    const echo = opened?.ok ? decodeEcho(opened.payload, "M") : undefined;
    expect(echo && !isEchoError(echo) && echo.dataLength === echo.data.length).to.equal(true);
  });

  it("answers at most 100 plain requests per second and peer", () => {
    const { a, b, requester, carry } = ends("M", []);
    for (let sent = 0; sent < 300; sent++) requester.probe({ plain: PLAIN });
    carry();
    expect(requester.replies).to.have.length(100);
    a.time = b.time = 1000;
    requester.probe({ plain: PLAIN });
    carry();
    expect(requester.replies).to.have.length(101);
  });

  it("answers at most 1000 plain requests per second in all, whatever their sources say", () => {
    const { a, b, requester } = ends("M", []);
    requester.probe({ plain: PLAIN });
    const data = a.sent[0]?.data ?? EMPTY;
    for (let n = 0; n < 3000; n++)
      b.take({ ...PLAIN, source: { host: `198.51.100.${n % 256}`, port: 4500 + (n >> 8) }, data });
    expect(b.sent).to.have.length(1000);
  });

  it("speaks with the numbers of the peer where those are others", () => {
    const codePoints = { "RESERVED_SPI.ESP_ECHO_REQUEST": 9, "AGGFRAG_SUB_TYPE.ESP_ECHO_REPLY": 77 };
    const { a, requester, carry } = ends("M", [[0xa01, 0xb01]], { codePoints });
    const [plain, within] = [requester.probe({ plain: PLAIN }), requester.probe()];
    expect(readU32(a.sent[0]?.data ?? EMPTY, 0)).to.equal(9);
    carry();
    expect(requester.replyTo(plain)?.plain).to.equal(true);
    expect(requester.replyTo(within)?.spi).to.equal(0xa01);
  });

  it("does not answer what was sent to many", () => {
    const { b } = ends("M", []);
    const echo = { subType: 2, flags: 0x80, identifier: 1, sequence: 1, replySpi: 8, data: DATA };
    const data = encodePlain({ spi: 7, espSequence: 0, echo }, "M");
    for (const host of ["224.0.0.1", "255.255.255.255", "ff02::1"])
      b.take({ ...PLAIN, destination: { host, port: 4500 }, data });
    expect(b.sent).to.have.length(0);
    b.take({ ...PLAIN, data });
    expect(b.sent).to.have.length(1);
  });

  it("answers a congestion-control payload once, and no answer", () => {
    const { requester, carry } = ends("M");
    const sequence = requester.probe({ congestion: true });
    carry();
    carry();
    expect(requester.replyTo(sequence)).to.include({ spi: 0xa01, asAsked: true });
    expect(requester.replies).to.have.length(1);
  });

  it("takes no forged reply for one of its own", () => {
    const { a, requester } = ends("M");
    const sequence = requester.probe();
    const echo = { subType: 3, flags: 0, identifier: requester.identifier, sequence, data: EMPTY };
    const data = encodePlain({ spi: 8, espSequence: 0, echo }, "M");
    a.take({ ...PLAIN, source: PLAIN.destination, destination: PLAIN.source, data });
    const plain = requester.probe({ plain: PLAIN });
    const forged = encodePlain({ spi: 8, espSequence: 0, echo: { ...echo, sequence: plain } }, "M");
    a.take({ ...PLAIN, source: { host: "192.0.2.9", port: 4500 }, data: forged });
    expect(requester.replies).to.have.length(0);
  });
});
