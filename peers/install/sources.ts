/** The Debian mirror this machine already trusts, out of its own apt sources. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A line or stanza of apt's sources that offers Debian's main component. */
export interface AptSource {
  uri: string;
  suites: string[];
  /** Keyring file named by Signed-By, where one is. */
  signedBy?: string;
}

function isDebian(source: AptSource, components: string[]): boolean {
  const path = source.uri.replace(/\/+$/, "");
  const known = /^(stable|testing|unstable|sid|oldstable|bullseye|bookworm|trixie|forky)$/;
  return (
    components.includes("main") && !/security/.test(path) && source.suites.some((suite) => known.test(suite))
  );
}

/** One-line form: `deb [signed-by=FILE arch=amd64] URI SUITE COMPONENT...`. */
function fromLine(line: string): AptSource | undefined {
  const match =
    /^\s*deb\s+(?:\[(?<options>[^\]]*)\]\s*)?(?<uri>\S+)\s+(?<suite>\S+)\s+(?<components>[^#]*)/.exec(line);
  if (!match?.groups) return undefined;
  const { options = "", uri, suite, components } = match.groups;
  const signedBy = /(?:^|\s)signed-by=([^\s,]+)/i.exec(options)?.[1];
  const source = { uri: uri!, suites: [suite!], ...(signedBy && { signedBy }) };
  return isDebian(source, components!.split(/\s+/)) ? source : undefined;
}

/** A stanza of the deb822 form as a map of lower-case field names. */
function fields(stanza: string): Map<string, string> {
  const found = new Map<string, string>();
  let last: string | undefined;
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#")) continue;
    const field = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$/.exec(line);
    if (field) {
      last = field[1]!.toLowerCase();
      found.set(last, field[2]!);
    } else if (last && /^\s/.test(line)) {
      found.set(last, `${found.get(last)} ${line.trim()}`);
    }
  }
  return found;
}

function fromStanza(stanza: string): AptSource[] {
  const found = fields(stanza);
  const words = (name: string) => (found.get(name) ?? "").split(/\s+/).filter(Boolean);
  if (!words("types").includes("deb") || /^no$/i.test(found.get("enabled") ?? "yes")) return [];
  const signedBy = words("signed-by").find((word) => word.startsWith("/"));
  return words("uris")
    .map((uri) => ({ uri, suites: words("suites"), ...(signedBy && { signedBy }) }))
    .filter((source) => isDebian(source, words("components")));
}

/** Debian sources in one file's text; `name` ends with `.list` or `.sources`. */
export function parseSources(name: string, text: string): AptSource[] {
  if (name.endsWith(".sources")) return text.split(/\n(?:[ \t]*\n)+/).flatMap(fromStanza);
  return text.split("\n").flatMap((line) => fromLine(line) ?? []);
}

/** All Debian sources below apt's configuration folder, in apt's order. */
export function readSources(folder = "/etc/apt"): AptSource[] {
  const files = [join(folder, "sources.list")];
  const parts = join(folder, "sources.list.d");
  if (existsSync(parts))
    files.push(
      ...readdirSync(parts)
        .sort()
        .map((entry) => join(parts, entry)),
    );
  return files
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .flatMap((file) => parseSources(file, readFileSync(file, "utf8")));
}
