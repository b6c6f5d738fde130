import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { hex } from "../../harness/wire/bytes.ts";
import { buildUdpPacket, parseAddress } from "../../harness/wire/ip.ts";
import { dissect, openCapture } from "./index.ts";
import { classicFile, LINKS } from "./testing.ts";

const source = parseAddress("192.0.2.1")!;
const destination = parseAddress("192.0.2.2")!;
const ikeTo = (port: number, ...octets: number[]) =>
  buildUdpPacket(
    { source, destination },
    { sourcePort: 500, destinationPort: port, payload: Uint8Array.from(octets) },
  );

const SECOND = 1_000_000_000n;
const WHEN = 1_700_000_000n * SECOND;
const SHAPE = { little: false, nano: true };

/** Captures that Wireshark's own tools wrote: as they say what is inside, so do we. */
describe("captures of other tools", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  const run = (tool: string, ...args: string[]) =>
    execFileSync(tool, args, { stdio: ["ignore", "pipe", "ignore"] });

  before(function () {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-tools-"));
    try {
      for (const tool of ["editcap", "mergecap", "text2pcap", "tshark"]) run(tool, "--version");
    } catch {
      this.skip();
    }
    const ethernet = LINKS.ethernet!;
    writeFileSync(
      at("a.pcap"),
      classicFile({ ...SHAPE, linkType: ethernet.linkType }, [
        { timeNs: WHEN + 123_456_789n, data: ethernet.wrap(ikeTo(500, 1)) },
        { timeNs: WHEN + 3n * SECOND, data: ethernet.wrap(ikeTo(4500, 3)) },
      ]),
    );
    writeFileSync(
      at("b.pcap"),
      classicFile({ ...SHAPE, linkType: 101 }, [{ timeNs: WHEN + 2n * SECOND, data: ikeTo(848, 2) }]),
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Time, link type and payload of what we find, faults included. */
  function ours(name: string): string[] {
    return [...dissect(openCapture(at(name)))].map((one) =>
      one.kind === "datagram"
        ? `${one.packet} ${(one.timeMs / 1000).toFixed(6)} ${one.source.host} ${one.destination.port} ${hex(one.data)}`
        : JSON.stringify(one),
    );
  }

  function theirs(name: string): string[] {
    const fields = ["frame.number", "frame.time_epoch", "ip.src", "udp.dstport", "udp.payload"];
    const flags = [
      "--disable-protocol",
      "isakmp",
      "-n",
      "-T",
      "fields",
      ...fields.flatMap((field) => ["-e", field]),
    ];
    const lines = run("tshark", "-r", at(name), ...flags)
      .toString()
      .trimEnd()
      .split("\n");
    return lines.map((line) => {
      const [number, time, host, port, payload] = line.split("\t");
      return `${number} ${Number(time).toFixed(6)} ${host} ${port} ${payload}`;
    });
  }

  const WAYS: [string, string[]][] = [
    ["pcapng of editcap", ["editcap", "-F", "pcapng", "a.pcap"]],
    ["nanoseconds of editcap", ["editcap", "-F", "nsecpcap", "a.pcap"]],
    ["microseconds of editcap", ["editcap", "-F", "pcap", "a.pcap"]],
    ["several link types of mergecap", ["mergecap", "-F", "pcapng", "a.pcap", "b.pcap", "-w"]],
  ];
  for (const [what, [tool = "", ...args]] of WAYS) {
    it(`are read as tshark reads them: ${what}`, () => {
      const files = args.map((arg) => (arg.endsWith(".pcap") ? at(arg) : arg));
      run(tool, ...files, at("out"));
      const read = ours("out");
      expect(read).to.deep.equal(theirs("out"));
      expect(read).to.have.length(tool === "mergecap" ? 3 : 2);
    });
  }

  it("are read with the secrets that editcap puts in", () => {
    writeFileSync(at("keys"), "CLIENT_RANDOM 00 00\n");
    run("editcap", "--inject-secrets", `tls,${at("keys")}`, at("a.pcap"), at("out"));
    const [first] = openCapture(at("out"));
    if (first?.kind !== "secrets") throw new Error("no secrets");
    expect(first.type).to.equal(0x544c534b);
    expect(Buffer.from(first.data).toString()).to.equal("CLIENT_RANDOM 00 00\n");
  });

  it("are read when text2pcap made them", () => {
    writeFileSync(at("hex.txt"), "0000 01 02 03 04\n");
    run("text2pcap", "-4", "192.0.2.1,192.0.2.2", "-u", "500,4500", at("hex.txt"), at("out"));
    expect(ours("out")).to.have.length(1);
    expect(ours("out")[0]).to.match(/^1 \S+ 192\.0\.2\.1 4500 01020304$/);
  });

  it("are named when they are of formats that are not read", () => {
    for (const format of ["modpcap", "snoop"]) {
      run("editcap", "-F", format, at("a.pcap"), at("out"));
      expect(ours("out").join()).to.match(
        /no capture that is read here, but .*editcap -F pcapng converts it/,
      );
    }
    run("gzip", "-kf", at("a.pcap"));
    expect(ours("a.pcap.gz").join()).to.include("decompress it first");
    expect(readFileSync(at("a.pcap.gz"))[0]).to.equal(0x1f);
  });
});
