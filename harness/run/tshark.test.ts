import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { readKeys } from "../../pcaps/key-files/read.ts";
import { decodeWithTshark, tsharkVersion } from "../../pcaps/tshark.ts";
import type { Captured } from "../../pcaps/types.ts";
import { writePcap } from "../../pcaps/write.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import type { ChildSa } from "../ike/child.ts";
import type { IkeSa } from "../ike/sa.ts";
import { ikeProposals } from "../script/policy.ts";
import { Script } from "../script/script.ts";
import { concat } from "../wire/bytes.ts";
import { encodeMessage } from "../wire/index.ts";
import type { Message, Payload } from "../wire/types.ts";
import { memoryArena } from "./arena-memory.ts";
import { captured, writeKeys } from "./evidence.ts";
import { Comparison, type Difference, Reader } from "./tshark-comparison.ts";

/**
 * What tshark 4.0 cannot tell, and what is compared then.
 *
 * | limit | compared |
 * |---|---|
 * | no ChaCha20-Poly1305 in IKE and ESP, no AES-CCM in ESP | headers, and that nothing is inside |
 * | AES-XCBC-96 and AES-CMAC-96 are not checked | all, without its opinion of the ICV |
 * | takes the ICV of ESP with ESN for wrong | all, without its opinion of the ICV |
 * | shows a fragmented message with the fragment that came last | that frame; the others by their headers |
 * | gives up a message at ill-formed data of REDIRECT, REDIRECTED_FROM and ROHC_SUPPORTED | these are not drawn |
 * | reads certificates and distinguished names as ASN.1 and keeps no octets of them | encoding and the payload's octets |
 *
 * What it reads otherwise in messages that are wrong on purpose stands in `tshark-rules.ts`; no rule is needed here.
 */
const SUITES: [ike: string, esp: string][] = [
  ["aes256-sha256-x25519", "aes128-sha256"],
  ["aes128-sha1-prfsha1-ecp256", "aes256-sha1"],
  ["aes192-sha384-prfsha384-ecp384", "aes192-sha384"],
  ["aes256-sha512-prfsha512-x25519", "aes256-sha512-x25519"],
  ["aes256gcm16-prfsha256-x25519", "aes256gcm16"],
  ["aes128gcm8-prfsha512-ecp256", "aes128gcm8-esn"],
  ["aes192gcm12-prfsha384-x25519", "aes192gcm12"],
  ["aes128ctr-sha256-prfsha256-x25519", "aes128ctr-sha256"],
  ["aes128-aesxcbc-prfaesxcbc-x25519", "aes128-aesxcbc"],
  ["aes256ccm16-prfsha256-x25519", "aes256ccm16"],
  ["chacha20poly1305-prfsha256-x25519", "chacha20poly1305"],
];

interface Run {
  datagrams: Captured[];
  sas: IkeSa[];
  children: ChildSa[];
}

type Play = (s: Script) => Promise<unknown>;

async function play(seed: string, config: Partial<PeerConfig>, act: Play, variant?: string): Promise<Run> {
  const s = new Script(await memoryArena({ config }, { seed, variant }));
  await act(s);
  s.host.stop();
  return { datagrams: captured(s.trace), sas: s.trace.ikeSas(), children: s.trace.childSas() };
}

/** All that an SA goes through. */
const wholeLife: Play = async (s) => {
  const session = await s.dial();
  await session.proveTraffic();
  await session.rekeyChild();
  const next = await session.rekeyIke();
  await next.proveTraffic();
  await next.peerRekeysChild();
  const other = await next.createChild();
  await next.deleteChild(other);
  await next.alive();
  await next.deleteIke();
};

/** Exchanges that end in errors. */
const troubles: [string, Partial<PeerConfig>, Play][] = [
  ["cookie", { cookies: "always" }, wholeLife],
  ["TCP", { transport: "tcp" }, wholeLife],
  [
    "other group",
    { ikeProposals: ["aes256-sha256-ecp256"] },
    async (s) => {
      s.policy.ike = ikeProposals("aes256-sha256-x25519-ecp256");
      await wholeLife(s);
    },
  ],
  ["no proposal", { ikeProposals: ["aes128-sha1-modp2048"] }, noProposal],
  ["wrong secret", {}, wrongSecret],
  ["no selector", {}, noSelector],
];

async function noProposal(s: Script): Promise<void> {
  s.policy.ike = ikeProposals("aes256gcm16-prfsha256-x25519");
  await s.tryInit();
}

