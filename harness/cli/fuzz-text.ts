/** What a campaign says while it runs and when it has ended. */
import { join } from "node:path";
import type { CampaignEnd, Observer } from "../../fuzz/campaign/campaign.ts";
import { CAMPAIGN_FILE, type Campaign } from "../../fuzz/campaign/tally.ts";
import { plural } from "../../reports/text.ts";
import { oneLine } from "./output.ts";

const CLEAR = "\r\x1b[2K";
/** Between two plain lines. */
const PLAIN_MS = 10_000;
/** Over which the speed is told. */
const WINDOW_MS = 10_000;

interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

interface Sample {
  at: number;
  cases: number;
}

/** Progress of a campaign: one live line on a terminal, a plain one every ten seconds elsewhere. */
export function fuzzProgress(stream: Screen, now: () => number = () => performance.now()) {
  const live = stream.isTTY === true;
  const samples: Sample[] = [];
  const began = now();
  let told = began;
  const observer: Observer & { close(): void } = {
    say(line) {
      stream.write(`${live ? CLEAR : ""}${oneLine(line)}\n`);
    },
    tick(campaign, cells) {
      const at = now();
      samples.push({ at, cases: campaign.cases });
      while ((samples[0]?.at ?? at) < at - WINDOW_MS) samples.shift();
      const line = progressLine(campaign, cells, { seconds: (at - began) / 1_000, speed: speedOf(samples) });
      if (live) stream.write(`${CLEAR}${line.slice(0, (stream.columns || 80) - 1)}`);
      else if (at - told >= PLAIN_MS) {
        told = at;
        stream.write(`${line}\n`);
      }
    },
    close() {
      if (live) stream.write(CLEAR);
    },
  };
  return observer;
}

function speedOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at === first.at) return 0;
  return Math.max(0, ((last.cases - first.cases) * 1_000) / (last.at - first.at));
}

const sum = (counts: Partial<Record<string, number>>): number =>
  Object.values(counts).reduce<number>((all, one = 0) => all + one, 0);

/** Stages that conversations came to, out of those that cases were made for. */
function stagesOf({ stages }: Campaign): { reached: string[]; missed: string[] } {
  const names = Object.entries(stages);
  return {
    reached: names.flatMap(([name, one]) => (one.reached > 0 ? [name] : [])),
    missed: names.flatMap(([name, one]) => (one.reached > 0 ? [] : [name])),
  };
}

function progressLine(
  campaign: Campaign,
  { cells, hit }: { cells: number; hit: number },
  { seconds, speed }: { seconds: number; speed: number },
): string {
  const { reached, missed } = stagesOf(campaign);
  return [
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, "0")}`,
    `${campaign.cases} cases, ${Math.round(speed)} a second`,
    `stages ${reached.length} of ${reached.length + missed.length}`,
    `cells ${hit} of ${cells}`,
    `novel ${campaign.novel}`,
    `findings ${sum(campaign.findings)}`,
  ].join("  ");
}

const byName = (counts: Partial<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

/** The last lines of a campaign. */
export function fuzzSummary(out: string, { campaign, reason, findings, lost }: CampaignEnd): string {
  const { cases, casesPerSecond, novel, unconfirmed, peers } = campaign;
  const { reached, missed } = stagesOf(campaign);
  const dropped = peers.flatMap(({ name, dropped: all }) =>
    all.map(({ setup, role, reason: why }) => `not played: ${name}, ${setup} as ${role}: ${why}`),
  );
  const stages = reached.length === 0 ? "no stage reached" : `stages reached: ${reached.join(", ")}`;
  const lines = [
    `${plural(cases, "case")}, ${casesPerSecond} a second, ${novel} novel; ${reason}`,
    missed.length === 0 ? stages : `${stages}; not reached: ${missed.join(", ")}`,
    ...dropped,
    ...lost.map((why) => `lost: ${why}`),
    ...troubles(campaign),
    findings === 0
      ? "no finding"
      : `${plural(findings, "finding")}: ${byName(campaign.findings) || "known ones"}`,
    ...(unconfirmed === 0
      ? []
      : [`${plural(unconfirmed, "alarm")} that did not come again: ${join(out, "unconfirmed")}`]),
    `report: ${join(out, CAMPAIGN_FILE)}; run: bakeoff report ${out}`,
  ];
  return lines.map((line) => `${oneLine(line)}\n`).join("");
}

function troubles({ peers }: Campaign): string[] {
  const count = peers.reduce((all, peer) => all + peer.troubles, 0);
  return count === 0 ? [] : [`${plural(count, "fault")} of our own: see the journal`];
}
