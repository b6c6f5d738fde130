import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { type CalledPeer, calledPeer } from "../dial/testing.ts";
import { said } from "./said.ts";

const QUICK = ["--interval", "0.01", "--timeout", "2"];
const IMPATIENT = ["--interval", "0.01", "--timeout", "0.2", "--count", "2"];

describe("bakeoff esp-ping", function () {
  this.timeout(60_000);
  let called: CalledPeer;

  before(async () => {
    called = await calledPeer("esp-ping");
  });
  after(() => called.peer.stop());

  const speaking = (revision: string) => called.configure({ drafts: { "esp-ping": revision } });
  const ping = (encap: "udp" | "tcp", ...args: string[]) => said("esp-ping", ...called.args(encap), ...args);

  for (const [encap, way] of [
    ["udp", "ESP in UDP"],
    ["tcp", "ESP in TCP"],
  ] as const) {
    it(`prints what ping prints, with ${way}, and leaves no SA behind`, async () => {
      await speaking("M");
      const { status, out, err } = await ping(encap, "--count", "3", ...QUICK);
      expect(err).to.equal("");
      const lines = out.trimEnd().split("\n");
      const spi = "[0-9a-f]{8}";
      const header = `^ESP echo 127.0.0.1: 56 octets of data, revision M, to SPI ${spi}, back on ${spi}, ${way}$`;
      expect(lines[0]).to.match(new RegExp(header));
      for (const seq of [1, 2, 3])
        expect(lines[seq]).to.match(
          new RegExp(`^56 octets from 127.0.0.1: seq=${seq} spi=${spi} time=[0-9.]+ ms$`),
        );
      expect(lines.slice(4, 6)).to.deep.equal(["", "--- ESP echo statistics of 127.0.0.1 ---"]);
      expect(lines[6]).to.match(/^3 requests, 3 answered, 0 % loss, time \d+ ms$/);
      expect(lines[7]).to.match(/^round trip min\/avg\/max\/mdev = ([0-9.]+\/){3}[0-9.]+ ms$/);
      expect(status).to.equal(0);
      const { ikeSas, childSas } = await called.peer.status();
      expect([ikeSas, childSas]).to.deep.equal([[], []]);
    });
  }

  for (const revision of ["E3", "E2", "K"]) {
    it(`speaks revision ${revision}`, async () => {
      await speaking(revision);
      const { status, out } = await ping("udp", "--revision", revision, "--count", "2", ...QUICK);
      expect(out).to.contain("2 requests, 2 answered, 0 % loss");
      expect(status).to.equal(0);
    });
  }

  for (const [revision, encap] of [
    ["M", "udp"],
    ["M", "tcp"],
    ["C", "udp"],
    ["C0", "udp"],
    ["K", "udp"],
  ] as const) {
    it(`needs no SA with --plain: revision ${revision} over ${encap}`, async () => {
      await speaking(revision);
      const size = revision === "C0" ? "0" : "100";
      const args = ["--plain", "--revision", revision, "--size", size, "--count", "2", ...QUICK];
      const { status, out } = await ping(encap, ...args);
      expect(out).to.contain("to SPI 00000007, back on 00000008, no SA, ESP in");
      expect(out).to.contain("2 requests, 2 answered, 0 % loss");
      expect(status).to.equal(0);
    });
  }

  it("finds the largest size that passes, and says how much comes back", async () => {
    await called.configure({ drafts: { "esp-ping": "M" }, mtu: 1400 });
    const { status, out } = await ping("udp", "--sweep", ...QUICK);
    expect(out).to.match(/^largest size that passes: 65000 octets$/m);
    expect(out).to.match(/^replies bring back no more than 13\d\d octets: what fits into a packet/m);
    expect(status).to.equal(0);
  });

  it("tells sizes apart", async () => {
    await speaking("M");
    const { status, out } = await ping("udp", "--size", "0,64,1000", "--count", "1", ...QUICK);
    expect(out).to.match(/^0 octets from [\s\S]*^64 octets from [\s\S]*^1000 octets from /m);
    expect(out).to.contain("largest size that passes: 1000 octets");
    expect(status).to.equal(0);
  });

  it("asks for no replies with --one-way", async () => {
    await speaking("M");
    const { status, out } = await ping("udp", "--one-way", ...IMPATIENT);
    expect(out).to.contain("56 octets to 127.0.0.1: seq=2, no reply asked for");
    expect(out).to.contain("2 requests, no replies asked for");
    expect(out).not.to.contain("octets from");
    expect(status).to.equal(0);
  });

  it("says that silence of a peer that announced nothing proves nothing", async () => {
    await called.configure({});
    const { status, out } = await ping("udp", "--icmp", ...IMPATIENT);
    expect(out).to.contain("the peer did not announce ESP_ECHO_SUPPORTED; silence proves nothing\n");
    expect(out).to.contain("203.0.113.1 to 203.0.113.17: 3 of 3 answered");
    expect(out).to.contain("no answer to seq=2 of 56 octets");
    expect(out).to.contain("2 requests, 0 answered, 100 % loss");
    expect(status).to.equal(1);
    const strict = await ping("udp", "--require-announced", ...IMPATIENT);
    expect(strict.out).to.contain("did not announce ESP_ECHO_SUPPORTED");
    expect(strict.out).not.to.contain("seq=");
    expect(strict.status).to.equal(1);
  });

  it("prints the summary and deletes the SA when it is interrupted", async () => {
    await speaking("M");
    const pinging = ping("udp", "--count", "1000", "--interval", "0.05");
    await pause(400);
    process.emit("SIGINT", "SIGINT");
    const { status, out, err } = await pinging;
    expect(err).to.contain("SIGINT: ending");
    expect(out).to.match(/^--- ESP echo statistics of 127\.0\.0\.1 ---$/m);
    expect(status).to.equal(0);
    expect((await called.peer.status()).ikeSas).to.deep.equal([]);
  });

  it("gives JSON alone on standard output", async () => {
    await speaking("M");
    const { status, out } = await ping("udp", "--json", "--count", "2", ...QUICK);
    const report: unknown = JSON.parse(out);
    expect(report).to.deep.include({ peer: "127.0.0.1", revision: "M", plain: false, announced: true });
    expect(report).to.have.nested.property("summary.answered", 2);
    expect(report).to.have.nested.property("requests[1].replies[0].octets", 56);
    expect(report).to.have.nested.property("child.over", "UDP");
    expect(status).to.equal(0);
  });

  it("says why there is no SA, and who does not answer at all", async () => {
    await called.configure({ psk: "another" });
    const refused = await ping("udp", ...QUICK);
    expect(refused.err).to.match(/^bakeoff: no IKE SA with 127\.0\.0\.1: .*AUTHENTICATION_FAILED/);
    expect(refused.status).to.equal(1);
    const nobody = await said("esp-ping", "127.0.0.1", "--psk", "x", "--encap", "tcp", "--port", "1");
    expect(nobody.err).to.match(/^bakeoff: no TCP connection to 127\.0\.0\.1 port 1: .*ECONNREFUSED/);
    expect(nobody.status).to.equal(1);
  });

  const wrong: [string, string[], RegExp][] = [
    ["no secret", [], /a shared secret is needed: --psk or --psk-file/],
    ["two secrets", ["--psk", "x", "--psk-file", "y"], /either --psk or --psk-file/],
    ["a file that is not there", ["--psk-file", "none"], /--psk-file none: ENOENT/],
    ["an unknown revision", ["--psk", "x", "--revision", "E4"], /unknown revision "E4", nearest: E[23]/],
    ["a revision outside of SAs only", ["--psk", "x", "--revision", "C"], /revision C has only.*--plain/],
    ["a revision within SAs only", ["--plain", "--revision", "E3"], /revision E3 has no requests outside/],
    ["one way where there is none", ["--psk", "x", "--revision", "K", "--one-way"], /K has no one-way/],
    ["ICMP without SA", ["--plain", "--icmp"], /--icmp needs an SA/],
    ["a sweep of silence", ["--psk", "x", "--sweep", "--one-way"], /--sweep needs replies/],
    ["a sweep of one size", ["--psk", "x", "--sweep", "--size", "9"], /either --size or --sweep/],
    ["a size that is none", ["--psk", "x", "--size", "1,2k"], /--size 2k: must be a whole number/],
    ["an SPI that is none", ["--psk", "x", "--reply-spi", "xyz"], /--reply-spi xyz: must be an SPI in hex/],
    ["an unknown way", ["--psk", "x", "--encap", "tpc"], /unknown encapsulation "tpc", nearest: tcp/],
    ["an unknown transform", ["--psk", "x", "--esp", "aes256gmc16"], /unknown keyword.*nearest: aes256/],
    ["an unknown method", ["--psk", "x", "--ike", "aes256-x25519-ke2_mlkem"], /nearest: ke2_mlkem512$/m],
    ["one for too many", ["--psk", "x", "--ike", "aes256-x25519-ke8_mlkem768"], /nearest: ke1_mlkem768$/m],
    [
      "a prefix that is none",
      ["--psk", "x", "--local-ts", "203.0.113.0/40"],
      /--local-ts .*: must be a prefix/,
    ],
    ["a time that is none", ["--psk", "x", "--interval", "soon"], /--interval soon: must be a number/],
  ];
  for (const [what, args, text] of wrong) {
    it(`refuses ${what} in one line`, async () => {
      const { status, err } = await said("esp-ping", "127.0.0.1", ...args);
      expect(err).to.match(text);
      expect(err.trim().split("\n")).to.have.length(1);
      expect(status).to.equal(2);
    });
  }

  for (const address of ["gateway", "fe80::1%lo"])
    it(`refuses ${address}, which is no address`, async () => {
      const { status, err } = await said("esp-ping", address, "--psk", "x");
      expect(err).to.equal(`bakeoff: ${address}: must be an IPv4 or IPv6 address, without a zone\n`);
      expect(status).to.equal(2);
    });
});

