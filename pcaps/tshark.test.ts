import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ALL_ENCR, encrTransform } from "../harness/crypto/encr.ts";
import { ALL_INTEG, integTransform } from "../harness/crypto/integ.ts";
import type { Encr, Integ } from "../harness/crypto/types.ts";
import { concat, fromHex, hex, u16, u32 } from "../harness/wire/bytes.ts";
import { defaultPadding } from "../harness/wire/esp.ts";
import { buildEchoPacket } from "../harness/wire/ip.ts";
import { type EspSaKeys, type IkeSaKeys, wiresharkKnows, writeKeyFolder } from "./keys.ts";
import { type DecodedFrame, decodeWithTshark, tsharkVersion } from "./tshark.ts";
import type { Captured } from "./types.ts";
import { writePcap } from "./write.ts";

const US = { host: "192.0.2.1", port: 500 };
const PEER = { host: "198.51.100.2", port: 500 };
const EPOCH = Date.UTC(2026, 0, 1);

/** Worked example of the project's digest of RFC 7296: AES-CBC-256 with HMAC-SHA2-256-128. */
const AUTH_REQUEST = fromHex(`
  a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20230800000001000000e0230000c4505152535455565758595a5b5c5d5e5f
  3f34bd41f17a79a203a3abbea0c9f7ad7b1535c37d4aae259ccce258d37e84bd4a69f104140940d69a68877306b5640d
  5d2f555a84ceaee6a01f8826ad16b876a95439b838b3848e10d626b7d8b58bbda88f5592955b7140e1b67e53b847bcc6
  c87fbb31fb8b1b0fb21fdadf6de414a68c365c1e415f7c43b188257d1a6041c7d9d4e71d405772ee015fd6b5a67e2fb4
  fae45d22544f7fd814e96974068d0088c3dc69dfa6972907a2298d45b8517cfe`);
const CBC_KEYS: IkeSaKeys = {
  spiI: fromHex("a1a2a3a4a5a6a7a8"),
  spiR: fromHex("b1b2b3b4b5b6b7b8"),
  encrId: 12,
  keyBits: 256,
  integId: 12,
  SK_ei: fromHex("bb7a734293240c553e5b759d0a2463dd89d84b4fe1fbcac4ec588155f7e66e5b"),
  SK_er: fromHex("0bf9dcb4af523977f1353bcf2565c53f455b29cfe51cbc6e0efe9d65cd17ec06"),
  SK_ai: fromHex("0af23adade0117db951a2b1f9610ce89226a162c89ad232df4441eae8aa32e39"),
  SK_ar: fromHex("3deb9493c04d96cda5098ffe2c5e25e68293bc2fb603068cc2d3a86102cf5617"),
};

/** The same SA with AES-GCM-16, a Delete of the IKE SA inside. */
const GCM_DELETE = fromHex(`
  a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b82e20250800000003000000412a0000250000000000000002dc5fb9661ed47bf3
  a45ebdde5b80b8e3855829cf5041df638b`);
const GCM_KEYS: IkeSaKeys = {
  ...CBC_KEYS,
  encrId: 20,
  integId: undefined,
  SK_ei: fromHex("0af23adade0117db951a2b1f9610ce89226a162c89ad232df4441eae8aa32e393deb9493"),
  SK_er: fromHex("c04d96cda5098ffe2c5e25e68293bc2fb603068cc2d3a86102cf5617bb7a734293240c55"),
  SK_ai: new Uint8Array(0),
  SK_ar: new Uint8Array(0),
};

let folder: string;

async function decode(
  datagrams: Captured[],
  ike: readonly IkeSaKeys[],
  esp: readonly EspSaKeys[] = [],
): Promise<DecodedFrame[]> {
  const [capture, keys] = [join(folder, "capture.pcap"), join(folder, "keys")];
  expect(writePcap(capture, datagrams, EPOCH)).to.equal(undefined);
  writeKeyFolder(keys, { ike, esp });
  const frames = await decodeWithTshark(capture, keys);
  if ("error" in frames) throw new Error(frames.reason);
  return frames;
}

