/** The messages of a result as pictures: what is at fault is marked, and beside it the twin's with the first difference marked in both. */
import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import type { DiffRules } from "../../pcaps/diff/rules.ts";
import { ladderSvg } from "../../pcaps/ladder-svg.ts";
import { readTextFile } from "../../pcaps/text-file.ts";
import type { View } from "../../pcaps/view.ts";
import { viewsOfEvents } from "../../pcaps/view-events.ts";
import type { Divergence } from "./divergence.ts";
import { type Marks, marksOf } from "./marks.ts";
import { type Markup, trusted } from "./markup.ts";
import type { Entry } from "./model.ts";

export interface Pictures {
  own: Markup;
  twin?: { entry: Entry; picture: Markup };
  /** Where the two part; not set when they do not. */
  divergence?: Divergence;
}

/** Undefined where there is no event stream. */
export function picturesOf(entry: Entry, twin: Entry | undefined, rules: DiffRules): Pictures | undefined {
  const views = viewsOf(entry);
  if (!views || views.length === 0) return undefined;
  const others = twin && viewsOf(twin);
  const { own, twin: twins, divergence } = marksOf(entry.test, views, others, rules);
  if (!twin || !others) return { own: picture(entry, views, own, "ladder") };
  return {
    own: picture(entry, views, own, "ladder"),
    twin: { entry: twin, picture: picture(twin, others, twins, "twin") },
    ...(divergence && { divergence }),
  };
}

const picture = ({ subject, test }: Entry, views: readonly View[], marks: Marks, id: string): Markup =>
  trusted(
    ladderSvg(views, {
      ...{ title: `${test.title}: ${test.verdict}`, left: "us", right: `${subject.label}, ${test.role}` },
      // A folder has thousands of passes, and nobody looks at all fields of those.
      ...{ marks, id, styled: false, tooltips: id === "twin" || test.verdict !== "pass" },
    }),
  );

/** Of an event stream that is drawn; that of a test has some thousand. */
const MOST_OCTETS = 16 * 1024 * 1024;

/** Whether a file is in a folder also when all links are followed. */
function isInside(folder: string, file: string): boolean {
  try {
    return realpathSync(file).startsWith(join(realpathSync(folder), sep));
  } catch {
    return false;
  }
}

function viewsOf({ run, test }: Entry): View[] | undefined {
  const path = test.evidence.events;
  if (path === undefined) return undefined;
  const whole = join(run.folder, path);
  // Lost evidence costs only itself; the page says what is lost.
  if (!isInside(run.folder, whole)) return undefined;
  const text = readTextFile(whole, { most: MOST_OCTETS });
  return typeof text === "string" ? viewsOfEvents(text) : undefined;
}
