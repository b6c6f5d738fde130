/** Reads Wireshark's tables of keys: `ikev2_decryption_table` and `esp_sa`. */
import { ANY_INTEG, type EspSaKeys, type IkeSaKeys } from "../keys.ts";
import { Gathered, type KeysRead, linesOf, octetsOf } from "./types.ts";

/** An algorithm by the name Wireshark gives it: encryption by its beginning, key length and ICV within. */
const ENCR: [RegExp, number][] = [
  [/^(?:3DES|TripleDES-CBC)/, 3],
  [/^NULL/, 11],
  [/^AES-CBC/, 12],
  [/^AES-CTR/, 13],
  [/^AES-CCM.*with 8 octet/, 14],
  [/^AES-CCM.*with 12 octet/, 15],
  [/^AES-CCM/, 16],
  [/^AES-GCM.*with 8 octet/, 18],
  [/^AES-GCM.*with 12 octet/, 19],
  [/^AES-GCM/, 20],
  [/^ChaCha20/i, 28],
];

const INTEG: [RegExp, number][] = [
  [/^(?:NONE|NULL)/, 0],
  [/^HMAC[-_]SHA[-_]?1[-_]96/, 2],
  [/^HMAC[-_]SHA2?[-_]256[-_]128/, 12],
  [/^HMAC[-_]SHA2?[-_]384[-_]192/, 13],
  [/^HMAC[-_]SHA2?[-_]512[-_]256/, 14],
];

/** Octets of salt that stand behind the key of the cipher. */
const SALT = new Map([
  ...[13, 18, 19, 20].map((id): [number, number] => [id, 4]),
  ...[14, 15, 16].map((id): [number, number] => [id, 3]),
]);

/** Characters of a row; that with the longest keys has some 500. */
const LONGEST = 4096;

/** A line without comment, as its cells; undefined for what is no row of comma-separated values. */
function cellsOf(line: string): string[] | undefined {
  if (line.length > LONGEST) return undefined;
  // No two parts in a row may take the same spaces, or a hostile line takes for ever.
  const cells = [...line.matchAll(/(?:\s*"([^"]*)"\s*|([^",]*))(?:,|$)/gy)];
  const length = cells.reduce((sum, [whole]) => sum + whole.length, 0);
  if (length < line.length) return undefined;
  // The empty match at the end is no cell, but for a line that ends in a comma.
  if (!line.endsWith(",")) cells.pop();
  return cells.map(([, quoted, bare]) => quoted ?? bare?.trim() ?? "");
}

const found = (names: [RegExp, number][], name: string): number | undefined =>
  names.find(([pattern]) => pattern.test(name))?.[1];

function integIdOf(name: string): number | undefined {
  const bits = /^ANY (\d+)[- ]bits?/i.exec(name)?.[1];
  return bits === undefined ? found(INTEG, name) : ANY_INTEG + Number(bits) / 8;
}

/** Reads a table, whichever it is: a row of the IKE table begins with an SPI, one of ESP with the address family. */
export function parseWiresharkTable(text: string): KeysRead {
  const read = new Gathered();
  for (const [number, line] of linesOf(text)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const cells = cellsOf(line);
    const row = !cells ? "no row of comma-separated values" : rowOf(cells);
    if (typeof row === "string") read.addFault({ line: number, reason: row });
    else if ("spiI" in row) read.addIke(row);
    else read.addEsp(row);
  }
  return read;
}

const rowOf = (cells: string[]): IkeSaKeys | EspSaKeys | string =>
  /^(?:IPv4|IPv6|Any)/i.test(cells[0] ?? "") ? espRow(cells) : ikeRow(cells);

function ikeRow(cells: string[]): IkeSaKeys | string {
  if (cells.length !== 8) return `${cells.length} cells, a row of ikev2_decryption_table has 8`;
  const [spiI, spiR, SK_ei, SK_er, encr = "", SK_ai, SK_ar, integ = ""] = cells;
  const octets = [spiI, spiR, SK_ei, SK_er, SK_ai, SK_ar].map((cell) => octetsOf(cell ?? ""));
  const [i, r, ei, er, ai, ar] = octets;
  if (!i || !r || !ei || !er || !ai || !ar) return "an SPI or key is not hex";
  if (i.length !== 8 || r.length !== 8) return "an SPI has not 8 octets";
  const encrId = found(ENCR, encr);
  const integId = integIdOf(integ);
  if (encrId === undefined || integId === undefined) return "an algorithm is not known here";
  const bits = /^AES-\w+-(\d+)/.exec(encr)?.[1];
  const keyBits = bits === undefined ? undefined : Number(bits);
  return { spiI: i, spiR: r, encrId, keyBits, integId, SK_ei: ei, SK_er: er, SK_ai: ai, SK_ar: ar };
}

function espRow(cells: string[]): EspSaKeys | string {
  if (cells.length < 8 || cells.length > 10) return `${cells.length} cells, a row of esp_sa has 8`;
  const [
    ,
    source = "",
    destination = "",
    spiText = "",
    encr = "",
    encrText = "",
    integ = "",
    integText = "",
  ] = cells;
  const spi = spiOf(spiText);
  const [encrKey, integKey] = [octetsOf(encrText), octetsOf(integText)];
  if (!encrKey || !integKey) return "a key is not hex";
  if (spi === undefined) return "the SPI is no number of 32 bits";
  const [encrId, integId] = [found(ENCR, encr), integIdOf(integ)];
  if (encrId === undefined || integId === undefined) return "an algorithm is not known here";
  const keyBits = [3, 11, 28].includes(encrId) ? undefined : 8 * (encrKey.length - (SALT.get(encrId) ?? 0));
  // Later versions have a column for the width of sequence numbers; ours does not tell.
  const esn = cells[8] === undefined ? undefined : cells[8].startsWith("64");
  return { source, destination, spi, encrId, keyBits, integId, esn, encrKey, integKey };
}

function spiOf(text: string): number | undefined {
  const spi = /^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : Number.NaN;
  return spi < 2 ** 32 ? spi : undefined;
}

/** Whether a text is meant as one of the tables. */
export function looksLikeTable(text: string): boolean {
  for (const [, line] of linesOf(text.slice(0, 65_536)))
    if (line.trim() !== "" && !line.startsWith("#"))
      return /^(?:"?[0-9a-fx]{16,18}"?,|"(?:IPv4|IPv6|Any)",)/i.test(line);
  return false;
}
