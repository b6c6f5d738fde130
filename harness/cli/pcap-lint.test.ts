import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writePcap } from "../../pcaps/write.ts";
import { whole, withCookie } from "../lint/rules/planted/rfc7296/conversations.ts";
import { message } from "../lint/rules/planted/rfc7296/rows.ts";
import { type Said, seenOf } from "../lint/rules/planted/rfc7296/said.ts";
import { memoryArena } from "../run/arena-memory.ts";
import { captured, writeKeys } from "../run/evidence.ts";
import { Script } from "../script/script.ts";
import { lintText } from "./pcap-lint-text.ts";
import { said } from "./said.ts";

let folder: string;
const path = (name: string) => join(folder, name);

function write(name: string, conversation: Said[]): void {
  const datagrams = seenOf(conversation).map(({ octets, ...seen }) => ({
    ...seen,
    protocol: "udp" as const,
    data: octets,
  }));
  writePcap(path(name), datagrams, Date.UTC(2026, 0, 1));
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "bakeoff-lint-"));
  const s = new Script(await memoryArena({}, { seed: "lint" }));
  const session = await s.dial();
  await session.proveTraffic();
  s.host.stop();
  mkdirSync(path("honest/keys"), { recursive: true });
  writePcap(path("honest/capture.pcap"), captured(s.trace), Date.UTC(2026, 0, 1));
  writeKeys(path("honest/keys"), s.trace.ikeSas(), s.trace.childSas());
  const flagged = whole();
  message(flagged, 2).header = { flags: 0x24 };
  write("flagged.pcap", flagged);
  const stated = withCookie();
  message(stated, 2).header = { spiR: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) };
  write("stated.pcap", stated);
});

after(() => rmSync(folder, { recursive: true }));

const lint = (...args: string[]) => said("pcap", "lint", ...args);

describe("bakeoff pcap lint", () => {
  it("says how much was readable, and finds nothing in what is honest", async () => {
    const { status, out } = await lint(path("honest/capture.pcap"), "--strict");
    expect(status).to.equal(0);
    expect(out).to.match(
      /capture\.pcap: 4 messages, 2 opened; \d+ ESP packets, \d+ opened\n {2}no findings\n$/,
    );
  });

  it("takes the folder of a test's evidence", async () => {
    const { status, out } = await lint(path("honest"));
    expect([status, out.startsWith(`${path("honest/capture.pcap")}: 4 messages, 2 opened`)]).to.deep.equal([
      0,
      true,
    ]);
    expect(await lint(folder)).to.include({ status: 2 });
  });

  it("tells of what stays closed why it does", () => {
    const count = { seen: 9, opened: 4, closed: 2, waiting: 1, broken: 2 };
    const readable = { ike: count, esp: { ...count, seen: 0, opened: 0, closed: 0, waiting: 0, broken: 0 } };
    const linted = { file: "a.pcap", readable, faults: [], moreFaults: 0, findings: [], more: 0 };
    expect(lintText(linted, (_, text) => text)).to.equal(
      "a.pcap: 9 messages, 4 opened, 2 closed for want of keys, 1 fragment without the rest, 2 that the keys do not open\n" +
        "  no findings\n",
    );
  });

  it("names requirement, packet, octet and field of each finding, by sender", async () => {
    const { status, out } = await lint(path("flagged.pcap"));
    expect(status).to.equal(1);
    expect(out).to.equal(
      `${path("flagged.pcap")}: 14 messages, 12 closed for want of keys\n` +
        "  192.0.2.2 (responder): 1 finding, 1 against a MUST\n" +
        "    IKEV2-227 MUST (rfc7296 section 3.1) reserved-flag-set: packet 2, octet 19, header > flags: reserved bits 0x4 are set\n",
    );
  });

  it("takes statements for warnings, unless told to be strict", async () => {
    expect((await lint(path("stated.pcap"))).status).to.equal(0);
    expect((await lint(path("stated.pcap"), "--strict")).status).to.equal(1);
  });

  it("judges the side and the rules that are asked for", async () => {
    const flagged = path("flagged.pcap");
    for (const [side, status] of [
      ["initiator", 0],
      ["responder", 1],
      ["192.0.2.1", 0],
      ["192.0.2.2", 1],
    ] as const)
      expect((await lint(flagged, "--side", side)).status, side).to.equal(status);
    expect((await lint(flagged, "--only", "cookie")).status).to.equal(0);
    expect((await lint(flagged, "--only", "IKEV2-227")).status).to.equal(1);
  });

  it("gives JSON with what the catalogue says, of several captures", async () => {
    const { out } = await lint(path("flagged.pcap"), path("stated.pcap"), "--json", "--wire");
    const [flagged, stated] = JSON.parse(out);
    expect(flagged.readable.ike).to.deep.equal({
      ...{ seen: 14, opened: 0, closed: 12, waiting: 0, broken: 0 },
    });
    expect(flagged.findings[0]).to.include({
      requirement: "IKEV2-227",
      level: "MUST",
      section: "3.1",
      packet: 2,
      offset: 19,
    });
    expect(flagged.wire[0]).to.include({ packet: 2, offset: 19, field: "header > flags" });
    expect(stated.findings[0]).to.include({ rule: "responder-spi-in-refusal", level: "stmt" });
  });

  it("says how far a damaged capture was read, and strictly takes it for wrong", async () => {
    writeFileSync(path("cut.pcap"), readFileSync(path("honest/capture.pcap")).subarray(0, 600));
    const { status, out } = await lint(path("cut.pcap"));
    expect(status).to.equal(0);
    expect(out)
      .to.match(/\n {2}no findings\n {2}read as far as octet \d+: .+\n$/)
      .and.not.include("faults");
    const strict = await lint(path("cut.pcap"), "--strict", "--json");
    expect(strict.status).to.equal(1);
    const [{ faults, moreFaults }] = JSON.parse(strict.out);
    expect([faults.length, moreFaults]).to.deep.equal([1, 0]);
    expect(faults[0])
      .to.include({ packet: 2, end: true })
      .and.to.have.keys("offset", "packet", "reason", "end");
  });

  it("reads further ports that are named, and says where some were passed over", async () => {
    const moved = seenOf(whole()).map(({ octets, source, destination, ...seen }, index) => ({
      ...{ ...seen, protocol: "udp" as const, source: { ...source, port: 7000 } },
      destination: { ...destination, port: 7000 },
      data: index % 2 ? octets : Buffer.concat([new Uint8Array(4), octets]),
    }));
    writePcap(path("moved.pcap"), moved, 0);
    const { out, err } = await lint(path("moved.pcap"));
    expect(out).to.include("no IKE and no ESP in it");
    expect(err).to.match(/no ESP in it; 14 datagrams on other ports passed over, which --port names\n$/);
    const named = await lint(path("moved.pcap"), "--port", "6000", "--port", "7000");
    expect([named.out.includes(": 14 messages, "), named.err]).to.deep.equal([true, ""]);
    expect((await lint(path("moved.pcap"), "--port", "70000")).status).to.equal(2);
  });

  it("refuses in one line what makes no sense", async () => {
    for (const args of [
      [path("missing.pcap")],
      [path("flagged.pcap"), "--side", "nobody"],
      [path("flagged.pcap"), "--only", "no such rule"],
      [path("flagged.pcap"), "--only", "("],
    ]) {
      const { status, err } = await lint(...args);
      expect([status, err.trimEnd().split("\n").length], args.join(" ")).to.deep.equal([2, 1]);
    }
  });
});
