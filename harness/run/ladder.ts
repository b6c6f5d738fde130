/** The trace as the arrows of a ladder. */
import type { View } from "../../pcaps/view.ts";
import { viewsOfTrees } from "../../pcaps/view-events.ts";
import type { Trace } from "../script/trace.ts";
import { eventTrees } from "./event-stream.ts";

export const ladderViews = (trace: Trace): View[] => viewsOfTrees(eventTrees(trace));