async function wrongSecret(s: Script): Promise<void> {
  s.policy.psk = Uint8Array.of(1, 2, 3);
  await s.tryDial();
}

async function noSelector(s: Script): Promise<void> {
  for (const ts of s.policy.remoteTs) ts.startAddress = ts.endAddress = Uint8Array.of(198, 51, 100, 9);
  const { sa } = await s.tryDial();
  expect(sa.established).to.equal(true);
}

/** REDIRECT, REDIRECTED_FROM, ROHC_SUPPORTED. */
const HALTING: ReadonlySet<number> = new Set([16407, 16409, 16416]);

const octets = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });
const spi = fc.constantFrom(0, 4, 8).chain((size) => octets(size));

const attribute = fc.oneof(
  fc.record({ type: fc.constant(14), value: fc.constantFrom(128, 192, 256) }),
  fc.record({ type: fc.integer({ min: 20, max: 100 }), value: octets(1, 6) }),
);
const transform = fc.record({
  type: fc.integer({ min: 1, max: 5 }),
  id: fc.nat(1100),
  attributes: fc.array(attribute, { maxLength: 2 }),
});
const proposal = fc.record({
  protocolId: fc.constantFrom(1, 2, 3),
  spi,
  transforms: fc.array(transform, { minLength: 1, maxLength: 6 }),
});
const selector = fc.boolean().chain((v6) =>
  fc.record({
    tsType: fc.constant(v6 ? 8 : 7),
    ipProtocol: fc.nat(255),
    startPort: fc.nat(65535),
    endPort: fc.nat(65535),
    startAddress: octets(v6 ? 16 : 4),
    endAddress: octets(v6 ? 16 : 4),
  }),
);
const identity = fc.constantFrom<[number, number, number]>(
  [1, 4, 4],
  [2, 1, 30],
  [3, 1, 30],
  [5, 16, 16],
  [11, 1, 30],
);
const printable = (min: number, max: number) =>
  fc
    .array(fc.integer({ min: 0x61, max: 0x7a }), { minLength: min, maxLength: max })
    .map((a) => Uint8Array.from(a));

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.array(proposal, { minLength: 1, maxLength: 4 }).map((all) => ({
    ...{ kind: "SA" as const, type: 33 },
    proposals: all.map((p, i) => ({ ...p, number: i + 1 })),
  })),
  fc.record({
    kind: fc.constant("KE" as const),
    type: fc.constant(34),
    group: fc.nat(40),
    data: octets(1, 300),
  }),
  identity.chain(([idType, min, max]) =>
    fc.record({
      ...{ kind: fc.constant("ID" as const), type: fc.constantFrom(35, 36), idType: fc.constant(idType) },
      data: idType === 2 || idType === 3 ? printable(min, max) : octets(min, max),
    }),
  ),
  fc.record({
    kind: fc.constant("AUTH" as const),
    type: fc.constant(39),
    method: fc.nat(14),
    data: octets(1, 99),
  }),
  fc.record({ kind: fc.constant("Nonce" as const), type: fc.constant(40), data: octets(16, 256) }),
  fc.record({
    ...{
      kind: fc.constant("Notify" as const),
      type: fc.constant(41),
      protocolId: fc.constantFrom(0, 1, 3),
      spi,
    },
    notifyType: fc.oneof(fc.nat(60), fc.integer({ min: 16384, max: 16420 })).filter((t) => !HALTING.has(t)),
    data: octets(0, 40),
  }),
  fc.array(octets(4), { minLength: 1, maxLength: 5 }).map((spis) => ({
    ...{ kind: "Delete" as const, type: 42, protocolId: 3, spiSize: 4, spis },
  })),
  fc.record({ kind: fc.constant("VendorID" as const), type: fc.constant(43), data: octets(1, 40) }),
  fc.record({
    ...{ kind: fc.constant("TS" as const), type: fc.constantFrom(44, 45) },
    selectors: fc.array(selector, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    ...{ kind: fc.constant("CP" as const), type: fc.constant(47), cfgType: fc.integer({ min: 1, max: 4 }) },
    attributes: fc.array(
      fc.oneof(
        fc.record({ type: fc.constantFrom(1, 2, 3), data: octets(4) }),
        fc.record({ type: fc.constantFrom(1, 3, 10), data: octets(0) }),
        fc.record({ type: fc.constant(8), data: octets(17) }),
      ),
      { maxLength: 5 },
    ),
  }),
  fc.record({
    ...{ kind: fc.constant("EAP" as const), type: fc.constant(48), code: fc.constantFrom(1, 2) },
    ...{ identifier: fc.nat(255), data: printable(2, 20).map((d) => concat(Uint8Array.of(1), d)) },
  }),
  fc.record({
    ...{ kind: fc.constant("raw" as const), type: fc.integer({ min: 200, max: 250 }), data: octets(1, 30) },
    critical: fc.constantFrom(true, undefined),
  }),
);

