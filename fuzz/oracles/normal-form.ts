/** A case by what came of it, in words that are the same for all peers that behave alike. */
import type { Outcome, StepOutcome } from "../outcome.ts";

/** What errors are about; a text that lets a peer choose between two of them lets it choose within a family. */
const FAMILIES: ReadonlyMap<string, string> = new Map([
  ["AUTHENTICATION_FAILED", "authentication"],
  ["TS_UNACCEPTABLE", "child"],
  ["SINGLE_PAIR_REQUIRED", "child"],
  ["INTERNAL_ADDRESS_FAILURE", "child"],
  ["FAILED_CP_REQUIRED", "child"],
  ["NO_ADDITIONAL_SAS", "not now"],
  ["TEMPORARY_FAILURE", "not now"],
]);

const NOTIFY = /N\(([^()]*)\)/g;
/** Names of errors among the notifies that have one; all others are status notifies, which peers may send as they like. */
const ERROR = new Set([
  ...["UNSUPPORTED_CRITICAL_PAYLOAD", "INVALID_IKE_SPI", "INVALID_MAJOR_VERSION", "INVALID_SYNTAX"],
  ...["INVALID_MESSAGE_ID", "INVALID_SPI", "NO_PROPOSAL_CHOSEN", "INVALID_KE_PAYLOAD"],
  ...["INVALID_SELECTORS", "UNACCEPTABLE_ADDRESSES", "UNEXPECTED_NAT_DETECTED", "CHILD_SA_NOT_FOUND"],
  ...["STATE_NOT_FOUND", "INVALID_GROUP_ID", "AUTHORIZATION_FAILED", "REGISTRATION_FAILED"],
  ...["an error", "a private error"],
]);

function familyOf(answer: string): string | undefined {
  for (const [, name = ""] of answer.matchAll(NOTIFY)) {
    const family = FAMILIES.get(name) ?? (ERROR.has(name) ? "request" : undefined);
    if (family !== undefined) return family;
  }
  return undefined;
}

const manner = (answer: string): string => (answer.includes("SK{") ? "protected" : "in clear");

/** How a step ended; of its answers the last, as others differ with the number of rounds. */
function stepForm({ act, ended, answers }: StepOutcome): string {
  const last = answers.findLast((answer) => !answer.startsWith("unused"));
  if (ended !== "refused" || last === undefined) {
    const family = ended === "done" && last !== undefined ? familyOf(last) : undefined;
    return family === undefined ? `${act}: ${ended}` : `${act}: ${ended} but for ${family}`;
  }
  return `${act}: refused ${manner(last)}, ${familyOf(last) ?? "without an error"}`;
}

/** What each step came to, and what stood at the end. No timing, vendor IDs, optional notifies, order or number of messages. */
export const formsOf = ({ steps }: Pick<Outcome, "steps">): string[] => steps.map(stepForm);

/** Equal for two outcomes between which no difference is worth a word. */
export const normalForm = (outcome: Outcome): string =>
  [...formsOf(outcome), `probe: ${outcome.probe}`].join("; ");
