/**
 * Keys in Wireshark's own formats, so that anyone can open a capture of ours and read what is inside. The names of
 * algorithms are those Wireshark 4.0 accepts; it reads no further in a table once it meets another, and so a key it
 * has no name for becomes a note beside the tables.
 *
 * Tried with tshark 4.0.17 (`tshark.test.ts`): ChaCha20-Poly1305 and NULL with AES-GMAC cannot be decrypted, neither
 * in IKE nor in ESP, nor can AES-CCM in ESP. AES-XCBC-96 and AES-CMAC-96 are decrypted but not checked. ESP with
 * ESN is decrypted, its ICV shown as wrong.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hex } from "../harness/wire/bytes.ts";

/** Keys of one IKE SA. Ids are IANA's; the keys as taken from prf+, for AEAD ciphers with the salt at their end. */
export interface IkeSaKeys {
  spiI: Uint8Array;
  spiR: Uint8Array;
  encrId: number;
  /** Undefined for ciphers without Key Length. */
  keyBits?: number;
  /** Undefined for AEAD ciphers. */
  integId?: number;
  SK_ei: Uint8Array;
  SK_er: Uint8Array;
  /** Empty for AEAD ciphers, and where a table leaves them out. */
  SK_ai: Uint8Array;
  SK_ar: Uint8Array;
  /** Where known: what Child SAs and AUTH are made with, and the PRF they belong to. */
  prfId?: number;
  SK_d?: Uint8Array;
  SK_pi?: Uint8Array;
  SK_pr?: Uint8Array;
}

/** Keys of one ESP SA, that is of one direction. */
export interface EspSaKeys {
  /** Addresses of the outer header, as text. */
  source: string;
  destination: string;
  spi: number;
  encrId: number;
  keyBits?: number;
  integId?: number;
  /** Extended sequence numbers; not set where a table does not tell. */
  esn?: boolean;
  /** With the salt or nonce at its end, as in KEYMAT. */
  encrKey: Uint8Array;
  integKey: Uint8Array;
}

/** A table for Wireshark, and why some keys are not in it. */
export interface KeyTable {
  text: string;
  notes: string[];
}

/** `bits` in a name stands for the key length. */
const IKE_ENCR: Record<number, string> = {
  3: "3DES [RFC2451]",
  11: "NULL [RFC2410]",
  12: "AES-CBC-bits [RFC3602]",
  13: "AES-CTR-bits [RFC5930]",
  14: "AES-CCM-bits with 8 octet ICV [RFC5282]",
  15: "AES-CCM-bits with 12 octet ICV [RFC5282]",
  16: "AES-CCM-bits with 16 octet ICV [RFC5282]",
  18: "AES-GCM-bits with 8 octet ICV [RFC5282]",
  19: "AES-GCM-bits with 12 octet ICV [RFC5282]",
  20: "AES-GCM-bits with 16 octet ICV [RFC5282]",
};

/** Added to the octets of an ICV, in place of an id: what made it is not known, so that it cannot be checked. */
export const ANY_INTEG = 0x10000;

/** Wireshark's way to say so. */
function anyInteg(integId: number, name: (bits: number) => string): string | undefined {
  return integId > ANY_INTEG ? name(8 * (integId - ANY_INTEG)) : undefined;
}

/** AES-XCBC-96 and AES-CMAC-96 (5 and 8) are not checked by Wireshark, which then takes no key for them; their length is enough to decrypt. */
const IKE_INTEG: Record<number, string> = {
  0: "NONE [RFC4306]",
  1: "HMAC_MD5_96 [RFC2403]",
  2: "HMAC_SHA1_96 [RFC2404]",
  5: "ANY 96-bits of Authentication [No Checking]",
  6: "HMAC_MD5_128 [RFC4595]",
  7: "HMAC_SHA1_160 [RFC4595]",
  8: "ANY 96-bits of Authentication [No Checking]",
  12: "HMAC_SHA2_256_128 [RFC4868]",
  13: "HMAC_SHA2_384_192 [RFC4868]",
  14: "HMAC_SHA2_512_256 [RFC4868]",
};

const ESP_ENCR: Record<number, string> = {
  3: "TripleDES-CBC [RFC2451]",
  11: "NULL",
  12: "AES-CBC [RFC3602]",
  13: "AES-CTR [RFC3686]",
  18: "AES-GCM with 8 octet ICV [RFC4106]",
  19: "AES-GCM with 12 octet ICV [RFC4106]",
  20: "AES-GCM with 16 octet ICV [RFC4106]",
};

