/**
 * What a run has made on this machine, on disk, so that the next run can clean up after one that was killed.
 * One file per owning process; an entry is stale when its owner is dead.
 */
import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { LabError } from "./errors.ts";
import { run, startTime } from "./process.ts";

const processSchema = z.strictObject({ pid: z.int().positive(), started: z.string() });

const recordSchema = z.strictObject({
  owner: processSchema,
  namespaces: z.array(z.string().regex(/^bakeoff-[A-Za-z0-9_-]+$/)),
  processes: z.array(processSchema),
  folders: z.array(z.string().startsWith("/")),
});

type RunRecord = z.infer<typeof recordSchema>;

/** Prefix of everything made here: namespaces and lane folders. */
export const PREFIX = "bakeoff-";

/**
 * The folder of the records; nobody else may write to it, as what it says is deleted.
 * @throws LabError `network` when it belongs to somebody else
 */
export function recordFolder(): string {
  const base = process.env.XDG_RUNTIME_DIR || tmpdir();
  const folder = join(base, `ipsec-bakeoff-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0) {
    throw new LabError("network", `${folder} is not a folder of this user alone`, `remove it`);
  }
  return folder;
}

/** A folder for one lane: short, as the path of a Unix socket in it has 107 octets at most. */
export function laneFolderBase(): string {
  const base = tmpdir();
  return base.length <= 60 ? base : "/tmp";
}

/** The record of this process. Every change is on disk before the call returns. */
export class Registry {
  readonly #file: string;
  readonly #record: RunRecord;

  constructor(runId: string) {
    this.#file = join(recordFolder(), `${runId}-${process.pid}.json`);
    const owner = { pid: process.pid, started: startTime(process.pid) ?? "0" };
    this.#record = { owner, namespaces: [], processes: [], folders: [] };
  }

  /** False when it is down already, for something made before. */
  addNamespace(name: string): boolean {
    if (this.#record.namespaces.includes(name)) return false;
    this.#record.namespaces.push(name);
    this.#write();
    return true;
  }

  addProcess(pid: number): void {
    const started = startTime(pid);
    if (!started) return;
    this.#record.processes.push({ pid, started });
    this.#write();
  }

  addFolder(path: string): void {
    this.#record.folders.push(path);
    this.#write();
  }

  /** Takes out what has been cleaned; the file goes with the last entry. */
  remove(what: { namespace?: string; pid?: number; folder?: string }): void {
    const record = this.#record;
    record.namespaces = record.namespaces.filter((name) => name !== what.namespace);
    record.processes = record.processes.filter((entry) => entry.pid !== what.pid);
    record.folders = record.folders.filter((path) => path !== what.folder);
    this.#write();
  }

  /** For the last moment of a process, when nothing can be awaited any more: the namespaces lose their names. */
  unnameAll(): void {
    for (const name of this.#record.namespaces)
      spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
    this.#record.namespaces = [];
    this.#write();
  }

  #write(): void {
    const { namespaces, processes, folders } = this.#record;
    if (namespaces.length + processes.length + folders.length === 0) {
      rmSync(this.#file, { force: true });
      return;
    }
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#record), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** Deletes a lane's folder. False for a name that this program did not give: that stays. */
export function removeFolder(path: string): boolean {
  if (!basename(path).startsWith(PREFIX)) return false;
  rmSync(path, { recursive: true, force: true });
  return true;
}

/** Unnames a namespace; it goes when its last process has gone. */
export async function deleteNamespace(name: string): Promise<void> {
  await run(["ip", "netns", "delete", name]);
}

/** False when it has ended by itself in between. */
export function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

async function clean(record: RunRecord): Promise<string[]> {
  const done: string[] = [];
  for (const { pid, started } of record.processes) {
    if (startTime(pid) === started && kill(pid)) done.push(`process ${pid}`);
  }
  for (const name of record.namespaces) {
    const pids = await run(["ip", "netns", "pids", name]);
    for (const pid of pids.stdout.split("\n").filter(Boolean)) {
      if (kill(Number(pid))) done.push(`process ${pid}`);
    }
    await deleteNamespace(name);
    done.push(`namespace ${name}`);
  }
  for (const path of record.folders) {
    if (removeFolder(path)) done.push(`folder ${path}`);
  }
  return done;
}

/**
 * Cleans up what runs left whose owner has died. Safe beside living runs.
 * @returns what was removed, in words
 */
export async function cleanStale(): Promise<string[]> {
  const folder = recordFolder();
  const done: string[] = [];
  for (const entry of readdirSync(folder)) {
    if (!entry.endsWith(".json")) continue;
    const file = join(folder, entry);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      continue; // Its owner has just finished.
    }
    const record = parseRecord(text);
    if (record && startTime(record.owner.pid) === record.owner.started) continue;
    if (record) done.push(...(await clean(record)));
    rmSync(file, { force: true });
  }
  return done;
}

function parseRecord(text: string): RunRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
