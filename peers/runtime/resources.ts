/** What a process takes, by the files of `/proc/<pid>` (proc(5)). */
import { readdirSync, readFileSync } from "node:fs";
import type { PeerResources } from "../contract.ts";

/** Of Linux as Node runs on; a guest whose pages or ticks differ says so. */
const PAGE_OCTETS = 4096;
const TICKS_PER_SECOND = 100;

/** Contents of the files of a process, however they were brought. */
export interface ProcessTexts {
  /** `/proc/<pid>/statm`. */
  statm: string;
  /** `/proc/<pid>/stat`. */
  stat: string;
  /** How many entries `/proc/<pid>/fd` has. */
  descriptors?: number;
}

/** Undefined for a process that is gone or a zombie, and for texts that are no such files. */
export function resourcesFromText(
  { statm, stat, descriptors }: ProcessTexts,
  { pageOctets = PAGE_OCTETS, ticksPerSecond = TICKS_PER_SECOND } = {},
): PeerResources | undefined {
  const pages = Number(statm.trim().split(/\s+/)[1]);
  // The name of the command stands in parentheses, and may hold spaces and parentheses itself.
  const fields = stat
    .slice(stat.lastIndexOf(")") + 1)
    .trim()
    .split(/\s+/);
  const [state] = fields;
  // Fields 14, 15 and 20 of the file, of which the third is the first here.
  const [user, system, threads] = [fields[11], fields[12], fields[17]].map(Number);
  if (user === undefined || system === undefined || threads === undefined) return undefined;
  if (![pages, user, system, threads].every(Number.isSafeInteger) || state === "Z") return undefined;
  return {
    octets: pages * pageOctets,
    cpuMs: ((user + system) * 1000) / ticksPerSecond,
    threads,
    ...(descriptors !== undefined && { descriptors }),
  };
}

/** Of a process of this machine; undefined once it is gone. Descriptors are left out where they may not be counted. */
export function resourcesOf(pid: number): PeerResources | undefined {
  const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, "utf8");
  try {
    const descriptors = countOf(`/proc/${pid}/fd`);
    return resourcesFromText({
      statm: file("statm"),
      stat: file("stat"),
      ...(descriptors !== undefined && { descriptors }),
    });
  } catch {
    return undefined;
  }
}

function countOf(folder: string): number | undefined {
  try {
    return readdirSync(folder).length;
  } catch {
    return undefined;
  }
}
