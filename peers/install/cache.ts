/** Where the root file systems of the peers are kept, and what is in them. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/** What an installed root file system says of itself; written last, so that a root without it is none. */
const stampSchema = z.object({
  format: z.literal(1),
  suite: z.string(),
  /** Debian versions of the packages that were asked for. */
  packages: z.record(z.string(), z.string()),
  installed: z.string(),
  seconds: z.number(),
});

export type Stamp = z.infer<typeof stampSchema>;

/** Name of the stamp in a root file system. */
export const STAMP = ".bakeoff-stamp.json";

/** Version name of the root that holds the user-mode Linux kernel. */
export const KERNEL = "uml";

/** `$BAKEOFF_CACHE`, else the XDG cache of this user. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.BAKEOFF_CACHE) return env.BAKEOFF_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ipsec-bakeoff");
}

/** Root file system of a peer and version (`strongswan`, `6.1`); with `uml` alone, that of the user-mode Linux kernel. */
export function rootfsPath(name: string, version?: string): string {
  return join(cacheFolder(), "rootfs", version ? `${name}-${version}` : name);
}

/** The stamp of an installed root; undefined when it is not there or unfinished. */
export function readStamp(root: string): Stamp | undefined {
  const file = join(root, STAMP);
  if (!existsSync(file)) return undefined;
  try {
    return stampSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

export function isInstalled(name: string, version?: string): boolean {
  return readStamp(rootfsPath(name, version)) !== undefined;
}
