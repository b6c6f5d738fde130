import { expect } from "chai";
import fc from "fast-check";
import { encrTransform } from "../crypto/encr.ts";
import { integTransform } from "../crypto/integ.ts";
import { ikeKeys, rekeyedSkeyseed, skeyseed } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { AuthInputs, IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import { IkeSa, type IkeSuite } from "../ike/sa.ts";
import { openPayload, type SealOptions, sealMessage } from "../ike/sk.ts";
import { concat, EMPTY, hex } from "../wire/bytes.ts";
import { decodeMessage, encodeChain, firstPayloadType, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Header, Payload } from "../wire/types.ts";
import { coveredOfReceived, coveredOfSent, IntAuth } from "./int-auth.ts";

const counting = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => from + i);
const random = seededRandom("int-auth");

function suite(encrId: number, integId?: number): IkeSuite {
  const [encr, prf] = [encrTransform(encrId, 256), prfTransform(5)];
  if (!encr || !prf) throw new Error("no such transform");
  return { encr, prf, group: 31, ...(integId && { integ: integTransform(integId) }) };
}

const GCM = suite(20);
const CBC = suite(12, 12);

const [Ni, Nr] = [counting(0x10, 32), counting(0x30, 32)];
const [SPI_I, SPI_R] = [counting(0, 8), counting(8, 8)];
const at = { host: "192.0.2.1", port: 500 };

/** The IKE SA of the vectors with the keys of IKE_SA_INIT. */
function vectorSa(role: "initiator" | "responder", chosen = GCM): IkeSa {
  const sa = new IkeSa(role, SPI_I, at, at);
  sa.spiR = SPI_R;
  const seed = skeyseed(chosen.prf, Ni, Nr, counting(0xa0, 32));
  sa.install(chosen, ikeKeys(chosen.prf, chosen.encr, chosen.integ, seed, Ni, Nr, SPI_I, SPI_R));
  return sa;
}

/** The keys after an additional key exchange whose secret is c0..df. */
function update(sa: IkeSa): void {
  const { suite: chosen, keys } = sa;
  if (!chosen || !keys) throw new Error("no keys");
  const seed = rekeyedSkeyseed(chosen.prf, keys.SK_d, counting(0xc0, 32), Ni, Nr);
  sa.install(chosen, ikeKeys(chosen.prf, chosen.encr, chosen.integ, seed, Ni, Nr, SPI_I, SPI_R));
}

const header = (messageId: number, isResponse: boolean): Header => ({
  ...{ spiI: SPI_I, spiR: SPI_R, version: 0x20, exchangeType: EXCHANGE.IKE_INTERMEDIATE },
  ...{ flags: isResponse ? 0x20 : 0x08, messageId },
});

const message = (
  sa: IkeSa,
  messageId: number,
  isResponse: boolean,
  payloads: Payload[],
): OutgoingMessage => ({
  ...{
    sa,
    header: header(messageId, isResponse),
    isResponse,
    payloads,
    clear: [],
    seal: {},
    protected: true,
  },
});

const ke = (data: Uint8Array): Payload => ({ kind: "KE", type: PAYLOAD.KE, group: 31, data });

const inputs = (sa: IkeSa): AuthInputs => ({
  ...{ sa, of: "initiator", message: EMPTY, nonce: EMPTY, SK_p: EMPTY, idBody: EMPTY },
});

/** The datagrams of a message, each piece of its inner payloads sealed apart; one piece: not fragmented. */
function seal(
  from: IkeSa,
  sent: OutgoingMessage,
  pieces: Uint8Array[],
  reserved: number[] = [],
): Uint8Array[] {
  const { outbound } = from;
  if (!outbound) throw new Error("no keys");
  const first = firstPayloadType(sent.payloads);
  return pieces.map((piece, i) => {
    const options: SealOptions =
      reserved[i] === undefined ? sent.seal : { ...sent.seal, reserved: reserved[i] };
    const fragment = pieces.length > 1 ? { number: i + 1, total: pieces.length } : undefined;
    const clear = i === 0 ? sent.clear : [];
    return sealMessage(outbound, random, sent.header, clear, piece, i === 0 ? first : 0, options, fragment);
  });
}

/** What is in SK or SKF of a datagram. */
function opened(to: IkeSa, datagram: Uint8Array): { number: number; plaintext: Uint8Array } {
  const decoded = decodeMessage(datagram);
  const last = isFrameError(decoded) ? undefined : decoded.payloads.at(-1);
  if ((last?.kind !== "SK" && last?.kind !== "SKF") || !to.inbound) throw new Error("not protected");
  const result = openPayload(to.inbound, datagram, last);
  if ("error" in result) throw new Error(result.error);
  return { number: last.kind === "SKF" ? last.fragmentNumber : 1, plaintext: result.plaintext };
}

