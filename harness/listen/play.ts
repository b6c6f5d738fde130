/** A test played with a participant: the dial that is there is what its driver would have begun. */
import type { PeerInfo, TestResult } from "../../reports/results.ts";
import { type LanePeer, runTest } from "../run/lane.ts";
import type { SuiteTest } from "../run/suites.ts";
import type { Script } from "../script/script.ts";
import type { ArenaWishes } from "../script/test.ts";
import { Failure, Unsupported } from "../script/verdicts.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { configOf, testPolicy } from "./credentials.ts";
import type { Dial } from "./dial.ts";
import { Participant } from "./participant.ts";
import type { StoredSession } from "./session-files.ts";

const LIMIT_MS = 90_000;

/** Tests of these documents that need nothing of a participant but that it dials. */
export const playable = (tests: readonly SuiteTest[], documents: readonly string[]): SuiteTest[] =>
  tests.filter(
    ({ document, facts }) =>
      documents.includes(document) &&
      facts.peer === "initiator" &&
      [facts.config, facts.outer, facts.inner].every((wish) => wish === undefined),
  );

/** A session as results have it. */
export const peerOf = ({ label, name }: Pick<StoredSession, "label" | "name">): PeerInfo => ({
  ...{
    id: `${label}@unknown:address`,
    name: label,
    version: "unknown",
    runtime: "address",
    fullVersion: name,
  },
});

export interface Playing {
  dial: Dial;
  test: SuiteTest;
  session: StoredSession;
  /** Folder of the report. */
  out: string;
}

const HUNG_UP = "the participant deleted the IKE SA before the test was over: leave it up";

/** Whoever calls by hand may be done before the test is, which is no fault of an implementation. */
const hasHungUp = (script: Script): boolean =>
  script.trace
    .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
    .flatMap(({ request }) => request.payloads)
    .some((one) => one.kind === "Delete" && one.protocolId === PROTOCOL.IKE);

/** Never rejects. */
export async function play({ dial, test, session, out }: Playing): Promise<TestResult> {
  const driver = new Participant({ release: () => dial.line.release(), again: () => dial.again() });
  const peer: LanePeer = {
    id: peerOf(session).id,
    // Who dials in may not take calls: that it answers none proves nothing.
    driver: () => undefined,
    arena: async (_id: string, wishes: ArenaWishes) =>
      dial.arena({ config: configOf(dial, session, wishes), policy: testPolicy, driver, wishes }),
    restart: async () => {},
    leave: (script) => script.leave(),
  };
  const watched: SuiteTest = {
    ...test,
    async body(script) {
      dial.adopt(script);
      const body = test.body(script).catch((error: unknown) => {
        throw error instanceof Failure && hasHungUp(script) ? new Unsupported(HUNG_UP) : error;
      });
      // A dial that we end ourselves proves nothing of who dialled.
      await Promise.race([body, dial.ended.then((why) => Promise.reject(new Unsupported(why)))]);
    },
  };
  const options = { out, epochMs: performance.timeOrigin, testLimitMs: LIMIT_MS };
  return (await runTest(watched, peer, options)).result;
}
