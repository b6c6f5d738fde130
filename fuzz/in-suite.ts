/** Plays a conversation that fuzzing found in a test of the suites, and judges the peer as fuzzing does. */
import type { Script } from "../harness/script/script.ts";
import { Failure, Unsupported } from "../harness/script/verdicts.ts";
import type { Alarm } from "./alarm.ts";
import { growthOf } from "./oracles/growth.ts";
import { judgeCase } from "./oracles/index.ts";
import { LabWatch } from "./oracles/lab.ts";
import type { Outcome } from "./outcome.ts";
import { Player } from "./play/player.ts";
import { findSetup, type Setup } from "./setups.ts";
import { changesOf, type FuzzCase, MESSAGE_SKIP, type Trace } from "./trace.ts";

/** A trace as a test holds it. */
export interface SuiteTrace extends Pick<Trace, "setup" | "peer" | "steps"> {
  /** What our nonces, SPIs and keys are made of. */
  seed: string;
}

/**
 * What the peer must do. `survive`: live on, and have a handshake for who comes next. `obey`: also raise no alarm with
 * this signature. `give back`: also keep no memory that many such conversations took.
 */
export type Expectation = { must: "survive" } | { must: "obey"; signature: string } | { must: "give back" };

/** Full handshakes that must fail before a peer counts as one that hangs. */
const HANDSHAKES = 2;

/**
 * Plays the trace on the test's arena. Passes by returning.
 * @throws Failure when the peer does what it must not; Unsupported when it never came to what is lied about
 */
export async function playInSuite(s: Script, trace: SuiteTrace, expectation: Expectation): Promise<void> {
  const { arena } = s;
  const player = new Player(arena, { peer: trace.peer });
  const watch = new LabWatch(arena.driver);
  try {
    // From here on the watch knows what an idle peer takes.
    await watch.afterBatch();
    const outcome = await player.play(caseOf(trace));
    for (const { at, event } of outcome.entries) s.trace.add(at, event);
    const alarms = await alarmsOf(outcome, { setup: setupOf(s, trace), peer: trace.peer }, watch);
    survived(alarms);
    await answers(player);
    if (expectation.must === "obey") obeyed(alarms, expectation.signature);
    if (expectation.must === "give back") await gaveBack(s, player, trace);
    reached(outcome);
  } finally {
    player.close();
    arena.link.onReceive((datagram) => s.host.take(datagram));
  }
}

const caseOf = ({ seed, ...trace }: SuiteTrace, times = 0): FuzzCase => ({
  ...{ number: 0, seed: times === 0 ? seed : `${seed}/${times}`, stage: "init" },
  trace: { trace: 1, ...trace },
});

const setupOf = ({ arena }: Script, { setup, peer }: SuiteTrace): Setup => {
  const { local: _, remote: __, ...config } = arena.config;
  return findSetup(setup) ?? { name: setup, effect: "", wishes: { config }, roles: [peer], stages: [] };
};

async function alarmsOf(
  outcome: Outcome,
  context: Parameters<typeof judgeCase>[1],
  watch: LabWatch,
): Promise<Alarm[]> {
  const seen = await watch.afterCase(outcome);
  if (!seen.some(isEnd)) seen.push(...(await watch.afterBatch()));
  // That a peer hangs the conversation alone cannot say: handshakes do.
  return [...seen, ...judgeCase(outcome, context).filter((alarm) => !isEnd(alarm))];
}

const isEnd = ({ oracle }: Alarm): boolean => oracle === "crash" || oracle === "hang";

function survived(alarms: readonly Alarm[]): void {
  const end = alarms.find(isEnd);
  if (end) throw new Failure("the peer to live on and to answer", `it ${end.title}`);
}

async function answers(player: Player): Promise<void> {
  let failed: string | undefined;
  for (let tried = 0; tried < HANDSHAKES; tried++) {
    failed = await player.handshake();
    if (failed === undefined) return;
  }
  throw new Failure("a fresh handshake after it to end well", failed ?? "nothing");
}

function obeyed(alarms: readonly Alarm[], signature: string): void {
  const alarm = alarms.find((one) => one.signature === signature);
  if (alarm) throw new Failure("the peer to do as the text asks", `it ${alarm.title}: ${alarm.detail}`);
}

/** What it takes once it may take for good: caches and pools. */
async function gaveBack({ arena }: Script, player: Player, trace: SuiteTrace): Promise<void> {
  let times = 0;
  const growth = await growthOf(
    arena.driver,
    () => player.play(caseOf(trace, ++times)),
    () => player.handshake(),
  );
  if (!growth) return;
  const { perPlay, honest } = growth;
  const took = `${Math.round(perPlay)} octets a time, ${Math.round(honest)} after an honest conversation`;
  throw new Failure("the peer to give back what it took", `it kept ${took}`);
}

/**
 * Where the peer never let it come to the lie, nothing was tested. A message that is left out is no lie that a peer could
 * come to, unless there is no other.
 */
function reached({ steps, case: { trace } }: Outcome): void {
  const lies = changesOf(trace).filter(({ op }) => op !== MESSAGE_SKIP);
  for (const [index, { act, ended, reason, unfit }] of steps.entries()) {
    const changes = trace.steps[index]?.changes ?? [];
    if (changes.length === 0 || (lies.length > 0 && !changes.some((change) => lies.includes(change))))
      continue;
    if (ended === "not begun") throw new Unsupported(`${act} could not begin: ${reason ?? "no reason"}`);
    if (unfit.length > 0) throw new Unsupported(`in ${act} there was nothing to change: ${unfit.join(", ")}`);
  }
}
