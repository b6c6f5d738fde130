/**
 * Brings the evidence of a test into the site: by hard link where the file system can, else by copy. The names in the
 * site are ours, whatever a result calls its files, so that none of them can be a page.
 */
import { copyFileSync, linkSync, lstatSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** What the file of a finding is called. */
export const REPRODUCER = "what shows it";

const NAMES = {
  capture: { file: "capture.pcap", says: "capture" },
  events: { file: "events.jsonl", says: "event stream" },
  ladder: { file: "ladder.txt", says: "ladder as text" },
  log: { file: "peer.log.txt", says: "the peer's log" },
  reproducer: { file: "finding.json", says: REPRODUCER },
} as const;

const KINDS = (["capture", "events", "ladder", "log", "reproducer"] as const).map((kind) => ({
  kind,
  ...NAMES[kind],
}));

/** Wireshark's configuration files, keys as JSON, and the folders of earlier generations of keys. */
const KEY_FILE = /^[a-z0-9_-]+(\.json)?$/;

/** Of a test, or of a finding of the fuzzer; by paths in the result folder. */
type Wanted = { [kind in keyof typeof NAMES | "keys"]?: string | undefined };

export interface EvidenceFile {
  says: string;
  /** Path in the site. */
  path: string;
  octets: number;
}

export interface Brought {
  files: EvidenceFile[];
  /** The folder with the keys, in the site. */
  keys?: string;
  /** What the results name but the folder does not hold. */
  lost: string[];
}

/** Links or copies files out of one result folder into the site. */
export class EvidenceMover {
  readonly #from: string;
  readonly #siteDir: string;
  readonly #inside = new Map<string, boolean>();
  readonly #made = new Set<string>();

  constructor(from: string, siteDir: string) {
    this.#from = from;
    this.#siteDir = siteDir;
  }

  /** `place`: folder in the site. What is a link, or lies behind one outside of the result folder, counts as lost. */
  bring(evidence: Wanted, place: string): Brought {
    const brought: Brought = { files: [], lost: [] };
    for (const { kind, file, says } of KINDS) {
      const path = evidence[kind];
      if (path === undefined) continue;
      const moved = this.#move(path, `${place}/${file}`);
      if (moved === undefined) brought.lost.push(says);
      else brought.files.push({ says, ...moved });
    }
    if (evidence.keys !== undefined) {
      const keys = this.#keys(evidence.keys, `${place}/keys`);
      if (keys.length === 0) brought.lost.push("keys");
      else brought.keys = `${place}/keys`;
      brought.files.push(...keys);
    }
    return brought;
  }

  #keys(path: string, place: string, deeper = true): EvidenceFile[] {
    return this.#list(path).flatMap((name) => {
      const inner = `${path}/${name}`;
      const moved = this.#move(inner, `${place}/${name}`);
      if (moved) return [{ says: `keys: ${place.slice(place.lastIndexOf("keys") + 5)}${name}`, ...moved }];
      return deeper ? this.#keys(inner, `${place}/${name}`, false) : [];
    });
  }

  #list(path: string): string[] {
    try {
      const whole = join(this.#from, path);
      if (!lstatSync(whole).isDirectory() || !this.#isInside(whole)) return [];
      return readdirSync(whole)
        .filter((name) => KEY_FILE.test(name))
        .sort();
    } catch {
      return [];
    }
  }

  #move(path: string, place: string): Pick<EvidenceFile, "path" | "octets"> | undefined {
    const source = join(this.#from, path);
    try {
      const stat = lstatSync(source);
      if (!stat.isFile() || !this.#isInside(dirname(source))) return undefined;
      const target = join(this.#siteDir, place);
      this.#make(dirname(target));
      linkOrCopy(source, target);
      return { path: place, octets: stat.size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #make(folder: string): void {
    if (!this.#made.has(folder)) mkdirSync(folder, { recursive: true });
    this.#made.add(folder);
  }

  /** Whether a folder is in the result folder also when all links are followed. */
  #isInside(folder: string): boolean {
    const known = this.#inside.get(folder);
    if (known !== undefined) return known;
    const root = realpathSync(this.#from);
    const inside = `${realpathSync(folder)}${sep}`.startsWith(root === sep ? sep : `${root}${sep}`);
    this.#inside.set(folder, inside);
    return inside;
  }
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch (error) {
    if (isMissing(error)) throw error;
    copyFileSync(source, target);
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return (
    code === "ENOENT" ||
    code === "ENOTDIR" ||
    code === "EACCES" ||
    code === "ENAMETOOLONG" ||
    code === "EINVAL"
  );
}