describe("bakeoff dial", function () {
  this.timeout(60_000);
  let called: CalledPeer;

  before(async () => {
    called = await calledPeer("dial");
    await called.configure({});
  });
  after(() => called.peer.stop());

  for (const encap of ["udp", "tcp"] as const) {
    it(`says what was negotiated, and pings through the tunnel over ${encap}`, async () => {
      const { status, out, err } = await said("dial", ...called.args(encap), "--ping", "--count", "2");
      expect(err).to.equal("");
      expect(out).to.match(/^IKE SA [0-9a-f]{16}_i [0-9a-f]{16}_r: 127\.0\.0\.1 port \d+ to /);
      expect(out).to.match(/^Child SA .*: aes256gcm16-noesn, tunnel mode, ESP in (UDP|TCP)$/m);
      expect(out).to.contain("ours 203.0.113.0/28, the peer's 203.0.113.16/28");
      expect(out).to.contain("203.0.113.1 to 203.0.113.17: 2 of 2 answered");
      expect(status).to.equal(0);
      expect((await called.peer.status()).ikeSas).to.deep.equal([]);
    });
  }

  it("exchanges keys in IKE_INTERMEDIATE as the proposal says", async () => {
    const ike = "aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_ecp384";
    await called.configure({ ikeProposals: [ike] });
    for (const encap of ["udp", "tcp"] as const) {
      const { status, out, err } = await said("dial", ...called.args(encap), "--ike", ike);
      expect(err).to.equal("");
      expect(out).to.match(/^IKE SA .*, aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_ecp384$/m);
      expect(status).to.equal(0);
    }
  });

  it("uses a PPK that it is given, and makes no SA without it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-"));
    const file = join(folder, "ppk");
    writeFileSync(file, "a long secret\n");
    const args = [...called.args("udp"), "--ppk", `lab=${file}`];
    try {
      await called.configure({ ppks: [{ id: "lab", secret: "a long secret" }], ppkRequired: true });
      expect((await said("dial", ...args)).status).to.equal(0);
      await called.configure({});
      const { status, err } = await said("dial", ...args);
      expect(err).to.contain("the responder does without a PPK");
      expect(status).to.equal(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const { status, err } = await said("dial", ...called.args("udp"), "--ppk", "lab");
    expect(err).to.contain("--ppk lab: must be an id, = and a file that holds the secret");
    expect(status).to.equal(2);
  });

  it("says what the peer has against it", async () => {
    await called.configure({});
    const args = [...called.args("udp"), "--esp", "aes192ctr-sha384"];
    const { status, err } = await said("dial", ...args);
    expect(err).to.match(/an IKE SA, but no Child SA with 127\.0\.0\.1: .*NO_PROPOSAL_CHOSEN/);
    expect(status).to.equal(1);
  });
});
