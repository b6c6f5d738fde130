/**
 * Copies what the compiler leaves behind (catalogues, templates, schemas) into `dist`, beside the code that reads it.
 * Golden captures stay where they are, for `--update-golden` changes them.
 */
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

for (const room of ["harness", "suites", "fuzz", "peers", "pcaps", "reports"]) {
  const source = join(root, room);
  if (!existsSync(source)) continue;
  cpSync(source, join(root, "dist", room), {
    recursive: true,
    filter: (path) => !/\.(ts|md)$|[/\\](pcaps[/\\]golden|fixtures)$/.test(path),
  });
}
