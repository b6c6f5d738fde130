/** What is kept of a test: capture, keys in Wireshark's formats, event stream, ladder, the peer's log. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keysJson } from "../../pcaps/key-files/json.ts";
import { type EspSaKeys, type IkeSaKeys, writeKeyFolder } from "../../pcaps/keys.ts";
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

/**
 * Writes all keys into `keys.json`, and those that Wireshark can use into its tables. It takes one set for an SA: those
 * that others took the place of before IKE_AUTH stand in `generation-0` and so on.
 */
export function writeKeys(folder: string, sas: IkeSa[], children: ChildSa[]): void {
  const esp = children.flatMap(espSaKeys);
  writeKeyFolder(folder, { ike: sas.flatMap((sa) => ikeSaKeys(sa)), esp });
  const ike = sas.flatMap((sa) => [...sa.earlierKeys, sa.keys].flatMap((keys) => ikeSaKeys(sa, keys)));
  writeFileSync(join(folder, "keys.json"), keysJson({ ike, esp }));
  const generations = Math.max(0, ...sas.map(({ earlierKeys }) => earlierKeys.length));
  for (let n = 0; n < generations; n++) {
    const ike = sas.flatMap((sa) => (sa.earlierKeys[n] ? ikeSaKeys(sa, sa.earlierKeys[n]) : []));
    writeKeyFolder(join(folder, `generation-${n}`), { ike, esp: [] });
  }
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

const fileName = (part: string): string => part.replace(/[^A-Za-z0-9.@_-]/g, "_");
