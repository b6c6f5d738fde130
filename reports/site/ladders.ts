/** The messages of a result as pictures: what is at fault is marked, and beside it the twin's with the first difference marked in both. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DiffRules } from "../../pcaps/diff/rules.ts";
import { ladderSvg, type Mark } from "../../pcaps/ladder-svg.ts";
import type { View } from "../../pcaps/view.ts";
import { viewsOfEvents } from "../../pcaps/view-events.ts";
import { type Divergence, divergenceOf } from "./divergence.ts";
import { type Markup, trusted } from "./markup.ts";
import type { Entry } from "./model.ts";

export interface Pictures {
  own: Markup;
  twin?: { entry: Entry; picture: Markup };
  /** Where the two part; not set when they do not. */
  divergence?: Divergence;
}

type Marks = Map<number, Mark>;

/** Undefined where there is no event stream. */
export function picturesOf(entry: Entry, twin: Entry | undefined, rules: DiffRules): Pictures | undefined {
  const views = viewsOf(entry);
  if (!views || views.length === 0) return undefined;
  const faults = faultMarks(entry, views);
  const others = twin && viewsOf(twin);
  if (!twin || !others) return { own: picture(entry, views, faults, "ladder") };
  const divergence = divergenceOf(views, others, rules, entry.test.offence?.event);
  return {
    own: picture(entry, views, joined(faults, divergence?.own ?? new Map()), "ladder"),
    twin: { entry: twin, picture: picture(twin, others, divergence?.twin ?? new Map(), "twin") },
    ...(divergence && { divergence }),
  };
}

/** A message has one mark: the fault, at the field of the difference where the test names none. */
function joined(faults: Marks, others: Marks): Marks {
  const both = [...faults].map(([index, fault]): [number, Mark] => {
    const field = fault.field ?? others.get(index)?.field;
    return [index, field === undefined ? fault : { ...fault, field }];
  });
  return new Map([...others, ...both]);
}

/** Where the test says that the fault is to be seen. */
function faultMarks({ test }: Entry, views: readonly View[]): Marks {
  const { offence } = test;
  const index = views.findIndex(({ at }) => at === offence?.event);
  if (!offence || index < 0) return new Map();
  const mark: Mark = { tone: "fault", label: `${test.verdict}: ${test.reason}` };
  return new Map([[index, offence.field === undefined ? mark : { ...mark, field: offence.field }]]);
}

const picture = ({ subject, test }: Entry, views: readonly View[], marks: Marks, id: string): Markup =>
  trusted(
    ladderSvg(views, {
      ...{ title: `${test.title}: ${test.verdict}`, left: "us", right: `${subject.label}, ${test.role}` },
      // A folder has thousands of passes, and nobody looks at all fields of those.
      ...{ marks, id, styled: false, tooltips: id === "twin" || test.verdict !== "pass" },
    }),
  );

function viewsOf({ run, test }: Entry): View[] | undefined {
  const path = test.evidence.events;
  if (path === undefined) return undefined;
  try {
    return viewsOfEvents(readFileSync(join(run.folder, path), "utf8"));
  } catch {
    // Lost evidence costs only itself; the page says what is lost.
    return undefined;
  }
}
