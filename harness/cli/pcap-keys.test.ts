import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readSeen } from "../../pcaps/decode/index.ts";
import { tsharkVersion } from "../../pcaps/tshark.ts";
import { said } from "./said.ts";

const FIXTURES = join(import.meta.dirname, "../../pcaps/key-files/fixtures");
const CAPTURE = join(FIXTURES, "charon.pcap");
const LOG = join(FIXTURES, "charon.log");

describe("bakeoff pcap keys", () => {
  let folder = "";
  let out = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-pcap-keys-"));
    out = join(folder, "out");
    const { status, out: text, err } = await said("pcap", "keys", CAPTURE, "--keys", LOG, "--out", out);
    expect([status, err]).to.deep.equal([0, ""]);
    expect(text).to.equal(`${join(out, "decrypted.pcapng")}: 22 decrypted, 0 stay closed, 2 others\n`);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Fields of every packet as tshark reads it, without any profile unless one is named. */
  async function tshark(context: Mocha.Context, file: string, fields: string[], profile = folder) {
    const version = await tsharkVersion();
    if (version === undefined && process.env.BAKEOFF_REQUIRE_PEERS !== "1") context.skip();
    const args = ["-n", "-r", file, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
    const env = { ...process.env, WIRESHARK_CONFIG_DIR: profile };
    const text = execFileSync("tshark", args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] });
    return text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
  }

  it("writes a profile with all generations of keys, by which the capture opens again", () => {
    expect(readdirSync(out).sort()).to.deep.equal([
      ...["decode_as_entries", "decrypted.pcapng", "esp_sa", "generation-0", "generation-1"],
      ...["ikev2_decryption_table", "keys.json", "preferences"],
    ]);
    for (const keys of [out, join(out, "keys.json")]) {
      const openings = [...readSeen(CAPTURE, [keys])].map((seen) => "opening" in seen && seen.opening);
      expect(openings.filter((opening) => opening === "opened")).to.have.length(22);
    }
  });

  it("writes a twin that tshark reads without keys: the payloads of SK, and the packets in ESP", async function () {
    const fields = [
      "_ws.col.Protocol",
      "isakmp.exchangetype",
      "isakmp.id.data.fqdn",
      "isakmp.enc.data",
      "ip.dst",
      "frame.comment",
    ];
    const rows = await tshark(this, join(out, "decrypted.pcapng"), fields);
    expect(rows).to.have.length(24);
    expect(rows[0]).to.deep.equal(["ISAKMP", "34", "", "", "192.0.2.2", "packet 1, as it was"]);
    const names = "tester.example,peer.example";
    expect(rows[6]).to.deep.equal(["ISAKMP", "35", names, "", "192.0.2.2", "packet 7, decrypted"]);
    expect(rows[18]).to.deep.equal(["ICMP", "", "", "", "203.0.113.17", "packet 19, decrypted"]);
  }).timeout(20_000);

  it("writes a profile by which tshark decrypts the capture itself", async function () {
    const rows = await tshark(this, CAPTURE, ["_ws.col.Protocol", "isakmp.id.data.fqdn"], out);
    expect(rows[6]).to.deep.equal(["ISAKMP", "tester.example,peer.example"]);
    expect(rows[18]?.[0]).to.equal("ICMP");
  }).timeout(20_000);

  it("takes the folder of a test's evidence, with the keys in it", async () => {
    const evidence = join(folder, "evidence");
    cpSync(out, join(evidence, "keys"), { recursive: true });
    cpSync(CAPTURE, join(evidence, "capture.pcap"));
    const { status, out: text } = await said("pcap", "keys", evidence, "--out", join(folder, "again"));
    expect([status, text.replace(/^.*: /, "")]).to.deep.equal([0, "22 decrypted, 0 stay closed, 2 others\n"]);
  });

  it("says in one line what is wrong with what it is given", async () => {
    const other = join(folder, "other.txt");
    writeFileSync(other, "no keys\n");
    const away = join(folder, "away");
    for (const [args, line] of [
      [
        [CAPTURE, "--keys", other, "--out", away],
        `--keys ${other}: holds keys of no kind that is known here`,
      ],
      [[CAPTURE, "--out", away], `${CAPTURE}: no keys; name them with --keys`],
      [[other, "--keys", LOG, "--out", away], `${other}: `],
      [[folder, "--keys", LOG, "--out", away], `${folder}: no capture.pcap in this folder`],
      [[CAPTURE, "--keys", LOG, "--out", other], `--out ${other}: `],
    ] as const) {
      const { status, err } = await said("pcap", "keys", ...args);
      expect(status, line).to.equal(2);
      expect(err).to.include(`bakeoff: ${line}`);
      expect(err.trimEnd().split("\n")).to.have.length(1);
    }
    expect(existsSync(join(away, "keys.json"))).to.equal(false);
  });
});
