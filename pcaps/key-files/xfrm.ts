/** Reads what `ip xfrm state` prints: the ESP SAs in the kernel of a Linux host. */
import { EMPTY } from "../../harness/wire/bytes.ts";
import type { EspSaKeys } from "../keys.ts";
import { encrOfLength, keyBitsOf } from "./names.ts";
import { Gathered, type KeysRead, linesOf, octetsOf } from "./types.ts";

/** Combined-mode ciphers by the kernel's name; of some, one id for every ICV length in bits. */
const AEAD: Record<string, Record<number, number>> = {
  "rfc4106(gcm(aes))": { 64: 18, 96: 19, 128: 20 },
  "seqiv(rfc4106(gcm(aes)))": { 64: 18, 96: 19, 128: 20 },
  "rfc4309(ccm(aes))": { 64: 14, 96: 15, 128: 16 },
  "rfc4543(gcm(aes))": { 128: 21 },
  "rfc7539esp(chacha20,poly1305)": { 128: 28 },
};

const ENCR: Record<string, number> = {
  "cbc(des3_ede)": 3,
  "ecb(cipher_null)": 11,
  cipher_null: 11,
  "cbc(aes)": 12,
  "rfc3686(ctr(aes))": 13,
};

/** Integrity transforms by the kernel's name and the bits of the ICV; the kernel's own for `auth`, which prints none. */
const INTEG: Record<string, Record<number, number>> = {
  "hmac(sha1)": { 96: 2 },
  "xcbc(aes)": { 96: 5 },
  "cmac(aes)": { 96: 8 },
  "hmac(sha256)": { 128: 12 },
  "hmac(sha384)": { 192: 13 },
  "hmac(sha512)": { 256: 14 },
};

/** An SA as far as it was read. */
interface Draft {
  /** Of its first line. */
  line: number;
  source: string;
  destination: string;
  protocol?: string;
  spi?: number;
  esn: boolean;
  encr?: { id: number; key: Uint8Array };
  integ?: { id: number; key: Uint8Array };
  fault?: { line: number; reason: string };
}

/** Whether a text is meant as this output. */
export const looksLikeXfrm = (text: string): boolean =>
  /^src \S+ dst \S.*\r?\n\s+proto /m.test(text.slice(0, 1 << 20));

/** Reads the output, with or without `-s`. Never throws. SAs of AH and IPComp are left aside. */
export function parseXfrmState(text: string): KeysRead {
  const read = new Gathered();
  let draft: Draft | undefined;
  for (const [number, line] of linesOf(text)) {
    const start = /^src (\S+) dst (\S+)/.exec(line);
    if (start) {
      finish(read, draft);
      const [, source = "", destination = ""] = start;
      draft = { line: number, source, destination, esn: false };
    } else if (draft && /^\s/.test(line)) takeLine(draft, line.trim(), number);
  }
  finish(read, draft);
  return read;
}

function takeLine(draft: Draft, line: string, at: number): void {
  // `ip -s` adds the length of keys.
  const words = line.replace(/ \(\d+ bits\)/, "").split(/\s+/);
  const [first, name = "", key = ""] = words;
  const bits = words.at(-1);
  if (first === "proto") {
    draft.protocol = name;
    const spi = Number(/\bspi (0x[0-9a-f]{1,8})\b/i.exec(line)?.[1]);
    if (spi < 2 ** 32) draft.spi = spi;
  } else if (first === "replay-window") draft.esn = words.includes("esn");
  else if (first === "aead") takeEncr(draft, at, AEAD[name]?.[Number(bits)], key);
  else if (first === "enc") takeEncr(draft, at, ENCR[name], key);
  else if (first === "auth-trunc") takeInteg(draft, at, INTEG[name]?.[Number(bits)], key);
  else if (first === "auth") takeInteg(draft, at, name === "digest_null" ? 0 : onlyOf(INTEG[name]), key);
}

const onlyOf = (ids: Record<number, number> | undefined): number | undefined => ids && Object.values(ids)[0];

function takeEncr(draft: Draft, line: number, id: number | undefined, text: string): void {
  const key = keyOf(draft, line, id, text);
  if (key && id !== undefined) draft.encr = { id, key };
}

function takeInteg(draft: Draft, line: number, id: number | undefined, text: string): void {
  const key = keyOf(draft, line, id, text);
  if (key && id !== undefined) draft.integ = { id, key };
}

function keyOf(draft: Draft, line: number, id: number | undefined, text: string): Uint8Array | undefined {
  // A cipher without key has nothing behind its name.
  const key = text === "" || text === '""' ? EMPTY : octetsOf(text);
  if (id === undefined) draft.fault ??= { line, reason: "an algorithm is not known here" };
  else if (!key) draft.fault ??= { line, reason: "the key is not hex; was it hidden by -nokeys?" };
  return key;
}

function finish(read: Gathered, draft: Draft | undefined): void {
  if (!draft || (draft.protocol !== undefined && draft.protocol !== "esp")) return;
  const made = draft.fault ?? espOf(draft);
  if ("reason" in made) read.addFault(made);
  else read.addEsp(made);
}

function espOf(draft: Draft): EspSaKeys | { line: number; reason: string } {
  const { line, source, destination, spi, encr, integ, esn } = draft;
  if (spi === undefined) return { line, reason: "an SA without SPI" };
  if (!encr) return { line, reason: "an SA without encryption key" };
  const cipher = encrOfLength(encr.id, encr.key.length);
  if (!cipher) return { line, reason: `encryption transform ${encr.id} takes no ${encr.key.length} octets` };
  const common = { source, destination, spi, esn, encrId: encr.id, keyBits: keyBitsOf(cipher) };
  if (cipher.aead || !integ) return { ...common, encrKey: encr.key, integKey: EMPTY };
  return { ...common, integId: integ.id, encrKey: encr.key, integKey: integ.key };
}
