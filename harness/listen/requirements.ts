/** What lint says of a participant, as verdicts: where it breaks a rule, and which requirements it was seen to keep. */
import { certaintyOf } from "../../fuzz/oracles/lint-certainty.ts";
import type { Verdict } from "../../reports/results.ts";
import { Linter } from "../lint/linter.ts";
import type { Rule } from "../lint/rule.ts";
import { RuleSet } from "../lint/rule-set.ts";
import { RULES } from "../lint/rules/index.ts";
import type { Seen, SeenIke } from "../lint/seen.ts";
import type { LintFinding } from "../lint/types.ts";
import { levelOf } from "../run/catalogue.ts";
import { FLAG, type Payload } from "../wire/types.ts";
import { cut } from "./shown.ts";

/** A verdict on a requirement, `rfc7296/IKEV2-001`, or on all that lint asks of a document, `rfc7296`. */
export interface Judged {
  id: string;
  verdict: Verdict;
  reason: string;
}

const HONEST = RULES.filter(({ name }) => certaintyOf(name) !== "never");
/** Rules that hold whatever our end has said. */
const OWN = HONEST.filter(({ name }) => certaintyOf(name) === "own");
const SETS = { honest: new RuleSet(HONEST), bent: new RuleSet(OWN) };
/** Spoken by everybody; any other document only by those who send a notify that its rules are about. */
const ALWAYS_SPOKEN = "rfc7296";
const BY_MANNER = { honest: HONEST, bent: OWN };

/** `honest`: our end did as the texts say; `bent`: a test or a lie had it do otherwise. */
export type Manner = keyof typeof SETS;

/** Judges one dial. Give it what both ends said, in order. */
export class Requirements {
  readonly #linter: Linter;
  readonly #rules: readonly Rule[];
  #judges = false;
  /** Names of rules, and the documents of those. */
  readonly #broken = new Set<string>();
  readonly #faulty = new Set<string>();
  /** The rules that messages of the participant were about, by document. */
  readonly #met = new Map<string, Set<string>>();
  readonly #spoken = new Set([ALWAYS_SPOKEN]);
  #messages = 0;

  constructor(manner: Manner) {
    this.#linter = new Linter({ rules: SETS[manner], side: () => this.#judges });
    this.#rules = BY_MANNER[manner];
  }

  /** What is wrong with it; each rule is told once. */
  see(seen: Seen, byParticipant: boolean): Judged[] {
    this.#judges = byParticipant;
    const fresh: LintFinding[] = [];
    for (const finding of this.#linter.see(seen)) {
      if (this.#broken.has(finding.rule)) continue;
      this.#broken.add(finding.rule);
      this.#faulty.add(finding.document);
      fresh.push(finding);
    }
    if (byParticipant && seen.kind === "ike" && seen.repeats === undefined) this.#meet(seen);
    return fresh.map(judgedOf);
  }

  #meet(seen: SeenIke): void {
    if (seen.opening !== undefined && seen.opening !== "opened") return;
    this.#messages += 1;
    for (const rule of this.#rules) {
      if (!isAbout(rule, seen)) continue;
      const { document, name, concerns } = rule;
      this.#met.set(document, (this.#met.get(document) ?? new Set()).add(name));
      if (concerns?.notifies) this.#spoken.add(document);
    }
  }

  /**
   * The documents that the participant speaks and nothing was found against. No requirement by itself: that a rule is
   * silent may only mean that there was nothing to judge.
   */
  kept(): Judged[] {
    return [...this.#met].flatMap(([id, { size }]) => {
      if (!this.#spoken.has(id) || this.#faulty.has(id)) return [];
      const asked = `lint has nothing against it: ${size} rules about what was seen, ${this.#messages} messages`;
      return [{ id, verdict: "pass" as const, reason: asked }];
    });
  }
}

/** Exactly, where the linter's own question may be answered yes too often. */
function isAbout({ concerns = {}, scope }: Rule, { message, inner }: SeenIke): boolean {
  if (scope === "esp") return false;
  const { exchangeType, flags } = message.header;
  const { exchanges, isResponse, payloads, notifies } = concerns;
  const all: readonly Payload[] = [...message.payloads, ...(inner?.payloads ?? [])];
  const has = (types: readonly number[] | undefined, of: (p: Payload) => number | undefined): boolean =>
    types === undefined || all.some((p) => types.includes(of(p) ?? -1));
  return (
    (exchanges === undefined || exchanges.includes(exchangeType)) &&
    (isResponse === undefined || isResponse === ((flags & FLAG.response) !== 0)) &&
    has(payloads, ({ type }) => type) &&
    has(notifies, (p) => (p.kind === "Notify" ? p.notifyType : undefined))
  );
}

function judgedOf({ document, requirement, rule, reason, field }: LintFinding): Judged {
  const binding = levelOf(document, [requirement]).startsWith("MUST");
  const where = field === undefined ? reason : `${field}: ${reason}`;
  return {
    id: `${document}/${requirement}`,
    verdict: binding ? "fail" : "tolerated",
    reason: cut(`${rule.replaceAll("-", " ")}: ${where}`),
  };
}