const message: fc.Arbitrary<Message> = fc.record({
  header: fc.record({
    ...{
      spiI: octets(8).filter((s) => s.some((b) => b !== 0)),
      spiR: octets(8),
      version: fc.constantFrom(0x20, 0x21),
    },
    exchangeType: fc.constantFrom(34, 35, 36, 37),
    flags: fc.constantFrom(0x08, 0x20, 0x00, 0x28),
    messageId: fc.nat(0xffff_ffff),
  }),
  payloads: fc.array(payload, { minLength: 1, maxLength: 7 }),
});

function constructed(count: number): Run {
  const messages = fc.sample(message, { numRuns: count, seed: 7 });
  const [source, destination] = [
    { host: "192.0.2.1", port: 500 },
    { host: "192.0.2.2", port: 500 },
  ];
  const datagrams = messages.map((m, i) => ({
    ...{ timeMs: i, protocol: "udp" as const, source, destination, data: encodeMessage(m) },
  }));
  return { datagrams, sas: [], children: [] };
}

const textOf = ({ frame, field, ours, theirs }: Difference): string =>
  `frame ${frame.number}, ${field}: we read ${ours}, tshark ${theirs}`;

describe("our decoding and tshark's", () => {
  let folder: string | undefined;

  before(async function () {
    const version = await tsharkVersion();
    if (version === undefined && process.env.BAKEOFF_REQUIRE_PEERS !== "1") this.skip();
    expect(version, "tshark").to.be.a("string");
    folder = mkdtempSync(join(tmpdir(), "bakeoff-compare-"));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  async function compare(runs: Run[]): Promise<Comparison> {
    const all = runs.flatMap((r) => r.datagrams).map((d, i) => ({ ...d, timeMs: i }));
    const [sas, children] = [runs.flatMap((r) => r.sas), runs.flatMap((r) => r.children)];
    const [capture, keys] = [join(folder ?? "", "capture.pcap"), join(folder ?? "", "keys")];
    expect(writePcap(capture, all, 0)).to.equal(undefined);
    writeKeys(keys, sas, children);
    const frames = await decodeWithTshark(capture, keys);
    if ("error" in frames) throw new Error(frames.reason);
    expect(frames).to.have.length(all.length);
    const [reader, comparison] = [new Reader(readKeys([keys]).ring), new Comparison()];
    all.forEach((captured, i) => {
      const frame = frames[i];
      const datagram = { ...captured, kind: "datagram", packet: i + 1, offset: 0 } as const;
      if (frame) comparison.frame([reader.read(datagram)], frame);
    });
    return comparison;
  }

  it("agree on every field of sessions under all suites, with fragments, cookies, other groups and errors", async () => {
    const runs: Run[] = [];
    for (const [ike, esp] of SUITES)
      runs.push(await play(ike, { ikeProposals: [ike], espProposals: [esp] }, wholeLife));
    for (const [name, config, act] of troubles) runs.push(await play(name, config, act));
    runs.push(await play("fragments", {}, wholeLife, "talkative"));
    const { differences, messages, inner, fragmented, esp, espOpened } = await compare(runs);
    expect(differences.slice(0, 20).map(textOf)).to.deep.equal([]);
    expect(messages, "IKE messages").to.be.least(200);
    expect(inner, "messages tshark opened with our keys").to.be.least(150);
    expect(fragmented, "messages put together").to.be.least(4);
    expect(esp, "ESP packets").to.be.least(60);
    expect([...espOpened], "ciphers of ESP that tshark opened with our keys").to.include.members([
      12, 13, 18, 19, 20,
    ]);
  }).timeout(120_000);

  it("agree on every field of 300 messages with payloads drawn at random", async () => {
    const { differences, messages } = await compare([constructed(300)]);
    expect(differences.slice(0, 20).map(textOf)).to.deep.equal([]);
    expect(messages).to.equal(300);
  }).timeout(120_000);
});
