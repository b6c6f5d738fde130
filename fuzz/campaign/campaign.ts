/** A whole campaign: plan, lanes, journal, findings, end. */
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { orderOf, startedBy } from "../../harness/run/external.ts";
import { checkLab, type Lab, needsNetwork, openLab } from "../../harness/run/lab.ts";
import { prepareOut } from "../../harness/run/out-folder.ts";
import { tool } from "../../harness/run/tool.ts";
import { UsageError } from "../../harness/run/usage-error.ts";
import { type ChosenPeer, peerName } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { Corpus } from "../corpus/corpus.ts";
import { DiskFull, isOfFiles } from "../findings/files.ts";
import type { Generator } from "../generate/generator.ts";
import { EdgeFolder } from "../guide/sancov.ts";
import { differenceAlarm } from "../oracles/difference.ts";
import { Differential, type Differing } from "./differential.ts";
import { Front } from "./front.ts";
import { JOURNAL_FORMAT } from "./journal.ts";
import { laneLoop } from "./lane-loop.ts";
import {
  type CampaignOptions,
  checkAddresses,
  choosePeers,
  corpusOf,
  findPeerOf,
  named,
  refuseOld,
  usableCorpus,
} from "./options.ts";
import { generatorOf, makePlan, type Plan, samePlan } from "./plan.ts";
import { Recorder } from "./recorder.ts";
import { type Before, whatWasBefore } from "./resume.ts";
import { type Campaign, Tally } from "./tally.ts";

export interface Observer {
  /** What is to be read at once. */
  say(line: string): void;
  /** Called several times a second. */
  tick(campaign: Campaign, cells: { cells: number; hit: number }): void;
}

export interface CampaignEnd {
  reason: string;
  campaign: Campaign;
  /** Lanes that ended before the campaign did, with every lane of their peer. */
  lost: string[];
  /** Not muted. */
  findings: number;
  full: boolean;
}

const WINDOW = { memory: 8, process: 8, netns: 8, uml: 8, docker: 8, address: 1 } as const;
/** How long what was seen is looked into after the end. */
const GRACE_MS = 20_000;
/** Campaigns at least so long have minutes to look after half-open IKE SAs. */
const HALF_OPEN_MS = 20 * 60_000;
const TICK_MS = 500;
const KEEP_MS = 2_000;
/** So many of these between two writings of what was learned. */
const KEPT_RARELY = 4;
const MINIMISE = { executions: 300, ms: 60_000 };
/** The share of the time left that one finding may take. */
const SHARE = 0.1;
const LEAST_MS = 2_000;
/** Of this process. */
const MOST_MEMORY = 3 * 2 ** 30;

/**
 * Runs a campaign to its end, also one that `signal` ends early.
 * @throws UsageError before anything starts, LabError when the machine lacks what a peer needs
 */
export async function runCampaign(
  options: CampaignOptions,
  observer: Observer,
  signal: AbortSignal,
): Promise<CampaignEnd> {
  const peers = choosePeers(options);
  await checkLab(peers);
  refuseOld(options);
  const release = prepareOut(options.out, options.resume, []);
  try {
    const before = options.resume ? whatWasBefore(options.out) : undefined;
    const plan = before ? samePlan(before.plan, named(options)) : makePlan(named(options));
    const chosen = before ? plan.peers.map(findPeerOf) : peers;
    checkAddresses(chosen, options);
    if (plan.differential && plan.peers.length < 2)
      throw new UsageError("--differential: needs two peers at least, each with --peer");
    for (const problem of before?.problems ?? []) observer.say(problem);
    usableCorpus(options);
    return await new Running(options, plan, chosen, before, observer).toItsEnd(signal);
  } finally {
    release();
  }
}

/** @throws LabError where the file system throws */
function opened(out: string, open: () => Recorder): Recorder {
  try {
    return open();
  } catch (error) {
    if (error instanceof DiskFull) throw new LabError("unwritable", error.message);
    if (isOfFiles(error)) throw new LabError("unwritable", `${out}: cannot be written: ${error.message}`);
    throw error;
  }
}

class Running {
  readonly #options: CampaignOptions;
  readonly #plan: Plan;
  readonly #chosen: readonly ChosenPeer[];
  readonly #before: Before | undefined;
  readonly #observer: Observer;
  readonly #finish = new AbortController();
  readonly #stop = new AbortController();
  readonly #began = performance.now();
  readonly #tally: Tally;
  readonly #lost: string[] = [];
  readonly #edges: EdgeFolder | undefined;
  #reason = "there was nothing left to play";

