/** Names of files and folders in the site, made of text that anybody may have written. */
import { createHash } from "node:crypto";

const LONGEST = 96;

/**
 * Letters, digits and `. @ _ -`, neither hidden nor a step upwards. A name of other characters keeps those that can
 * stay and gets a digest, so that two never become one.
 */
export function fileName(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9.@_-]/g, "_").replace(/^\.+/, "_");
  const simple = plain === text || plain === text.replaceAll(":", "_");
  if (simple && plain !== "" && plain.length <= LONGEST) return plain;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 10);
  return `${plain.slice(0, LONGEST - digest.length - 1)}-${digest}`;
}

/** Deeper ids are cut to this many folders. */
const DEEPEST = 4;

/** The folder of a test, by its id: `rfc7296/2.8/initiator-reuses-old-spi`. */
export function folderOfId(id: string): string {
  const parts = id.split("/");
  const folders = [...parts.slice(0, DEEPEST - 1), parts.slice(DEEPEST - 1).join("/")];
  return folders.slice(0, parts.length).map(fileName).join("/");
}

/** Gives every name once: the second to ask for one gets it with `-2`. */
export class UniqueNames {
  readonly #taken = new Set<string>();

  take(wanted: string): string {
    let name = wanted;
    // Folded, since some file systems take two cases for one name.
    for (let n = 2; this.#taken.has(name.toLowerCase()); n++) name = `${wanted}-${n}`;
    this.#taken.add(name.toLowerCase());
    return name;
  }
}
