/** How a daemon ended, and what it wrote of itself: a signature that is equal for equal faults. */
import { printable } from "../../reports/text.ts";
import type { Alarm } from "../alarm.ts";

/** Frames that name a fault; those below are of the path to it. */
const TOP_FRAMES = 3;
const MOST_SIGNATURE = 200;
const MOST_DETAIL = 8_000;
/** Of a log; a flooded one has nothing new to say in front of that. */
const MOST_LOG = 512 * 1024;
/** Of a log, where a report about its end stands. */
const LAST_WORDS = 32 * 1024;

/** Frames that every report has, whatever the fault. */
const COMMON =
  /^(?:__|_start|raise|abort|gsignal|pthread_|segv_handler|process_job|thread_main|start_thread|clone)/;

/** Ways to write a frame of a stack: sanitizers and debuggers, symbols in brackets, Node's. */
const FRAMES = [
  /^\s*#\d+\s+(?:0x[0-9a-f]+ in )?([A-Za-z_~][\w:~<>.]*)/gim,
  /\(([A-Za-z_]\w+)\+0x[0-9a-f]+\)/g,
  /^\s*at (?:async )?([\w.$<>#]+) \(/gm,
];

/** The innermost functions of a stack in this text, the innermost first. */
export function framesOf(text: string): string[] {
  for (const pattern of FRAMES) {
    const names = [...text.matchAll(pattern)]
      .map((match) => match[1] ?? "")
      .filter((name) => !COMMON.test(name));
    if (names.length > 0) return names.slice(0, TOP_FRAMES);
  }
  return [];
}

/** What numbers, addresses and identifiers make different from run to run becomes a mark. */
export const withoutNumbers = (text: string): string =>
  text
    .replace(/0x[0-9a-fA-F]+/g, "N")
    .replace(/\b[0-9a-fA-F]{8,}\b/g, "N")
    .replace(/\d+(?:\.\d+)*/g, "N");

/** Of what a daemon writes about its own assertion the expression and the function: not for whom, on which SA, with which figures. */
const bare = (text: string): string =>
  withoutNumbers(
    text
      .replace(/^"[^"]*"(?:.*?#\d+)?[^":#]*:\s*/, "")
      .replace(/"[^"]*"/g, '"..."')
      .replace(/(?:[0-9a-f]{0,4}:){2,}[0-9a-f.]*/gi, "N")
      .replace(/;.*?(?=\((?:in )?\w+\(\))/, " ")
      .replace(/\((?:in )?(\w+\(\)).*$/, "in $1"),
  );

/** A report that a daemon writes about itself; the group names the fault. */
interface Report {
  pattern: RegExp;
  title: (name: string) => string;
  severity: Alarm["severity"];
}

/** The first that fits names the end of a daemon; those that it outlives are alarms of their own. */
const REPORTS: readonly Report[] = [
  {
    pattern: /ERROR: (?:Address|Leak|Memory|Thread)Sanitizer:? ([a-z-]+(?: [a-z]+)?)/,
    title: (name) => `a sanitizer reports ${name}`,
    severity: "critical",
  },
  {
    pattern: /\*\*\* ([a-z ]+ detected) \*\*\*/,
    title: (name) => `the C library says ${name}`,
    severity: "critical",
  },
  {
    pattern: /^(.*: runtime error: .*)$/m,
    title: (name) => `undefined behaviour: ${name}`,
    severity: "medium",
  },
  {
    pattern: /ASSERTION FAILED: (.*)$/m,
    title: (name) => `an assertion of its own fails: ${name}`,
    severity: "high",
  },
  {
    pattern: /EXPECTATION FAILED: (.*)$/m,
    title: (name) => `an expectation of its own fails: ${name}`,
    severity: "low",
  },
  {
    pattern: /(\d+ leaks? detected, .*)$/m,
    title: (name) => `its leak detective says: ${name}`,
    severity: "medium",
  },
];

export const shorten = (text: string, most = MOST_SIGNATURE): string =>
  printable(text)
    .replace(/[^ -~]/g, "?")
    .slice(0, most);

/** A name of the end of a process: `SIGSEGV`, `exit 1`. */
const endOf = (exit: string): string => /\bSIG[A-Z]+\b|\bexit \d+|\bsignal \d+/.exec(exit)?.[0] ?? "an end";

/** What a daemon outlived stands further up. */
const saidLast = (text: string, pattern: RegExp): string | undefined =>
  [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].at(-1)?.[1];

/** The daemon is gone. `log` is what it wrote since the case began. */
export function deathAlarm(exit: string, log: string): Alarm {
  const text = log.slice(-MOST_LOG);
  const end = endOf(exit);
  const last = text.slice(-LAST_WORDS);
  const said = REPORTS.flatMap(({ pattern }) => saidLast(last, pattern) ?? saidLast(exit, pattern) ?? [])[0];
  const [, place] = /^[^\n]* in ([A-Za-z_]\w*)$/.exec(exit) ?? [];
  const frames = place === undefined ? framesOf(`${text}\n${exit}`) : [place];
  const named = said === undefined ? "" : bare(said);
  const placed = named.includes("()") ? named : `${named} ${doing(last)}`.trim();
  const where = frames.length > 0 ? frames.join(" < ") : placed;
  return {
    oracle: "crash",
    title: shorten(`ends with ${end}${said === undefined ? "" : `: ${said}`}`),
    signature: shorten(`crash ${end} ${where}`.trim()),
    severity: "critical",
    detail: detailOf(exit, text),
    alone: true,
  };
}

/** What the processes of a daemon say once one of them is gone. */
const OBITUARY = /exiting|terminat|lost child|ASSERTION FAILED|EXPECTATION FAILED|\*\*\*|^ABORT|received SIG/;
const MOST_DOING = 60;

/** What it was about to do where nothing names the place: the first words of its last line. */
function doing(log: string): string {
  const last = log
    .split("\n")
    .findLast((line) => line.trim() !== "" && !OBITUARY.test(line))
    ?.trim();
  return last === undefined ? "" : `after ${withoutNumbers(last).slice(0, MOST_DOING)}`;
}

const detailOf = (exit: string, log: string): string => printable(`${exit}\n${log}`.slice(-MOST_DETAIL));

/** What a daemon that goes on wrote about itself. */
export function reportAlarms(log: string): Alarm[] {
  const text = log.slice(-MOST_LOG);
  const alarms = new Map<string, Alarm>();
  for (const { pattern, title, severity } of REPORTS) {
    for (const match of text.matchAll(new RegExp(pattern, `${pattern.flags}g`))) {
      const name = match[1] ?? "";
      const signature = shorten(`report ${title(bare(name))}`);
      const detail = detailOf("", text.slice(Math.max(0, match.index - 2_000), match.index + 2_000));
      alarms.set(signature, {
        ...{ oracle: "state", title: shorten(title(name)), signature, severity, detail, alone: true },
      });
    }
  }
  return [...alarms.values()];
}