  constructor(
    ...[options, plan, chosen, before, observer]: [
      CampaignOptions,
      Plan,
      readonly ChosenPeer[],
      Before | undefined,
      Observer,
    ]
  ) {
    this.#options = options;
    this.#plan = plan;
    this.#chosen = chosen;
    this.#before = before;
    this.#observer = observer;
    this.#tally = before?.tally ?? new Tally();
    this.#edges = options.edges === undefined ? undefined : new EdgeFolder(options.edges);
  }

  async toItsEnd(signal: AbortSignal): Promise<CampaignEnd> {
    const { out, muted, timeMs } = this.#options;
    const beforeMs = this.#tally.campaign.ms;
    const cannot = (reason: string) => {
      this.#end(reason);
      this.#reason = reason;
    };
    const recorder = opened(out, () => new Recorder(out, this.#tally, muted, cannot));
    for (const problem of recorder.store.problems) this.#observer.say(problem);
    this.#openJournal(recorder);
    const onSignal = () => this.#end(`ended by ${String(signal.reason)}`);
    if (signal.aborted) onSignal();
    signal.addEventListener("abort", onSignal, { once: true });
    const clock = setTimeout(() => this.#end("the time is over"), timeMs);
    const passed = () => Math.round(beforeMs + performance.now() - this.#began);
    let fronts: Front[] = [];
    let kept = 0;
    const timers = [
      setInterval(() => this.#tick(fronts), TICK_MS),
      setInterval(() => this.#keep(recorder, fronts, passed(), ++kept % KEPT_RARELY === 0), KEEP_MS),
    ];
    try {
      fronts = await this.#openFronts(recorder);
      await this.#play(recorder, fronts);
    } finally {
      clearTimeout(clock);
      for (const timer of timers) clearInterval(timer);
      signal.removeEventListener("abort", onSignal);
      this.#keep(recorder, fronts, passed());
      recorder.append({ kind: "campaign-ended", time: new Date().toISOString(), reason: this.#reason });
      recorder.close();
    }
    const { campaign } = this.#tally;
    const findings = recorder.store.all().filter((finding) => !recorder.store.isMuted(finding)).length;
    return { reason: this.#reason, campaign, lost: this.#lost, findings, full: recorder.isFull };
  }

  /** Begins no more cases, and after a while ends all. */
  #end(reason: string): void {
    if (this.#finish.signal.aborted) return;
    this.#reason = reason;
    this.#finish.abort();
    setTimeout(() => this.#stop.abort(), GRACE_MS).unref();
  }

  #openJournal(recorder: Recorder): void {
    const time = new Date().toISOString();
    if (this.#before) return recorder.append({ kind: "resumed", time });
    const { seed, peers } = this.#plan;
    recorder.append({
      ...{ kind: "campaign-started", time, format: JOURNAL_FORMAT, seed },
      ...{ tool: { name: "ipsec-bakeoff", version: tool().version } },
      ...{ peers, plan: JSON.stringify(this.#plan) },
    });
  }

  async #openFronts(recorder: Recorder): Promise<Front[]> {
    const { cases, muted } = this.#options;
    const folder = corpusOf(this.#options);
    const fronts: Front[] = [];
    const shared = this.#plan.differential
      ? new Differential(
          this.#chosen.length,
          () => fronts[0]?.fresh(),
          (differing) => recorder.whileThereIsRoom(() => this.#differs(recorder, fronts, differing)),
        )
      : undefined;
    for (const [place, chosen] of this.#chosen.entries()) {
      const generator = (shared && fronts[0]?.options.generator) ?? (await this.#generator(place, folder));
      const pending = this.#before?.pending.filter(({ peer }) => peer === place) ?? [];
      fronts.push(
        new Front({
          ...{ place, id: peerName(chosen), chosen, generator, recorder, pending, muted },
          ...{ ...(cases !== undefined && { cases }), ...(shared && { shared }) },
        }),
      );
    }
    return fronts;
  }

  async #generator(place: number, folder: string): Promise<Generator> {
    const corpus = Corpus.open(folder);
    if (place === 0)
      for (const { file, reason } of corpus.skipped)
        this.#observer.say(`${join(folder, file)}: ${reason}: skipped`);
    const generator = await generatorOf(this.#plan, corpus, this.#before?.generators.get(place));
    for (const { setup, role } of this.#tally.campaign.peers[place]?.dropped ?? [])
      generator.drop(setup, role === "initiator" ? role : "responder");
    return generator;
  }

  /** Two peers that went different ways each time. */
  #differs(
    recorder: Recorder,
    fronts: readonly Front[],
    { case: found, a, b, difference, outcome }: Differing,
  ): void {
    const [one, other] = [fronts[a], fronts[b]];
    if (!one?.info || !other) return;
    const alarm = differenceAlarm(outcome, difference, { a: one.options.id, b: other.options.id });
    const { lie } = this.#plan;
    const { id, fresh, muted } = recorder.store.add(alarm, found, undefined, one.info, {
      ...(lie !== undefined && { lie }),
    });
    if (!fresh || muted) return;
    const { oracle, severity, title } = alarm;
    const time = new Date().toISOString();
    recorder.append({ kind: "found", time, peer: a, id, oracle, severity, case: found.number });
    const told = recorder.store.get(id)?.embargo ? "under embargo" : title;
    this.#observer.say(`${one.options.id}: finding ${id}: ${oracle}, ${severity}: ${told}`);
  }

  async #play(recorder: Recorder, fronts: readonly Front[]): Promise<void> {
    const lab = await openLab(randomBytes(4).toString("hex"));
    try {
      let lane = 0;
      const loops = fronts.flatMap((front) => {
        const { shared, chosen } = front.options;
        const jobs = shared ? 1 : (this.#options.jobs ?? usualJobs(chosen));
        return Array.from({ length: jobs }, () => ({ front, lane: lane++ }));
      });
      const ended = await Promise.allSettled(
        loops.map((loop) =>
          this.#lane(loop.front, loop.lane, recorder, lab).catch((error) => this.#fail(error)),
        ),
      );
      for (const one of ended) if (one.status === "rejected") throw one.reason;
    } finally {
      await lab.close();
    }
    if (this.#lost.length === 0 || this.#finish.signal.aborted) return;
    this.#reason = `${this.#lost.length} of ${fronts.length} peers were lost`;
  }

  /** A fault of our own in one lane must not leave the others to themselves. */
  #fail(error: unknown): never {
    this.#end("a fault of our own");
    this.#stop.abort();
    throw error;
  }

  async #lane(front: Front, lane: number, recorder: Recorder, lab: Lab): Promise<void> {
    const { chosen, id, place } = front.options;
    const { rate, restartsAnHour, boxes, timeMs, window = WINDOW[chosen.runtime] } = this.#options;
    const { lie, variant, seed } = this.#plan;
    const edges = this.#edges;
    await lab.withNetwork(chosen, lane, async (network) => {
      const lost = await laneLoop({
        ...{ front, recorder, network, clean: lab.clean, say: (line) => this.#observer.say(line) },
        order: {
          ...{ peer: id, id, seed, runId: lab.runId, lane, window, rate, restartsAnHour },
          ...{ ...(lie !== undefined && { lie }), ...(variant !== undefined && { variant }) },
          halfOpen: chosen.runtime === "memory" || (needsNetwork(chosen) && timeMs >= HALF_OPEN_MS),
          ...(chosen.file !== undefined && orderOf(startedBy(chosen.file))),
          ...(chosen.runtime === "address" &&
            orderOf({ chosen, way: { box: boxes?.find(({ where }) => where.peer === id) } })),
        },
        minimise: () => this.#minimise(),
        ...(edges && { edges: () => edges.fresh().edges }),
        ...{ finish: this.#finish.signal, stop: this.#stop.signal },
      });
      if (lost === undefined) return;
      front.options.shared?.lost(place);
      this.#lost.push(`${id}: ${lost}`);
      this.#observer.say(`${id}: lane ${lane} is lost: ${lost}`);
      recorder.append({
        kind: "lane-ended",
        time: new Date().toISOString(),
        peer: place,
        reason: lost.slice(0, 2_000),
      });
    });
  }

  #minimise(): { executions: number; ms: number } {
    const left = this.#options.timeMs - (performance.now() - this.#began);
    return { ...MINIMISE, ms: Math.max(LEAST_MS, Math.min(MINIMISE.ms, left * SHARE)) };
  }

  #tick(fronts: readonly Front[]): void {
    const all = fronts.map(({ options }) => options.generator.coverage.totals());
    const cells = all.reduce((sum, one) => ({ cells: sum.cells + one.cells, hit: sum.hit + one.hit }), {
      ...{ cells: 0, hit: 0 },
    });
    this.#observer.tick(this.#tally.campaign, cells);
    if (process.memoryUsage.rss() > MOST_MEMORY)
      this.#end("this process takes too much memory: --resume goes on");
  }

  /** Writes what a campaign goes on with. */
  #keep(recorder: Recorder, fronts: readonly Front[], ms: number, all = true): void {
    recorder.append({ kind: "clock", ms });
    recorder.whileThereIsRoom(() => recorder.store.flush());
    recorder.summary();
    if (!all) return;
    for (const { options } of fronts) {
      recorder.state(options.place, options.generator.state());
      if (options.place === 0) recorder.coverage(options.generator.coverage.file());
    }
  }
}

const usualJobs = (chosen: ChosenPeer): number =>
  needsNetwork(chosen) || chosen.runtime === "address" ? 1 : availableParallelism();
