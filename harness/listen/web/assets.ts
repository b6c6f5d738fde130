/** The style sheets and the script of the pages, by the path under which they are served. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Reply } from "./reply.ts";

const OF_REPORTS = join(import.meta.dirname, "../../../reports/site/assets");
const OWN = join(import.meta.dirname, "assets");

const CSS = "text/css; charset=utf-8";

const FILES = [
  { path: "/assets/site.css", file: join(OF_REPORTS, "site.css"), type: CSS },
  { path: "/assets/listen.css", file: join(OWN, "listen.css"), type: CSS },
  { path: "/assets/listen.js", file: join(OWN, "listen.js"), type: "text/javascript; charset=utf-8" },
];

export const assets = (): ReadonlyMap<string, Reply> =>
  new Map(
    FILES.map(({ path, file, type }) => [
      path,
      { status: 200, type, body: readFileSync(file), headers: { "Cache-Control": "max-age=300" } },
    ]),
  );
