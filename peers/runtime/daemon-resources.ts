/** What a daemon takes that is several processes, on this machine or in a guest, by the names of its programs. */
import { readFileSync } from "node:fs";
import type { PeerResources } from "../contract.ts";
import { LabError } from "./errors.ts";
import type { Machine } from "./machine.ts";
import { resourcesFromText, resourcesOf } from "./resources.ts";

/** `/proc/<pid>/comm` holds so much of a name. */
const COMM_OCTETS = 15;

/** All of them together; undefined for none. */
export function sumOf(all: readonly PeerResources[]): PeerResources | undefined {
  if (all.length === 0) return undefined;
  const sum = (of: (one: PeerResources) => number | undefined): number =>
    all.reduce((total, one) => total + (of(one) ?? 0), 0);
  return {
    octets: sum((one) => one.octets),
    cpuMs: sum((one) => one.cpuMs),
    descriptors: sum((one) => one.descriptors),
    threads: sum((one) => one.threads),
  };
}

/** True for a process of this machine that runs one of these programs. */
function runs(pid: number, programs: readonly string[]): boolean {
  try {
    const comm = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return programs.some((name) => name.slice(0, COMM_OCTETS) === comm);
  } catch {
    return false;
  }
}

/** Those of `pids` that run one of these programs. */
export const pidsOf = (pids: readonly number[], programs: readonly string[]): number[] =>
  pids.filter((pid) => runs(pid, programs));

/** @throws LabError `control` where none of them is left */
export function resourcesHere(pids: readonly number[]): PeerResources {
  const found = sumOf(pids.flatMap((pid) => resourcesOf(pid) ?? []));
  if (!found) throw new LabError("control", "the daemon has no process any more");
  return found;
}

/** For each process of the guest that runs one of the programs, a line: statm, `|`, stat, `|`, descriptors. */
const TELL = `
for folder in /proc/[0-9]*; do
  read -r comm 2>/dev/null <"$folder/comm" || continue
  case " $0 " in *" $comm "*) ;; *) continue ;; esac
  read -r statm <"$folder/statm" && read -r stat <"$folder/stat" || continue
  set -- "$folder"/fd/*
  echo "$statm|$stat|$#"
done`;

/** In a guest. @throws LabError `control` where none of them is left */
export async function resourcesInGuest(guest: Machine, programs: readonly string[]): Promise<PeerResources> {
  const names = programs.map((name) => name.slice(0, COMM_OCTETS)).join(" ");
  const found = sumOf(readLines(await guest.must(["/bin/sh", "-c", TELL, names])));
  if (!found) throw new LabError("control", "the daemon has no process any more");
  return found;
}

/** What {@link TELL} wrote; lines that are none are left out. */
export function readLines(text: string): PeerResources[] {
  return text.split("\n").flatMap((line) => {
    const [statm, stat, descriptors] = line.split("|");
    if (statm === undefined || stat === undefined) return [];
    return resourcesFromText({ statm, stat, descriptors: Number(descriptors) }) ?? [];
  });
}
