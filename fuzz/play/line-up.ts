/** The order in which cases are played. */
import type { FuzzCase } from "../trace.ts";
import { standsAlone } from "./conversation.ts";

/** Those that nothing may take place beside come last, so that others need not make way for each. */
export const aloneLast = (cases: readonly FuzzCase[]): FuzzCase[] => [
  ...cases.filter(({ trace }) => !standsAlone(trace)),
  ...cases.filter(({ trace }) => standsAlone(trace)),
];
