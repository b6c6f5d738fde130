import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { concat, fromHex } from "../../harness/wire/bytes.ts";
import { buildEcho, buildUdpPacket, parseAddress } from "../../harness/wire/ip.ts";
import { keysJson } from "../key-files/json.ts";
import { readKeys } from "../key-files/read.ts";
import { parseCapture } from "../read/index.ts";
import { tsharkVersion } from "../tshark.ts";
import type { Captured } from "../types.ts";
import { writePcap } from "../write.ts";
import { PcapngWriter, type TwinPacket } from "./pcapng-writer.ts";
import { datagrams, espKeys, espPacket, ikeKeys, nonce, octets, PEER, sealed, US } from "./testing.ts";
import { twinOf } from "./twin.ts";

const KEYS = ikeKeys(0x20);
const ESP = espKeys(0xc0de);
const MARKER = new Uint8Array(4);
const [us, peer] = [US, PEER].map(({ host }) => parseAddress(host) ?? new Uint8Array(4)) as [
  Uint8Array,
  Uint8Array,
];

const on = (port: number, data: Uint8Array): Partial<Captured> => ({
  data,
  source: { ...US, port },
  destination: { ...PEER, port },
});

/** Transport mode: what is inside are the octets of ICMP. */
const echo = buildEcho(us, peer, { reply: false, identifier: 1, sequence: 1, data: octets(6, 7) });
const trailer = Uint8Array.of(0, 1);

const [first, second] = sealed(KEYS, [nonce(100)], { chunk: 60 }) as [Uint8Array, Uint8Array];
const [lost] = sealed(KEYS, [nonce(100)], { chunk: 60, messageId: 9 }) as [Uint8Array];
const [whole] = sealed(KEYS, [nonce(32), nonce(16)]) as [Uint8Array];
const [foreign] = sealed({ ...KEYS, spiR: octets(8, 1) }, [nonce(32)]) as [Uint8Array];

const ALL = [
  on(848, whole),
  on(4500, concat(MARKER, whole)),
  on(500, first),
  on(500, lost),
  on(500, second),
  on(500, foreign),
  { protocol: "tcp" as const, ...on(4500, concat(MARKER, whole)) },
  { protocol: "esp" as const, data: espPacket(ESP, concat(echo, trailer), 1) },
  { protocol: "esp" as const, data: espPacket({ ...ESP, spi: 0xbad }, concat(echo, trailer), 1) },
  on(4500, octets(1, 255)),
];