const ESP_INTEG: Record<number, string> = {
  0: "NULL",
  1: "HMAC-MD5-96 [RFC2403]",
  2: "HMAC-SHA-1-96 [RFC2404]",
  5: "ANY 96 bit authentication [no checking]",
  8: "ANY 96 bit authentication [no checking]",
  12: "HMAC-SHA-256-128 [RFC4868]",
  13: "HMAC-SHA-384-192 [RFC4868]",
  14: "HMAC-SHA-512-256 [RFC4868]",
};

/** Whether Wireshark 4.0 has names for these transforms, by IANA id. */
export function wiresharkKnows(what: "ike" | "esp", encrId: number, integId = 0): boolean {
  const [encr, integ] = what === "ike" ? [IKE_ENCR, IKE_INTEG] : [ESP_ENCR, ESP_INTEG];
  return encrId in encr && integId in integ;
}

/** The file `ikev2_decryption_table`. */
export function ikev2DecryptionTable(sas: readonly IkeSaKeys[]): KeyTable {
  return table(sas, (sa) => {
    const spis = `${hex(sa.spiI)} ${hex(sa.spiR)}`;
    const encr = IKE_ENCR[sa.encrId];
    const integId = sa.integId ?? 0;
    const integ =
      IKE_INTEG[integId] ?? anyInteg(integId, (bits) => `ANY ${bits}-bits of Authentication [No Checking]`);
    if (encr === undefined || integ === undefined) return unknown(`IKE SA ${spis}`, sa);
    const keys = [sa.SK_ei, sa.SK_er].map(hex);
    const name = quoted(encr.replace("bits", String(sa.keyBits)));
    const integKeys = integ.startsWith("ANY") ? ["", ""] : [sa.SK_ai, sa.SK_ar].map(hex);
    const row = [hex(sa.spiI), hex(sa.spiR), ...keys, name, ...integKeys, quoted(integ)];
    return { line: row.join(",") };
  });
}

/** The file `esp_sa`. */
export function espSaTable(sas: readonly EspSaKeys[]): KeyTable {
  return table(sas, (sa) => {
    const spi = `0x${sa.spi.toString(16).padStart(8, "0")}`;
    const encr = ESP_ENCR[sa.encrId];
    const integId = sa.integId ?? 0;
    const integ =
      ESP_INTEG[integId] ?? anyInteg(integId, (bits) => `ANY ${bits} bit authentication [no checking]`);
    if (encr === undefined || integ === undefined) return unknown(`ESP SA ${spi}`, sa);
    const family = sa.source.includes(":") ? "IPv6" : "IPv4";
    const row = [family, sa.source, sa.destination, spi, encr, key(sa.encrKey), integ, key(sa.integKey)];
    return { line: row.map(quoted).join(",") };
  });
}

type Row = { line: string } | { note: string };

function table<T>(sas: readonly T[], rowOf: (sa: T) => Row): KeyTable {
  const rows = sas.map(rowOf);
  const lines = new Set(rows.flatMap((row) => ("line" in row ? [row.line + "\n"] : [])));
  return { text: [...lines].join(""), notes: rows.flatMap((row) => ("note" in row ? [row.note] : [])) };
}

function unknown(what: string, { encrId, integId = 0 }: { encrId: number; integId?: number }): Row {
  return {
    note: `${what}: Wireshark has no name for encryption transform ${encrId} with integrity transform ${integId}`,
  };
}

function quoted(text: string): string {
  return `"${text}"`;
}

function key(octets: Uint8Array): string {
  return octets.length > 0 ? `0x${hex(octets)}` : "";
}

const PREFERENCES = `esp.enable_encryption_decode: TRUE
esp.enable_authentication_check: TRUE
esp.enable_null_encryption_decode_heuristic: FALSE
`;

/** Wireshark does not look for IKE on the port of G-IKEv2. IKE in TCP needs the script `iketcp.lua`. */
const DECODE_AS = "decode_as_entry: udp.port,848,(none),ISAKMP\n";

/**
 * Writes a folder that is a Wireshark configuration: `WIRESHARK_CONFIG_DIR=keys wireshark capture.pcap` shows the
 * capture decrypted. Returns notes on keys that are in no table; they are also in `notes.txt`. Throws what
 * the file system throws.
 */
export function writeKeyFolder(
  folder: string,
  keys: { ike: readonly IkeSaKeys[]; esp: readonly EspSaKeys[] },
): string[] {
  const ike = ikev2DecryptionTable(keys.ike);
  const esp = espSaTable(keys.esp);
  const notes = [...ike.notes, ...esp.notes];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ikev2_decryption_table"), ike.text);
  writeFileSync(join(folder, "esp_sa"), esp.text);
  writeFileSync(join(folder, "preferences"), PREFERENCES);
  writeFileSync(join(folder, "decode_as_entries"), DECODE_AS);
  if (notes.length > 0) writeFileSync(join(folder, "notes.txt"), notes.join("\n") + "\n");
  return notes;
}
