/** Reads keys from whatever holds them: files are told apart by content, not by name. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { KeyRing } from "../decode/key-ring.ts";
import { fileReason, readTextFile } from "../text-file.ts";
import { looksLikeCharonLog, parseCharonLog } from "./charon.ts";
import { looksLikeJson, parseKeysJson } from "./json.ts";
import { type KeyFault, type KeysRead, type LineFault, MOST_FAULTS, MOST_OCTETS } from "./types.ts";
import { looksLikeTable, parseWiresharkTable } from "./wireshark.ts";
import { looksLikeXfrm, parseXfrmState } from "./xfrm.ts";

/** All keys that were found, and what was wrong with the files. */
export interface ReadKeys {
  ring: KeyRing;
  faults: KeyFault[];
}

interface Kind {
  looks: (text: string) => boolean;
  parse: (text: string) => KeysRead;
}

/** Files that are of one kind from their first line on. */
const WHOLE: readonly Kind[] = [
  { looks: looksLikeJson, parse: parseKeysJson },
  { looks: looksLikeTable, parse: parseWiresharkTable },
];

/** What may stand among other lines, also together: someone put it all into one file. */
const AMONG: readonly Kind[] = [
  { looks: looksLikeXfrm, parse: parseXfrmState },
  { looks: looksLikeCharonLog, parse: parseCharonLog },
];

/** Files of a folder that hold keys; of a Wireshark profile there is one for every generation. */
const TABLES = ["ikev2_decryption_table", "esp_sa"];
const OURS = "keys.json";
const MOST_GENERATIONS = 64;

/**
 * Reads the keys of all paths: a folder of ours or a Wireshark profile, or a file of any kind. Never throws; what
 * could not be read is a fault, and keys that came before it are kept.
 */
export function readKeys(paths: readonly string[]): ReadKeys {
  const read: ReadKeys = { ring: new KeyRing(), faults: [] };
  for (const path of paths) for (const file of filesOf(path, read)) addFile(read, file, file === path);
  return read;
}

/** Adds the keys in a text, as in the block of secrets of a capture; false if it is of no kind we know. */
export function addKeys(read: ReadKeys, path: string, text: string): boolean {
  const whole = WHOLE.find(({ looks }) => looks(text));
  const kinds = whole ? [whole] : AMONG.filter(({ looks }) => looks(text));
  const all = kinds.map(({ parse }) => parse(text));
  const faults = all.flatMap((each) => taken(read.ring, each));
  for (const fault of faults.slice(0, MOST_FAULTS)) read.faults.push({ kind: "key-fault", path, ...fault });
  const told = Math.min(faults.length, MOST_FAULTS);
  const more = all.reduce((sum, each) => sum + (each.more ?? 0), faults.length - told);
  if (more > 0)
    read.faults.push({
      kind: "key-fault",
      path,
      reason: `${more} more lines or entries are faulty`,
    });
  return kinds.length > 0;
}

/** Puts keys on the ring; gives what was faulty in the text, and what the ring refused. */
function taken(ring: KeyRing, { ike, esp, unbound = [], faults }: KeysRead): LineFault[] {
  const refused = [
    ...ike.map((keys) => ring.addIke(keys)),
    ...unbound.map((candidates) => ring.addUnbound(candidates)),
    ...esp.map((keys) => ring.addEsp(keys)),
  ];
  return [...faults, ...refused.flatMap((reason) => (reason === undefined ? [] : [{ reason }]))];
}

function addFile(read: ReadKeys, path: string, isNamed: boolean): void {
  const text = readTextFile(path, { most: MOST_OCTETS, pipes: isNamed });
  const reason =
    typeof text !== "string"
      ? text.reason
      : text.trim() === "" || addKeys(read, path, text)
        ? undefined
        : "holds keys of no kind that is known here";
  if (reason !== undefined) read.faults.push({ kind: "key-fault", path, reason, fatal: true });
}

function filesOf(path: string, read: ReadKeys): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = filesOfFolder(path);
    if (files.length > 0) return files;
    const reason = `a folder without ${[OURS, ...TABLES].join(", ")}`;
    read.faults.push({ kind: "key-fault", path, reason, fatal: true });
  } catch (error) {
    read.faults.push({ kind: "key-fault", path, reason: fileReason(error), fatal: true });
  }
  return [];
}

/** `keys.json` has it all; else the tables, of the generations before the last first. */
function filesOfFolder(folder: string): string[] {
  const names = readdirSync(folder);
  if (names.includes(OURS)) return [join(folder, OURS)];
  const earlier = names
    .filter((name) => /^generation-\d+$/.test(name))
    .sort((a, b) => Number(a.slice(11)) - Number(b.slice(11)))
    .slice(0, MOST_GENERATIONS);
  return [...earlier.map((name) => join(folder, name)), folder].flatMap((at) => {
    const there = at === folder ? names : readdirSync(at);
    return TABLES.filter((name) => there.includes(name)).map((name) => join(at, name));
  });
}
