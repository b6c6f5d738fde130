/** The order in which cases are played. */
import type { FuzzCase, Trace } from "../trace.ts";
import { isPeers } from "./running.ts";

/** What the peer begins it begins on any SA, and it answers ESP on the newest that has the selectors: another one's. */
export const standsAlone = ({ peer, steps }: Trace): boolean =>
  peer === "initiator" || steps.some(({ act }) => isPeers(act) || act === "esp");

/** Those that nothing may take place beside come last, so that others need not make way for each. */
export const aloneLast = (cases: readonly FuzzCase[]): FuzzCase[] => [
  ...cases.filter(({ trace }) => !standsAlone(trace)),
  ...cases.filter(({ trace }) => standsAlone(trace)),
];
