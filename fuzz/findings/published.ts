/** The findings of a campaign as `findings.json` tells them: in full what may be told, and the rest by its number. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { FindingsFile } from "../../reports/findings.ts";
import { findOperator } from "../operators/index.ts";
import { KEPT } from "./capture.ts";
import type { StoredFinding } from "./finding.ts";
import { inWords } from "./words.ts";

const effectOf = (op: string): string | undefined => findOperator(op)?.effect;

const FILE = "finding.json";

/** `folderOf` says where the files of a finding lie; paths in the index are relative to `out`. */
export function indexOf(
  all: readonly StoredFinding[],
  folderOf: (finding: StoredFinding) => string,
  out: string,
): FindingsFile {
  const open = all.filter(({ embargo }) => !embargo);
  return {
    schema: 1,
    findings: open.map((finding) => entryOf(finding, relative(out, folderOf(finding)), out)),
    withheld: all.length - open.length,
  };
}

/** What may be told of a finding. Only for one without embargo, or for who may know. */
export function entryOf(
  finding: StoredFinding,
  folder: string,
  out: string,
): FindingsFile["findings"][number] {
  const { id, title, peer, stage, oracle, requirement, severity, seed, number, trace } = finding;
  const path = (name: string) => (existsSync(join(out, folder, name)) ? join(folder, name) : undefined);
  const [capture, ladder, log] = [path(KEPT.capture), path(KEPT.ladder), path(KEPT.log)];
  return {
    ...{ id, title, peer: peer.id, fullVersion: peer.fullVersion, stage, oracle },
    ...(requirement && { requirement }),
    ...{ severity, embargo: false, seed: `${seed}:${number}` },
    reproducer: join(folder, FILE),
    ...(capture !== undefined && { capture }),
    ...(ladder !== undefined && { ladder }),
    ...(log !== undefined && { log }),
    ...{ role: trace.peer, setup: finding.setup.name, operators: finding.operators },
    ...{
      messages: finding.messages,
      seen: finding.seen,
      steps: inWords(trace, effectOf),
      detail: finding.detail,
    },
  };
}
