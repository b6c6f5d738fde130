/** The messages of a result, and beside them those of its twin with the first difference marked in both. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatLadder } from "../../pcaps/ladder.ts";
import type { View } from "../../pcaps/view.ts";
import { viewsOfEvents } from "../../pcaps/view-events.ts";
import { type Fragment, html } from "./markup.ts";
import type { Entry } from "./model.ts";

export interface Pictures {
  own: Fragment;
  twin?: { entry: Entry; picture: Fragment };
  /** Where the two part, in words. */
  divergence?: Fragment;
}

/** A picture of more messages would be neither seen nor quickly made; the text ladder has all of them. */
const DRAWN = 120;

/** Undefined where there is no event stream. */
export function picturesOf(entry: Entry, twin: Entry | undefined): Pictures | undefined {
  const views = viewsOf(entry);
  if (!views || views.length === 0) return undefined;
  const others = twin && viewsOf(twin);
  const own = picture(views, entry);
  return twin && others ? { own, twin: { entry: twin, picture: picture(others, twin) } } : { own };
}

function picture(views: readonly View[], { subject, test }: Entry): Fragment {
  const rest = views.length - DRAWN;
  const text = formatLadder(views.slice(0, DRAWN), { left: "us", right: `${subject.label} (${test.role})` });
  return html`<pre tabindex="0">${text}</pre>${rest > 0 && html`<p class="soft">and ${rest} more messages in the files below</p>`}`;
}

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
