/** Our own file of keys, `keys.json`: every SA with all its keys, also those that Wireshark has no name for. */
import { z } from "zod";
import { hex } from "../../harness/wire/bytes.ts";
import type { EspSaKeys, IkeSaKeys } from "../keys.ts";
import { Gathered, type KeySets, type KeysRead, octetsOf } from "./types.ts";

const FORMAT = "bakeoff-keys";
const VERSION = 1;

const octets = z.string().regex(/^(?:[0-9a-f]{2})*$/i, "no octets in hex");
const spi8 = octets.length(16);
/** Above 16 bits: ANY_INTEG and the octets of an ICV. */
const id = z.int().min(0).max(0x100ff);
/** IANA's ids of the transforms; the key length in bits where the cipher has one. */
const transforms = { encr: id, keyBits: id.optional(), integ: id.optional() };

const generationSchema = z.object({
  ...transforms,
  prf: id.optional(),
  SK_d: octets.optional(),
  SK_ai: octets,
  SK_ar: octets,
  SK_ei: octets,
  SK_er: octets,
  SK_pi: octets.optional(),
  SK_pr: octets.optional(),
});

const ikeSchema = z.object({ spiI: spi8, spiR: spi8, generations: z.array(generationSchema) });

const espSchema = z.object({
  spi: octets.length(8),
  source: z.string(),
  destination: z.string(),
  ...transforms,
  esn: z.boolean().optional(),
  encrKey: octets,
  integKey: octets,
});

/**
 * The schema of `keys.json`. Keys are taken from prf+, with the salt of an AEAD cipher at their end; the newest
 * generation of an IKE SA stands last. Entries are judged one by one, so that a damaged one does not hide the others.
 */
const fileSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  ike: z.array(z.unknown()),
  esp: z.array(z.unknown()),
});

/** Text of a `keys.json`; generations of an SA stand in the order they are given. */
export function keysJson({ ike, esp }: KeySets): string {
  const sas = new Map<string, IkeSaKeys[]>();
  for (const sa of ike) {
    const name = `${hex(sa.spiI)} ${hex(sa.spiR)}`;
    sas.set(name, [...(sas.get(name) ?? []), sa]);
  }
  const file = {
    format: FORMAT,
    version: VERSION,
    ike: [...sas.values()].map(ikeEntry),
    esp: esp.map(espEntry),
  };
  return JSON.stringify(file, null, 2) + "\n";
}

const hexOf = (octets: Uint8Array | undefined): string | undefined => octets && hex(octets);

function ikeEntry(generations: IkeSaKeys[]): z.input<typeof ikeSchema> {
  const [first] = generations;
  return {
    spiI: hexOf(first?.spiI) ?? "",
    spiR: hexOf(first?.spiR) ?? "",
    generations: generations.map((keys) => ({
      encr: keys.encrId,
      keyBits: keys.keyBits,
      integ: keys.integId,
      prf: keys.prfId,
      SK_d: hexOf(keys.SK_d),
      SK_ai: hex(keys.SK_ai),
      SK_ar: hex(keys.SK_ar),
      SK_ei: hex(keys.SK_ei),
      SK_er: hex(keys.SK_er),
      SK_pi: hexOf(keys.SK_pi),
      SK_pr: hexOf(keys.SK_pr),
    })),
  };
}

const espEntry = (keys: EspSaKeys): z.input<typeof espSchema> => ({
  spi: keys.spi.toString(16).padStart(8, "0"),
  source: keys.source,
  destination: keys.destination,
  encr: keys.encrId,
  keyBits: keys.keyBits,
  integ: keys.integId,
  esn: keys.esn,
  encrKey: hex(keys.encrKey),
  integKey: hex(keys.integKey),
});

/** Whether a text is meant as a `keys.json`. */
export const looksLikeJson = (text: string): boolean => /^\s*\{/.test(text);

/** Reads a `keys.json`. Never throws. */
export function parseKeysJson(text: string): KeysRead {
  const read = new Gathered();
  const file = fileSchema.safeParse(json(text));
  if (!file.success) {
    read.addFault({ reason: `no file of keys: ${reasonOf(file.error)}` });
    return read;
  }
  for (const [at, entry] of file.data.ike.entries()) {
    const sa = ikeSchema.safeParse(entry);
    for (const keys of sa.success ? ikeKeys(sa.data) : []) read.addIke(keys);
    if (!sa.success) read.addFault({ reason: `ike[${at}]: ${reasonOf(sa.error)}` });
  }
  for (const [at, entry] of file.data.esp.entries()) {
    const sa = espSchema.safeParse(entry);
    if (sa.success) read.addEsp(espKeys(sa.data));
    else read.addFault({ reason: `esp[${at}]: ${reasonOf(sa.error)}` });
  }
  return read;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The first thing zod minds, by its place; its messages never repeat the value. */
function reasonOf({ issues: [issue] }: z.ZodError): string {
  const place = issue?.path.join(".");
  return `${place ? `${place}: ` : ""}${issue?.message ?? "not readable"}`;
}

const octetsFrom = (text: string): Uint8Array => octetsOf(text) ?? new Uint8Array(0);
const octetsIfAny = (text: string | undefined) => (text === undefined ? undefined : octetsFrom(text));

function ikeKeys({ spiI, spiR, generations }: z.output<typeof ikeSchema>): IkeSaKeys[] {
  return generations.map((keys) => ({
    spiI: octetsFrom(spiI),
    spiR: octetsFrom(spiR),
    encrId: keys.encr,
    keyBits: keys.keyBits,
    integId: keys.integ,
    prfId: keys.prf,
    SK_d: octetsIfAny(keys.SK_d),
    SK_ai: octetsFrom(keys.SK_ai),
    SK_ar: octetsFrom(keys.SK_ar),
    SK_ei: octetsFrom(keys.SK_ei),
    SK_er: octetsFrom(keys.SK_er),
    SK_pi: octetsIfAny(keys.SK_pi),
    SK_pr: octetsIfAny(keys.SK_pr),
  }));
}

const espKeys = (keys: z.output<typeof espSchema>): EspSaKeys => ({
  spi: Number.parseInt(keys.spi, 16),
  source: keys.source,
  destination: keys.destination,
  encrId: keys.encr,
  keyBits: keys.keyBits,
  integId: keys.integ,
  esn: keys.esn,
  encrKey: octetsFrom(keys.encrKey),
  integKey: octetsFrom(keys.integKey),
});
