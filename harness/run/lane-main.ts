/** The process of a lane: starts its peer, runs its tests one after another, and says what comes of them. */
import { runLane } from "./lane-run.ts";
import { workOnOrder } from "./order-process.ts";

workOnOrder(runLane);
