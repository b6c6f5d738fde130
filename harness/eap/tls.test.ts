import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { pki } from "../pki/pki.ts";
import type { CertificateWishes, KeyKind } from "../pki/types.ts";
import { authenticator, supplicant } from "./index.ts";
import type { EapConversation, EapManners, EapPacket, EapStep, EapTls } from "./types.ts";

const USER = { type: "tls", identity: "peer.example", password: "" } as const;
const SERVER = "tester.example";

interface Wishes {
  key?: KeyKind;
  certificate?: CertificateWishes;
  identity?: string;
  tls?: Partial<EapTls>;
  manners?: EapManners;
}

interface Ends {
  peer?: Wishes;
  server?: Wishes;
  onTheWay?: (packet: EapPacket, turn: number) => EapPacket;
}

interface Outcome {
  packets: EapPacket[];
  peer: EapStep;
  server: EapStep;
}

async function tlsOf(
  identity: string,
  { key = "ecdsa256", certificate, ...wishes }: Wishes,
): Promise<EapTls> {
  const { ca, credential } = await pki();
  return {
    credential: await credential(wishes.identity ?? identity, key, certificate),
    trusted: ca,
    ...wishes.tls,
  };
}

/** One step, with what comes later. */
async function take(end: EapConversation, packet: EapPacket): Promise<EapStep> {
  const step = end.take(packet);
  return step.later ?? step;
}

async function converse({
  peer = {},
  server = {},
  onTheWay = (packet) => packet,
}: Ends = {}): Promise<Outcome> {
  const random = seededRandom("tls");
  const options = { user: USER, random };
  const asks = authenticator({
    ...options,
    tls: await tlsOf(SERVER, server),
    ...(server.manners && { manners: server.manners }),
  });
  const ofPeer = { peerName: SERVER, ...(await tlsOf(USER.identity, peer)) };
  const answers = supplicant({ ...options, tls: ofPeer, ...(peer.manners && { manners: peer.manners }) });
  const outcome: Outcome = { packets: [], peer: {}, server: {} };
  const carry = (packet: EapPacket): EapPacket => {
    outcome.packets.push(onTheWay(packet, outcome.packets.length));
    return outcome.packets.at(-1)!;
  };
  let request: EapPacket | undefined = asks.begin();
  while (request) {
    outcome.peer = await take(answers, carry(request));
    if (!outcome.peer.send) break;
    outcome.server = await take(asks, carry(outcome.peer.send));
    request = outcome.server.send;
  }
  asks.close();
  answers.close();
  return outcome;
}

const results = ({ peer, server }: Outcome) => [peer.result, server.result];

describe("eap: TLS", () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const key of ["rsa2048", "ecdsa256", "ecdsa384", "ed25519"] as const) {
      it(`of ${version} with ${key} ends with Success and one MSK`, async () => {
        const outcome = await converse({ peer: { key }, server: { key, tls: { version } } });
        expect(results(outcome)).to.deep.equal(["success", "success"]);
        expect(outcome.peer.MSK).to.have.length(64);
        expect(outcome.peer.MSK).to.deep.equal(outcome.server.MSK);
      });
    }

    it(`of ${version} goes through packets of any size`, async () => {
      const tls = { version, fragmentSize: 200 };
      const outcome = await converse({ peer: { tls }, server: { tls } });
      expect(results(outcome)).to.deep.equal(["success", "success"]);
      expect(outcome.packets.length).to.be.above(20);
      expect(Math.max(...outcome.packets.map(({ data }) => data.length))).to.equal(206);
    });

    it(`of ${version} carries a chain of certificates`, async () => {
      const certificate: CertificateWishes = { intermediate: "good" };
      const outcome = await converse({ peer: { certificate }, server: { certificate, tls: { version } } });
      expect(results(outcome)).to.deep.equal(["success", "success"]);
    });
  }

  it("of the two versions is 1.3 if both ends can", async () => {
    const { packets } = await converse();
    const commitment = packets.at(-3);
    const whole = packets.length - 3;
    expect(commitment?.data.subarray(0, 2)).to.deep.equal(Uint8Array.of(13, 0));
    expect(packets.map(({ data }) => data[0])).to.deep.equal([1, 1, ...Array(whole).fill(13), undefined]);
  });

  it("makes another MSK every time", async () => {
    const [one, other] = [await converse(), await converse()];
    expect(one.peer.MSK).not.to.deep.equal(other.peer.MSK);
  });

  it("ignores what comes while TLS is at work, and answers the same request by the same packet", async () => {
    const tls = await tlsOf(USER.identity, {});
    const peer = supplicant({ user: USER, random: seededRandom(1), tls });
    const start: EapPacket = { code: 1, identifier: 5, data: Uint8Array.of(13, 0x20) };
    const first = peer.take(start);
    expect(peer.take(start).reason).to.contain("still at work");
    const { send } = (await first.later) ?? {};
    expect(send?.data.length).to.be.above(100);
    expect(peer.take(start)).to.deep.equal({ send });
    peer.close();
  });

  it("drops what TLS had at work when the conversation is closed", async () => {
    const tls = await tlsOf(USER.identity, {});
    const peer = supplicant({ user: USER, random: seededRandom(1), tls });
    const { later } = peer.take({ code: 1, identifier: 5, data: Uint8Array.of(13, 0x20) });
    peer.close();
    expect(await later).to.have.all.keys("reason");
  });
});

