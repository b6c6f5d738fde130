/** What a campaign has come to, counted from the records of its journal: `campaign.json`. */
import { z } from "zod";
import { ORACLES } from "../../reports/findings.ts";
import { peerSchema, toolSchema } from "../../reports/results.ts";
import { STAGES } from "../trace.ts";
import { boundsOf, type JournalRecord, type PlayedRecord } from "./journal.ts";

export const CAMPAIGN_FILE = "campaign.json";

const count = z.int().min(0);

const peerTallySchema = z.strictObject({
  name: z.string(),
  info: peerSchema.optional(),
  ...{ cases: count, restarts: count, troubles: count.describe("Faults of our own while it was tested.") },
  dropped: z.array(z.strictObject({ setup: z.string(), role: z.string(), reason: z.string() })),
  /** Why its lane ended before the campaign did. */
  lost: z.string().optional(),
});

export const campaignSchema = z
  .strictObject({
    campaign: z.literal(1).describe("Version of this format."),
    tool: toolSchema.optional(),
    seed: z.string(),
    started: z.string(),
    ended: z.strictObject({ time: z.string(), reason: z.string() }).optional(),
    ms: count.describe("Time that it has taken, in milliseconds."),
    ...{ cases: count, messages: count, novel: count, silent: count, unfit: count },
    casesPerSecond: z.number(),
    stages: z.partialRecord(z.enum(STAGES), z.strictObject({ cases: count, reached: count })),
    alarms: z
      .partialRecord(z.enum(ORACLES), count)
      .describe("Cases with an alarm, known ones too, by oracle."),
    findings: z
      .partialRecord(z.enum(ORACLES), count)
      .describe("Confirmed ones, each signature once, by oracle."),
    requirements: z.record(z.string(), count).describe("Findings by what of the catalogue they break."),
    unconfirmed: count.describe("Alarms that did not come again."),
    peers: z.array(peerTallySchema),
  })
  .describe("Summary of a campaign of ipsec-bakeoff's fuzzer.");
export type Campaign = z.infer<typeof campaignSchema>;

/** A rate, to one place behind the point. */
const tenths = (count: number, seconds: number): number =>
  seconds === 0 ? 0 : Math.round((count * 10) / seconds) / 10;

/** Counts records. */
export class Tally {
  readonly campaign: Campaign = {
    ...{ campaign: 1, seed: "", started: "", ms: 0, cases: 0, messages: 0, novel: 0, silent: 0, unfit: 0 },
    ...{
      casesPerSecond: 0,
      stages: {},
      alarms: {},
      findings: {},
      requirements: {},
      unconfirmed: 0,
      peers: [],
    },
  };
  /** By the place of the peer. */
  readonly #next = new Map<number, { batch: number; cases: number }>();

  /** The number behind the largest of a batch that was handed out for this peer. */
  nextBatch(peer: number): number {
    return this.#next.get(peer)?.batch ?? 0;
  }

  /** Cases that were handed out for this peer. */
  handedOut(peer: number): number {
    return this.#next.get(peer)?.cases ?? 0;
  }

  add(record: JournalRecord): void {
    const { campaign } = this;
    switch (record.kind) {
      case "campaign-started":
        campaign.tool = record.tool;
        campaign.seed = record.seed;
        campaign.started = record.time;
        campaign.peers = record.peers.map((name) => ({
          name,
          cases: 0,
          restarts: 0,
          troubles: 0,
          dropped: [],
        }));
        return;
      case "resumed":
        delete campaign.ended;
        for (const peer of campaign.peers) delete peer.lost;
        return;
      case "batch-started":
        this.#next.set(record.peer, {
          batch: Math.max(this.nextBatch(record.peer), record.batch + 1),
          cases: this.handedOut(record.peer) + record.cases,
        });
        return;
      case "played":
        return this.#played(record);
      case "found":
        campaign.findings[record.oracle] = (campaign.findings[record.oracle] ?? 0) + 1;
        if (record.requirement !== undefined)
          campaign.requirements[record.requirement] = (campaign.requirements[record.requirement] ?? 0) + 1;
        return;
      case "unconfirmed":
        campaign.unconfirmed += 1;
        return;
      case "campaign-ended":
        campaign.ended = { time: record.time, reason: record.reason };
        return;
      case "clock":
        campaign.ms = record.ms;
        campaign.casesPerSecond = tenths(campaign.cases, record.ms / 1_000);
        return;
      default:
        this.#ofPeer(record);
    }
  }

  #ofPeer(record: JournalRecord): void {
    const peer = "peer" in record ? this.campaign.peers[record.peer] : undefined;
    if (!peer) return;
    if (record.kind === "peer-started") peer.info = record.info;
    if (record.kind === "restarted") peer.restarts += 1;
    if (record.kind === "trouble") peer.troubles += 1;
    if (record.kind === "lane-ended") peer.lost = record.reason;
    if (record.kind !== "no-setup") return;
    const { setup, role, reason } = record;
    if (!peer.dropped.some((one) => one.setup === setup && one.role === role))
      peer.dropped.push({ setup, role, reason });
  }

  #played({ peer, cases, stages, messages, novel, silent, unfit, alarms }: PlayedRecord): void {
    const { campaign } = this;
    const played = cases.reduce((sum, range) => sum + lengthOf(range), 0);
    campaign.cases += played;
    campaign.messages += messages;
    campaign.novel += novel;
    campaign.silent += silent;
    campaign.unfit += unfit;
    const of = campaign.peers[peer];
    if (of) of.cases += played;
    for (const stage of STAGES) {
      const more = stages[stage];
      if (!more) continue;
      const before = campaign.stages[stage] ?? { cases: 0, reached: 0 };
      campaign.stages[stage] = { cases: before.cases + more.cases, reached: before.reached + more.reached };
    }
    for (const oracle of ORACLES) {
      const more = alarms[oracle];
      if (more !== undefined) campaign.alarms[oracle] = (campaign.alarms[oracle] ?? 0) + more;
    }
  }
}

function lengthOf(range: string): number {
  const [from, to] = boundsOf(range);
  return Math.max(0, to - from + 1);
}