/** What the receiver covers of these datagrams. */
function received(to: IkeSa, datagrams: Uint8Array[]): string {
  const parts = datagrams
    .map((octets) => ({ octets, ...opened(to, octets) }))
    .sort((a, b) => a.number - b.number);
  const covered = coveredOfReceived(parts[0]?.octets ?? EMPTY, concat(...parts.map((p) => p.plaintext)));
  return hex(covered ?? EMPTY);
}

describe("IntAuth: vectors of the harness", () => {
  const P_i1 = "00000028001f0000505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f";
  const P_r1 = "00000028001f0000707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f";
  const A_i1 = "000102030405060708090a0b0c0d0e0f2e202b0800000001000000482200002c";
  const A_r1 = "000102030405060708090a0b0c0d0e0f2e202b2000000001000000482200002c";
  const A_i2 = "000102030405060708090a0b0c0d0e0f2e202b08000000020000002000000004";
  const A_r2 = "000102030405060708090a0b0c0d0e0f2e202b20000000020000002000000004";
  const FIRST_I = "ab312de857d7755d977149a6fbaa6ca6164d2ef0de0a52d9df2200996f7790f4";
  const FIRST_R = "0aed33a14073d29adf23f28a8b8dcc85ccc56e778795efdaf9e1f8ba789afad8";
  const SECOND_I = "9e30486007fba3ce80289aa65dba324ec916c7b8c6d82174989fa14c119ccaeb";
  const SECOND_R = "7aae5c16c3904a54b355e4827c305ae8780b041036eeaddfc25da473cc05b027";
  const request = (sa: IkeSa) => message(sa, 1, false, [ke(counting(0x50, 32))]);
  const response = (sa: IkeSa) => message(sa, 1, true, [ke(counting(0x70, 32))]);

  it("covers the header, the header of SK and the inner payloads", () => {
    const sa = vectorSa("initiator");
    expect(hex(sa.keys?.SK_pi ?? EMPTY)).to.equal(
      "c0ddf0a813af4009e723b176985383d56e9f75f75ff4aadfc86e3e7901b50555",
    );
    const covered = [request(sa), response(sa)].map((m) => hex(coveredOfSent(m, encodeChain(m.payloads))));
    expect(covered).to.deep.equal([A_i1 + P_i1, A_r1 + P_r1]);
    const empty = [message(sa, 2, false, []), message(sa, 2, true, [])];
    expect(empty.map((m) => hex(coveredOfSent(m, EMPTY)))).to.deep.equal([A_i2, A_r2]);
  });

  for (const role of ["initiator", "responder"] as const)
    it(`chains two exchanges with the keys of before each, as ${role}`, () => {
      const [sa, other] = [vectorSa(role), vectorSa(role === "initiator" ? "responder" : "initiator")];
      const intAuth = new IntAuth();
      const pass = (sent: OutgoingMessage) => {
        const ours = sent.isResponse === (role === "responder");
        const inner = encodeChain(sent.payloads);
        const [octets = EMPTY] = ours ? [] : seal(other, sent, [inner]);
        if (ours) intAuth.sent(sent, inner);
        else intAuth.received({ ...taken(sent), octets, inner });
      };
      const value = () => {
        const all = inputs(sa);
        intAuth.append(all);
        return hex(all.IntAuth ?? EMPTY);
      };
      const taken = ({ header: head, isResponse, payloads }: OutgoingMessage): IncomingMessage => ({
        ...{
          sa,
          header: head,
          isResponse,
          payloads,
          clear: [],
          protected: true,
          octets: EMPTY,
          findings: [],
        },
        datagram: { protocol: "udp", source: at, destination: at, data: EMPTY },
      });
      expect(value()).to.equal("");
      pass(request(sa));
      expect(value()).to.equal("");
      pass(response(sa));
      expect(value()).to.equal(`${FIRST_I}${FIRST_R}00000002`);
      for (const end of [sa, other]) update(end);
      pass(message(sa, 2, false, []));
      pass(message(sa, 2, true, []));
      expect(value()).to.equal(`${SECOND_I}${SECOND_R}00000003`);
    });

  it("overlooks a request from the responder, and a response from the initiator", () => {
    const sa = vectorSa("initiator");
    const intAuth = new IntAuth();
    const inner = encodeChain(request(sa).payloads);
    intAuth.sent(request(sa), inner);
    const stray = message(vectorSa("responder"), 0, false, []);
    const [octets = EMPTY] = seal(vectorSa("responder"), stray, [EMPTY]);
    const datagram = { protocol: "udp", source: at, destination: at, data: octets } as const;
    intAuth.received({ ...stray, sa, octets, inner: EMPTY, datagram, findings: [] });
    const all = inputs(sa);
    intAuth.append(all);
    expect(all.IntAuth).to.equal(undefined);
  });
});