function udp(data: Uint8Array, port = 500): Captured {
  return { timeMs: 0, protocol: "udp", source: { ...US, port }, destination: { ...PEER, port }, data };
}

/** Octets that count up from `first`, as keys that are easy to tell apart. */
function octets(count: number, first: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => first + i);
}

/** Every cipher once, and every integrity transform once with the first cipher that needs one. */
function combinations(): { encr: Encr; integ?: Integ }[] {
  const cbc = ALL_ENCR.find((encr) => encr.id === 12);
  const sha2 = integTransform(12);
  if (!cbc || !sha2) throw new Error("no AES-CBC or no HMAC-SHA2-256-128");
  return [
    ...ALL_ENCR.map((encr) => (encr.aead ? { encr } : { encr, integ: sha2 })),
    ...ALL_INTEG.map((integ) => ({ encr: cbc, integ })),
  ];
}

function label({ encr, integ }: { encr: Encr; integ?: Integ }): string {
  return [encr.name, bitsOf(encr), integ?.name].filter(Boolean).join(" ");
}

/** Key Length of the ciphers that have one: AES in all its modes. */
function bitsOf(encr: Encr): number | undefined {
  return [3, 11, 28].includes(encr.id) ? undefined : 8 * (encr.keyLength - encr.saltLength);
}

function padded(encr: Encr, data: Uint8Array, trailer: number, align: number): number {
  const block = Math.max(encr.blockSize, align);
  return (block - ((data.length + trailer) % block)) % block;
}

/** AES-XCBC-96 and AES-CMAC-96, which tshark cannot compute. */
function unchecked(integ?: Integ): boolean {
  return integ?.id === 5 || integ?.id === 8;
}

/** An INFORMATIONAL request with a Delete of the IKE SA, sealed as RFC 7296 section 3.14 says. */
function sealedIke(index: number, encr: Encr, integ?: Integ): { message: Uint8Array; keys: IkeSaKeys } {
  const keys: IkeSaKeys = {
    spiI: concat(u32(0xa1a2a3a4), u32(index + 1)),
    spiR: concat(u32(0xb1b2b3b4), u32(index + 1)),
    encrId: encr.id,
    keyBits: bitsOf(encr),
    integId: integ?.id,
    SK_ei: octets(encr.keyLength, 0x10),
    SK_er: octets(encr.keyLength, 0x50),
    SK_ai: octets(integ?.keyLength ?? 0, 0x20),
    SK_ar: octets(integ?.keyLength ?? 0, 0x60),
  };
  const inner = fromHex("0000000801000000");
  const pad = padded(encr, inner, 1, 1);
  const plaintext = concat(inner, new Uint8Array(pad), Uint8Array.of(pad));
  const iv = octets(encr.ivLength, 0xc0);
  const icv = integ?.icvLength ?? encr.icvLength;
  const length = 32 + iv.length + plaintext.length + icv;
  const flags = fromHex("2e202508");
  const head = concat(keys.spiI, keys.spiR, flags, u32(1), u32(length), fromHex("2a00"), u16(length - 28));
  const body = concat(head, iv, encr.seal(keys.SK_ei, iv, plaintext, head));
  return { message: integ ? concat(body, integ.compute(keys.SK_ai, body)) : body, keys };
}

const ECHO = buildEchoPacket(
  { source: octets(4, 10), destination: octets(4, 20) },
  { reply: false, identifier: 7, sequence: 1, data: octets(20, 0) },
);

