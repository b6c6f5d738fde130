/** What is kept of a test: capture, keys in Wireshark's formats, event stream, ladder, the peer's log. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeKeyFolders } from "../../pcaps/key-files/write.ts";
import type { EspSaKeys, IkeSaKeys } from "../../pcaps/keys.ts";
import { formatLadder } from "../../pcaps/ladder.ts";
import type { Captured } from "../../pcaps/types.ts";
import { writePcap } from "../../pcaps/write.ts";
import type { Evidence } from "../../reports/results.ts";
import type { ChildSa } from "../ike/child.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Trace } from "../script/trace.ts";
import { readU32 } from "../wire/bytes.ts";
import { eventLines } from "./event-stream.ts";
import { ladderViews } from "./ladder.ts";

export function captured(trace: Trace): Captured[] {
  return trace.entries.flatMap(({ at, event }) => {
    if (event.type !== "datagram-sent" && event.type !== "datagram-received") return [];
    return [{ timeMs: at, ...event.datagram }];
  });
}

export function ikeSaKeys(sa: IkeSa, keys = sa.keys): IkeSaKeys[] {
  if (!keys || !sa.suite) return [];
  const { encr, encrKeyBits, integ, prf } = sa.suite;
  return [
    {
      spiI: sa.spiI,
      spiR: sa.spiR,
      encrId: encr.id,
      keyBits: encrKeyBits,
      integId: integ?.id,
      prfId: prf.id,
      ...keys,
    },
  ];
}

/** Writes all keys, with those that others took the place of before IKE_AUTH. */
export function writeKeys(folder: string, sas: IkeSa[], children: ChildSa[]): void {
  const ike = sas.map((sa) => [...sa.earlierKeys, sa.keys].flatMap((keys) => ikeSaKeys(sa, keys)));
  writeKeyFolders(folder, ike, children.flatMap(espSaKeys));
}

export function espSaKeys(child: ChildSa): EspSaKeys[] {
  const { encr, encrKeyBits, integ, esn, ike } = child;
  const common = { encrId: encr.id, keyBits: encrKeyBits, integId: integ?.id, esn };
  const [us, peer] = [ike.local.host, ike.remote.host];
  return [
    {
      ...common,
      source: us,
      destination: peer,
      spi: readU32(child.spiOut, 0),
      encrKey: child.keysOut.encr,
      integKey: child.keysOut.integ,
    },
    {
      ...common,
      source: peer,
      destination: us,
      spi: readU32(child.spiIn, 0),
      encrKey: child.keysIn.encr,
      integKey: child.keysIn.integ,
    },
  ];
}

export interface Kept {
  evidence: Evidence;
  ladder: string;
}

/** Whose evidence it is. */
export interface Place {
  peer: string;
  test: string;
}

/** Of a test that never began, the peer's log is all there is. */
export function keepLog(out: string, place: Place, log: string): Evidence {
  if (log === "") return {};
  const folder = folderOf(place);
  mkdirSync(join(out, folder), { recursive: true });
  const path = join(folder, "peer.log");
  writeFileSync(join(out, path), log);
  return { log: path };
}

/** Writes all files of a test below `out/evidence/<peer>/<test>`; names in the result are relative to `out`. */
export function keepEvidence(out: string, place: Place, trace: Trace, log: string, epochMs: number): Kept {
  const folder = folderOf(place);
  const path = (name: string) => join(out, folder, name);
  mkdirSync(path("keys"), { recursive: true });
  const ladder = formatLadder(ladderViews(trace));
  writePcap(path("capture.pcap"), captured(trace), epochMs);
  writeKeys(path("keys"), trace.ikeSas(), trace.childSas());
  writeFileSync(path("events.jsonl"), eventLines(trace));
  writeFileSync(path("ladder.txt"), ladder);
  writeFileSync(path("peer.log"), log);
  const names = {
    capture: "capture.pcap",
    keys: "keys",
    events: "events.jsonl",
    ladder: "ladder.txt",
    log: "peer.log",
  };
  const relative = Object.fromEntries(
    Object.entries(names).map(([kind, name]) => [kind, join(folder, name)]),
  );
  return { evidence: relative, ladder };
}

const folderOf = ({ peer, test }: Place): string =>
  join("evidence", ...[peer, ...test.split("/")].map(fileName));

/** A name that a file can have: letters, digits and `. @ _ -`. */
export const fileName = (part: string): string => part.replace(/[^A-Za-z0-9.@_-]/g, "_");
