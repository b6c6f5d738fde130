import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type EspSaKeys, espSaTable, type IkeSaKeys, ikev2DecryptionTable, writeKeyFolder } from "./keys.ts";

const NONE = new Uint8Array(0);
const octets = (count: number, value: number) => new Uint8Array(count).fill(value);

const IKE: IkeSaKeys = {
  spiI: octets(8, 0xa1),
  spiR: octets(8, 0xb1),
  encrId: 12,
  keyBits: 128,
  integId: 2,
  SK_ei: octets(16, 1),
  SK_er: octets(16, 2),
  SK_ai: octets(20, 3),
  SK_ar: octets(20, 4),
};
const ESP: EspSaKeys = {
  source: "2001:db8::1",
  destination: "2001:db8::2",
  spi: 0x0000c0de,
  encrId: 20,
  keyBits: 128,
  encrKey: octets(20, 5),
  integKey: NONE,
};

describe("keys for Wireshark", () => {
  it("writes a line of ikev2_decryption_table", () => {
    const keys = ["01", "02"].map((o) => o.repeat(16));
    const integKeys = ["03", "04"].map((o) => o.repeat(20));
    const spis = ["a1", "b1"].map((o) => o.repeat(8));
    const line = [...spis, ...keys, '"AES-CBC-128 [RFC3602]"', ...integKeys, '"HMAC_SHA1_96 [RFC2404]"'].join(
      ",",
    );
    expect(ikev2DecryptionTable([IKE])).to.deep.equal({ text: line + "\n", notes: [] });
  });

  it("writes a line of esp_sa", () => {
    const start = '"IPv6","2001:db8::1","2001:db8::2","0x0000c0de","AES-GCM with 16 octet ICV [RFC4106]"';
    expect(espSaTable([ESP]).text).to.equal(`${start},"0x${"05".repeat(20)}","NULL",""\n`);
  });

  it("writes an SA once, however often it is given", () => {
    expect(espSaTable([ESP, ESP]).text.split("\n")).to.have.length(2);
  });

  it("notes keys that Wireshark has no name for, and keeps them out of the tables", () => {
    const { text, notes } = espSaTable([{ ...ESP, encrId: 28 }]);
    expect(text).to.equal("");
    expect(notes).to.have.length(1);
    expect(notes[0]).to.include("0x0000c0de").and.include("28");
  });

  it("makes a folder that is a Wireshark configuration", () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-keys-"));
    try {
      const notes = writeKeyFolder(folder, { ike: [IKE, { ...IKE, encrId: 28 }], esp: [ESP] });
      expect(notes).to.have.length(1);
      const files = ["decode_as_entries", "esp_sa", "ikev2_decryption_table", "notes.txt", "preferences"];
      expect(readdirSync(folder).sort()).to.deep.equal(files);
      expect(readFileSync(join(folder, "preferences"), "utf8")).to.include(
        "esp.enable_encryption_decode: TRUE",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