describe("decrypted twin", () => {
  let folder = "";
  const packets: TwinPacket[] = [];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-twin-"));
    const capture = join(folder, "capture.pcap");
    expect(writePcap(capture, datagrams(ALL), 1e12)).to.equal(undefined);
    const keys = readKeys([]);
    keys.ring.addIke(KEYS);
    keys.ring.addEsp(ESP);
    for (const item of twinOf(capture, keys)) if (item.kind === "packet") packets.push(item);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("says of every packet what became of it", () => {
    expect(packets.map(({ comment, outcome }) => `${comment} (${outcome})`)).to.deep.equal([
      "packet 1, decrypted, from port 848 to 848 (decrypted)",
      "packet 2, decrypted (decrypted)",
      "packet 3, 5, decrypted (decrypted)",
      "packet 6, as it was: no keys for its IKE SA (closed)",
      "packet 7, decrypted, out of TCP (decrypted)",
      "packet 8, decrypted (decrypted)",
      "packet 9, as it was: no keys for SPI 0x00000bad (closed)",
      "packet 10, as it was (as it was)",
      "packet 4, as it was: a fragment of a message that never became complete, or one more copy of it (closed)",
    ]);
  });

  it("keeps packets that have nothing to do with it, on the link they were on", () => {
    const dns = buildUdpPacket(
      { source: us, destination: peer },
      { sourcePort: 53, destinationPort: 53, payload: octets(9, 1) },
    );
    const ethernet = concat(octets(12, 2), fromHex("0800"), dns);
    const path = join(folder, "ethernet.pcapng");
    const writer = new PcapngWriter();
    const packet = { timeMs: 1e12 + 0.125, originalLength: ethernet.length + 5, comment: "" };
    const raw = { ...packet, linkType: 101, data: dns, originalLength: dns.length };
    writeFileSync(
      path,
      concat(
        writer.start("x"),
        writer.packet({ ...packet, linkType: 1, data: ethernet }),
        writer.packet(raw),
      ),
    );
    const [one, two] = [...twinOf(path, readKeys([]))];
    expect(one).to.deep.equal({
      ...{ kind: "packet", ...packet, linkType: 1, data: ethernet },
      ...{ comment: "packet 1, as it was", outcome: "as it was" },
    });
    expect(two).to.deep.include({ linkType: 101, data: dns });
  });

  it("is made with keys that stand in the capture", () => {
    const path = join(folder, "secrets.pcapng");
    const writer = new PcapngWriter();
    const data = buildUdpPacket(
      { source: us, destination: peer },
      { sourcePort: 500, destinationPort: 500, payload: whole },
    );
    const packet = { linkType: 101, timeMs: 0, data, originalLength: data.length, comment: "" };
    const text = new TextEncoder().encode(keysJson({ ike: [KEYS], esp: [] }).padEnd(4096));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(20 + text.length);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(text.length);
    const secrets = concat(fromHex("0a000000"), length, fromHex("4b49454b"), size, text, length);
    writeFileSync(path, concat(writer.start("x"), secrets, writer.packet(packet)));
    const [one] = [...twinOf(path, readKeys([]))];
    expect(one).to.deep.include({ comment: "packet 1, decrypted", outcome: "decrypted" });
  });

  it("cuts a message that no packet holds, so that those behind it can be read", () => {
    const path = join(folder, "long.pcap");
    const parts = sealed(KEYS, [nonce(60_000), nonce(60_000), nonce(60_000), nonce(60_000), nonce(60_000)], {
      chunk: 60_000,
    });
    expect(writePcap(path, datagrams(parts), 1e12)).to.equal(undefined);
    const keys = readKeys([]);
    keys.ring.addIke(KEYS);
    const [one] = [...twinOf(path, keys)];
    expect(one).to.have.property("comment").that.includes(", cut: it has 300048 octets");
    expect(one).to.have.property("data").with.length(65_535);
  });

  it("passes on at once what has nothing to do with it", () => {
    const path = join(folder, "others.pcap");
    const other = on(53, octets(100, 1));
    const all = Array.from({ length: 2000 }, () => ({ ...other, destination: { ...PEER, port: 53 } }));
    expect(writePcap(path, datagrams(all), 1e12)).to.equal(undefined);
    const twin = twinOf(path, readKeys([]));
    expect(twin.next().value).to.include({ comment: "packet 1, as it was" });
    expect(twin.next().value).to.include({ comment: "packet 2, as it was" });
    expect([...twin]).to.have.length(1998);
  });

  it("is read by tshark and by us, without keys", async function () {
    const writer = new PcapngWriter();
    const twin = concat(writer.start("decrypted"), ...packets.map((packet) => writer.packet(packet)));
    const read = [...parseCapture(twin)].map((item) => item.kind === "packet" && [item.timeMs, item.data]);
    expect(read).to.deep.equal(packets.map(({ timeMs, data }) => [timeMs, data]));
    if ((await tsharkVersion()) === undefined) this.skip();
    const path = join(folder, "decrypted.pcapng");
    writeFileSync(path, twin);
    const fields = ["_ws.col.Protocol", "isakmp.typepayload", "icmp.type", "frame.time_epoch"];
    const args = ["-n", "-r", path, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
    const env = { ...process.env, WIRESHARK_CONFIG_DIR: folder };
    const text = execFileSync("tshark", args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] });
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/\.(\d\d\d)0*$/, ".$1")),
    ).to.deep.equal([
      "ISAKMP\t40,40\t\t1000000000.000",
      "ISAKMP\t40,40\t\t1000000000.001",
      "ISAKMP\t40\t\t1000000000.004",
      "ISAKMP\t46\t\t1000000000.005",
      "ISAKMP\t40,40\t\t1000000000.006",
      "ICMP\t\t8\t1000000000.007",
      "ESP\t\t\t1000000000.008",
      "UDPENCAP\t\t\t1000000000.009",
      "ISAKMP\t53\t\t1000000000.003",
    ]);
  }).timeout(20_000);
});