for (const [name, chosen] of [
  ["AES-GCM", GCM],
  ["AES-CBC", CBC],
] as const)
  describe(`what IntAuth covers under ${name}`, () => {
    const [sender, receiver] = [vectorSa("initiator", chosen), vectorSa("responder", chosen)];
    const sent = message(sender, 1, false, [notify(60_000, counting(0, 90)), ke(counting(0x50, 32))]);
    const inner = encodeChain(sent.payloads);
    const halves = [inner.subarray(0, 50), inner.subarray(50)];

    it("is the same where the message came in fragments, in any order", () => {
      const right = hex(coveredOfSent(sent, inner));
      expect(received(receiver, seal(sender, sent, [inner]))).to.equal(right);
      expect(received(receiver, seal(sender, sent, halves).reverse())).to.equal(right);
    });

    it("has RESERVED of the first fragment", () => {
      const marked = { ...sent, seal: { reserved: 1 } };
      const right = hex(coveredOfSent(marked, inner));
      expect(right.slice(58, 60)).to.equal("01");
      expect(received(receiver, seal(sender, marked, halves, [1, 2]))).to.equal(right);
    });

    it("has the critical bit as it came", () => {
      const marked = { ...sent, seal: { critical: true, reserved: 3 } };
      const right = hex(coveredOfSent(marked, inner));
      expect(right.slice(58, 60)).to.equal("83");
      expect(received(receiver, seal(sender, marked, [inner]))).to.equal(right);
    });

    it("has payloads in clear in front of SK, the last of which names SK", () => {
      const vendor: Payload = { kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: counting(1, 6) };
      const clear = { ...sent, clear: [notify(60_001), vendor] };
      const right = hex(coveredOfSent(clear, inner));
      expect(right).to.contain("2e00000a010203040506");
      expect(received(receiver, seal(sender, clear, [inner]))).to.equal(right);
      expect(received(receiver, seal(sender, clear, halves))).to.equal(right);
    });

    it("ends with the header of an empty SK", () => {
      const empty = message(sender, 1, false, []);
      expect(received(receiver, seal(sender, empty, [EMPTY]))).to.equal(hex(coveredOfSent(empty, EMPTY)));
    });

    it("is nothing where there is neither SK nor SKF", () => {
      expect(coveredOfReceived(new Uint8Array(28), EMPTY)).to.equal(undefined);
      expect(coveredOfReceived(counting(0, 64), EMPTY)).to.equal(undefined);
    });

    it("is what the sender covers, however it is cut, padded and ordered", () => {
      const cases = fc.record({
        octets: fc.integer({ min: 0, max: 400 }),
        cuts: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 }),
        order: fc.array(fc.nat(), { minLength: 7, maxLength: 7 }),
        reserved: fc.array(fc.integer({ min: 0, max: 127 }), { minLength: 7, maxLength: 7 }),
        clear: fc.boolean(),
        blocks: fc.integer({ min: 0, max: 3 }),
      });
      fc.assert(
        fc.property(cases, ({ octets, cuts, order, reserved, clear, blocks }) => {
          const payloads = octets === 0 ? [] : [notify(60_000, new Uint8Array(octets))];
          const plain = encodeChain(payloads);
          const borders = [...new Set(cuts.filter((c) => c < plain.length))].sort((a, b) => a - b);
          const pieces = [0, ...borders].map((from, i) => plain.subarray(from, borders[i]));
          const all: OutgoingMessage = {
            ...message(sender, 1, false, payloads),
            clear: clear ? [notify(60_001)] : [],
            seal: {
              reserved: reserved[0] ?? 0,
              ...(blocks > 0 && { padding: padded(chosen, pieces, blocks) }),
            },
          };
          const datagrams = seal(sender, all, pieces, reserved)
            .map((datagram, i) => ({ datagram, key: order[i] ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ datagram }) => datagram);
          return received(receiver, datagrams) === hex(coveredOfSent(all, plain));
        }),
        { numRuns: 60 },
      );
    });
  });

/** More padding than the first piece needs; the others have as much, which a combined-mode cipher takes. */
function padded({ encr }: IkeSuite, pieces: Uint8Array[], blocks: number): Uint8Array | undefined {
  if (!encr.aead && pieces.length > 1) return undefined;
  const { length } = pieces[0] ?? EMPTY;
  const block = encr.blockSize;
  return new Uint8Array(((block - ((length + 1) % block)) % block) + blocks * block);
}
