/** Findings for tests. */
import type { PeerInfo } from "../../reports/results.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import type { FuzzCase, Trace } from "../trace.ts";
import type { StoredFinding } from "./finding.ts";

export const samplePeer: PeerInfo = {
  ...{ id: "builtin@current:memory", name: "builtin", version: "current", runtime: "memory" },
  fullVersion: "ipsec-bakeoff 0.1.0",
};

export const sampleTrace: Trace = {
  ...{ trace: 1, setup: "psk", peer: "responder" },
  steps: [{ act: "init", changes: [{ message: 0, op: "payload-omit", at: "Nonce" }] }],
};

export const sampleCase: FuzzCase = { number: 7, seed: "1/7", stage: "init", trace: sampleTrace };

/** Without any severity that needs an embargo. */
export const sampleAlarm: Alarm = {
  ...{ oracle: "requirement", title: "Answers a request without nonce", signature: "answers-without-nonce" },
  ...{ severity: "low", detail: "N(NO_PROPOSAL_CHOSEN)", alone: true },
  requirement: { document: "rfc7296", id: "rfc7296-1.2-1" },
};

/** Of a conversation in which nothing was sent. */
export const sampleOutcome: Outcome = {
  ...{ case: sampleCase, steps: [], probe: "answered", durationMs: 3, slowestMs: 1, entries: [], claims: [] },
  ...{ unproven: { out: 0, in: 0 }, messages: 1 },
};

export const sampleFinding: StoredFinding = {
  ...{ finding: 1, id: "55b0e5c4c0de", title: sampleAlarm.title, signature: sampleAlarm.signature },
  ...{ oracle: "requirement", severity: "low", embargo: false, requirement: sampleAlarm.requirement },
  ...{ peer: samplePeer, tool: "0.1.0", stage: "init", operators: ["payload-omit"], seed: "1/7", number: 7 },
  ...{ trace: sampleTrace, original: sampleTrace, minimised: true, alone: true, messages: 1 },
  setup: { name: "psk", wishes: {} },
  seen: { count: 1, first: "2026-01-01T00:00:00.000Z", last: "2026-01-01T00:00:00.000Z" },
  detail: sampleAlarm.detail,
};
