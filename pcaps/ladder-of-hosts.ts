/** A capture of more than two hosts as a ladder with a lifeline for each, at most 100 columns wide. */
import { formatHostLadder, type HostLadderEvent } from "./ladder-hosts.ts";
import type { View } from "./view.ts";

/** More lifelines than these leave no room for what was sent. */
const MOST_HOSTS = 8;
const STEP = 5;
const WIDTH = 100;
const OTHERS = "else";

/** `hosts` are the addresses, in the order of their lifelines; those too many share one. With a newline at the end. */
export function viewsAsHostLadder(hosts: readonly string[], views: readonly View[]): string {
  const own = hosts.length > MOST_HOSTS ? hosts.slice(0, MOST_HOSTS - 1) : hosts;
  const names = new Map(own.map((host, at) => [host, String.fromCodePoint(65 + at)]));
  const lifelines = [...names.values(), ...(own.length < hosts.length ? [OTHERS] : [])];
  const nameOf = (end = "") => names.get(hostOf(end)) ?? OTHERS;
  const events = views.map(({ timeMs, source, destination, text, note }): HostLadderEvent => {
    const [from, to] = [nameOf(source), nameOf(destination)];
    // Two that share a lifeline have no arrow.
    if (from === to) return { timeMs, remark: `${source} > ${destination}: ${text}` };
    return { timeMs, from, to, text, ...(note !== undefined && { note }) };
  });
  const legend = [...names].map(([host, name]) => `${name}  ${host}\n`).join("");
  return `${legend}\n${formatHostLadder(lifelines, events, { width: WIDTH, step: STEP, legend: false })}`;
}

/** Of `address:port`. */
const hostOf = (end: string): string => /^\[(.+)\]:\d+$/.exec(end)?.[1] ?? end.replace(/^([^:]+):\d+$/, "$1");
