/** What a site is made from. */
import type { Results } from "../results.ts";

/** The results of a run, and the folder that the paths of their evidence start from. */
export interface SiteInput {
  folder: string;
  results: Results;
  /** What the run is called where the site tells of several; the folder's own name if not given. */
  name?: string;
}