describe("eap: TLS that fails", () => {
  const BAD: [string, Wishes, string][] = [
    ["expired", { certificate: { validity: "expired" } }, "CERT_HAS_EXPIRED"],
    ["of an unknown CA", { certificate: { issuer: "unknown" } }, "certificate of the other end"],
    ["with a broken signature", { certificate: { signature: "broken" } }, "CERT_SIGNATURE_FAILURE"],
    ["for another name", { identity: "tester-two.example" }, "is not for"],
  ];
  for (const [what, wishes, reason] of BAD) {
    it(`refuses a peer's certificate ${what}`, async () => {
      const outcome = await converse({ peer: wishes });
      expect(outcome.server.result).to.equal("failure");
      expect(outcome.server.reason).to.contain(reason);
      expect(outcome.peer.result).to.equal("failure");
    });

    it(`refuses an authenticator's certificate ${what}`, async () => {
      const outcome = await converse({ server: wishes });
      expect(outcome.peer.result).to.equal("failure");
      expect(outcome.peer.reason).to.contain(reason);
      expect(outcome.peer).not.to.have.property("MSK");
    });
  }

  it("accepts any certificate when told to", async () => {
    const certificate: CertificateWishes = { validity: "expired" };
    const manners = { acceptsAnything: true };
    const outcome = await converse({ peer: { certificate, manners }, server: { certificate, manners } });
    expect(results(outcome)).to.deep.equal(["success", "success"]);
  });

  it("tells by an alert that there is no common version", async () => {
    const outcome = await converse({
      peer: { tls: { version: "TLSv1.2" } },
      server: { tls: { version: "TLSv1.3" } },
    });
    expect(outcome.server).to.include({ result: "failure", reason: "TLS: unsupported protocol" });
    expect(outcome.peer.result).to.equal("failure");
  });

  it("is a Failure without a certificate of our own, or with one that OpenSSL does not take", async () => {
    const random = seededRandom(1);
    const peer = supplicant({ user: USER, random });
    const start: EapPacket = { code: 1, identifier: 5, data: Uint8Array.of(13, 0x20) };
    expect(await take(peer, start)).to.deep.equal({
      result: "failure",
      reason: "EAP-TLS without a certificate of our own",
    });
    const tls = await tlsOf(USER.identity, { certificate: { bomb: "garbage" } });
    const other = await take(supplicant({ user: USER, random, tls }), start);
    expect(other.reason).to.match(/^OpenSSL does not take our key or certificate/);
  });

  it("does not believe Success before TLS is done, or without the commitment of RFC 9190", async () => {
    const early = await converse({ server: { manners: { succeedsEarly: "within the method" } } });
    expect(early.peer.reason).to.equal("Success too early: the TLS handshake goes on");
  });

  it("does not believe Success without the commitment of RFC 9190 section 2.5", async () => {
    const whole = await converse();
    const at = whole.packets.length - 3;
    const uncommitted = await converse({
      onTheWay: (packet, turn) => (turn === at ? { ...packet, data: packet.data.subarray(0, -23) } : packet),
    });
    expect(uncommitted.peer.reason).to.contain("Success too early: no commitment");
  });

  it("is bounded for a chain of a hundred certificates", async () => {
    const outcome = await converse({ server: { certificate: { bomb: "long chain" } } });
    expect(outcome.packets.length).to.be.below(200);
    expect(outcome.peer.result).to.equal("failure");
  });

  it("is bounded for a peer whose message never ends", async () => {
    const options = { user: USER, random: seededRandom("tls"), manners: { skipsIdentity: true } };
    const server = authenticator({ ...options, tls: await tlsOf(SERVER, {}) });
    const withMore = Uint8Array.of(13, 0x40, 0x16);
    let { identifier } = server.begin();
    for (let requests = 1; requests <= 1000; requests++) {
      const step = await take(server, { code: 2, identifier, data: withMore });
      if (step.result) {
        expect([step.result, step.send?.code, requests]).to.deep.equal(["failure", 4, 256]);
        return;
      }
      identifier = step.send?.identifier ?? identifier;
    }
    throw new Error("it goes on after 1,000 requests");
  });

  it("never throws and always ends when packets change on their way", async () => {
    const size = fc.nat(1500);
    await fc.assert(
      fc.asyncProperty(fc.nat(12), size, fc.nat(255), size, async (turn, at, value, cut) => {
        const onTheWay = (packet: EapPacket, number: number): EapPacket => {
          if (number !== turn || packet.data.length < 2) return packet;
          const data = Uint8Array.from(packet.data);
          data[1 + (at % (data.length - 1))] = value;
          return { ...packet, data: data.subarray(0, 1 + Math.max(1, cut)) };
        };
        const { peer, server } = await converse({ onTheWay });
        if (peer.result === "success") expect(peer.MSK).to.deep.equal(server.MSK);
      }),
      { numRuns: 60 },
    );
  });
});