/** An echo in tunnel mode, sealed as RFC 4303 says. */
function sealedEsp(index: number, encr: Encr, integ?: Integ): { packet: Uint8Array; keys: EspSaKeys } {
  const keys: EspSaKeys = {
    source: US.host,
    destination: PEER.host,
    spi: 0xc0ffee00 + index,
    encrId: encr.id,
    keyBits: bitsOf(encr),
    integId: integ?.id,
    encrKey: octets(encr.keyLength, 0x10),
    integKey: octets(integ?.keyLength ?? 0, 0x20),
  };
  const pad = padded(encr, ECHO, 2, 4);
  const plaintext = concat(ECHO, defaultPadding(pad), Uint8Array.of(pad, 4));
  const head = concat(u32(keys.spi), u32(1));
  const iv = octets(encr.ivLength, 0xc0);
  const body = concat(head, iv, encr.seal(keys.encrKey, iv, plaintext, head));
  return { packet: integ ? concat(body, integ.compute(keys.integKey, body)) : body, keys };
}

describe("tshark with our keys", () => {
  before(async function () {
    const version = await tsharkVersion();
    if (version === undefined && process.env.BAKEOFF_REQUIRE_PEERS !== "1") this.skip();
    expect(version, "tshark").to.be.a("string");
    folder = mkdtempSync(join(tmpdir(), "bakeoff-tshark-"));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it("finds the payloads inside an IKE_AUTH of AES-CBC with HMAC", async () => {
    const [frame] = await decode([udp(AUTH_REQUEST)], [CBC_KEYS]);
    expect(frame?.ike).to.include({ exchangeType: 35, messageId: 1, flags: 8, length: 224, icv: "good" });
    expect(frame?.ike?.inner?.map((payload) => payload.type)).to.deep.equal([35, 39, 33, 44, 45]);
    expect(frame?.ike?.inner?.[0]?.octets).to.equal("2700001502000000692e6578616d706c652e6f7267");
  });

  it("finds the payloads inside an AES-GCM message, also behind the non-ESP marker", async () => {
    const marked = concat(u32(0), GCM_DELETE);
    const frames = await decode([udp(GCM_DELETE), udp(marked, 4500)], [GCM_KEYS]);
    for (const frame of frames) {
      expect(frame.ike?.inner?.map((payload) => payload.octets)).to.deep.equal(["0000000801000000"]);
    }
  });

  it("says so when the integrity is bad", async () => {
    const changed = Uint8Array.from(AUTH_REQUEST);
    changed[changed.length - 1]! ^= 1;
    const [frame] = await decode([udp(changed)], [CBC_KEYS]);
    expect(frame?.ike?.icv).to.equal("bad");
  });

  it("reports a key table it refuses", async () => {
    await decode([udp(AUTH_REQUEST)], [CBC_KEYS]);
    const bad = { ...CBC_KEYS, keyBits: 7 };
    writeKeyFolder(join(folder, "bad"), { ike: [bad], esp: [] });
    const result = await decodeWithTshark(join(folder, "capture.pcap"), join(folder, "bad"));
    expect(result).to.deep.include({ error: "keys" });
  });

  it("reports a capture it cannot read", async () => {
    const result = await decodeWithTshark(join(folder, "nowhere.pcap"), folder);
    expect(result).to.deep.include({ error: "failed" });
  });

  it("decrypts IKE with every combination we have a name for", async () => {
    const all = combinations();
    const sealed = all.map(({ encr, integ }, index) => sealedIke(index, encr, integ));
    const frames = await decode(
      sealed.map(({ message }) => udp(message)),
      sealed.map(({ keys }) => keys),
    );
    frames.forEach(({ ike }, index) => {
      const { encr, integ } = all[index]!;
      const known = wiresharkKnows("ike", encr.id, integ?.id);
      const inner = ike?.inner?.map((payload) => payload.octets);
      expect(inner, label(all[index]!)).to.deep.equal(known ? ["0000000801000000"] : undefined);
      expect(ike?.icv, label(all[index]!)).to.equal(known && !unchecked(integ) ? "good" : undefined);
    });
  });

  it("puts a fragmented message together", async () => {
    const encr = encrTransform(20, 256)!;
    const chain = fromHex("2a0000180000400688888888888888888888888888888888" + "0000000801000000");
    const fragments = [chain.subarray(0, 17), chain.subarray(17)].map((part, index) => {
      const [iv, plaintext] = [concat(u32(0), u32(index)), concat(part, Uint8Array.of(0))];
      const length = 36 + iv.length + plaintext.length + encr.icvLength;
      const header = concat(CBC_KEYS.spiI, CBC_KEYS.spiR, fromHex("35202508"), u32(4), u32(length));
      const fields = concat(Uint8Array.of(index === 0 ? 41 : 0, 0), u16(length - 28), u16(index + 1), u16(2));
      const head = concat(header, fields);
      return udp(concat(head, iv, encr.seal(GCM_KEYS.SK_ei, iv, plaintext, head)));
    });
    const frames = await decode(fragments, [GCM_KEYS]);
    expect(frames.map(({ ike }) => ike?.icv)).to.deep.equal(["good", "good"]);
    expect(frames.map(({ ike }) => ike?.inner?.map(({ type }) => type))).to.deep.equal([undefined, [41, 42]]);
  });

  it("decrypts ESP with every combination we have a name for", async () => {
    const all = combinations();
    const sealed = all.map(({ encr, integ }, index) => sealedEsp(index, encr, integ));
    const frames = await decode(
      sealed.map(({ packet }) => ({
        timeMs: 0,
        protocol: "esp",
        source: US,
        destination: PEER,
        data: packet,
      })),
      [],
      sealed.map(({ keys }) => keys),
    );
    frames.forEach(({ esp, protocols }, index) => {
      const { encr, integ } = all[index]!;
      const known = wiresharkKnows("esp", encr.id, integ?.id);
      const name = label(all[index]!);
      expect(esp?.plaintext?.startsWith(hex(ECHO)), name).to.equal(known ? true : undefined);
      expect(esp?.nextHeader, name).to.equal(known ? 4 : undefined);
      expect(esp?.icv, name).to.equal(known && !unchecked(integ) ? "good" : undefined);
      expect(protocols, name).to.deep.equal(known ? ["ip", "esp", "ip", "icmp"] : ["ip", "esp"]);
    });
  });

  it("decrypts ESP in UDP, over IPv6", async () => {
    const [v6, peer6] = [
      { host: "2001:db8::1", port: 4500 },
      { host: "2001:db8::2", port: 4500 },
    ];
    const { packet, keys } = sealedEsp(0, encrTransform(20, 256)!);
    const datagram: Captured = { timeMs: 1, protocol: "udp", source: v6, destination: peer6, data: packet };
    const [frame] = await decode([datagram], [], [{ ...keys, source: v6.host, destination: peer6.host }]);
    expect(frame?.esp).to.include({ sequence: 1, nextHeader: 4, icv: "good" });
    expect(frame?.protocols).to.deep.equal(["ipv6", "udp", "udpencap", "esp", "ip", "icmp"]);
  });

  it("decrypts ESP with ESN too, but takes the ICV for wrong, as it does not know the high half", async () => {
    const packet = fromHex(`c0ffee010000000110111213141516171c92ea0df71a9baf62aa24bdd99454e8
      fa7540caa05829f5cfb61477bf91ca9b9e09666cfd6b0d7c545939a8f359225d`);
    const keys: EspSaKeys = {
      source: US.host,
      destination: PEER.host,
      spi: 0xc0ffee01,
      encrId: 20,
      keyBits: 128,
      encrKey: concat(octets(16, 0), fromHex("a0a1a2a3")),
      integKey: new Uint8Array(0),
    };
    const [frame] = await decode([{ ...udp(packet), protocol: "esp" }], [], [keys]);
    expect(frame?.esp).to.include({ nextHeader: 4, icv: "bad" });
    expect(frame?.protocols).to.include("icmp");
  });
});
