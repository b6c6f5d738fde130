/** Judges what is seen on a wire by the rules of the catalogue, without taking part. */
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { mayConcern } from "./concern.ts";
import { History, type Placed } from "./history.ts";
import { espOfSpiZero, looksLikeIke } from "./looks.ts";
import { first } from "./parts.ts";
import {
  type EspRule,
  type Exchange,
  type ExchangeRule,
  type LintEspSa,
  type LintIkeSa,
  type LintMessage,
  NONE,
  type Place,
  type Rule,
  type SaRule,
  type WholeExchange,
} from "./rule.ts";
import { RuleSet } from "./rule-set.ts";
import { RULES } from "./rules/index.ts";
import type { Seen, SeenEsp, SeenIke } from "./seen.ts";
import type { Breach, LintFinding, Role } from "./types.ts";

export interface LintOptions {
  /** Whom to judge: who began the IKE SA, who answered, an address, or what this says. Not set: both. */
  side?: Role | { host: string } | ((seen: Seen) => boolean);
  /** Not set: all. */
  rules?: RuleSet | readonly Rule[];
}

const ALL = new RuleSet(RULES);

type SaCheck = (message: LintMessage, place: Place) => readonly Breach[];
interface EspChecker {
  rule: EspRule;
  check: (packet: SeenEsp) => readonly Breach[];
}

/** Findings of one rule in one packet beyond these say nothing new. */
const MOST_OF_A_RULE = 8;

/**
 * Feed it everything in the order of the capture. Its memory is bounded. It keeps references to the octets of IKE
 * messages, which must not change any more; those of ESP it only looks at.
 */
export class Linter {
  #side: LintOptions["side"];
  #rules: RuleSet;
  /** Of each IKE SA what its rules remember, from the first message on that concerns them. */
  #history: History<Map<SaRule, SaCheck>, EspChecker[]>;

  constructor({ side, rules = ALL }: LintOptions = {}) {
    this.#side = side;
    const set = rules instanceof RuleSet ? rules : new RuleSet(rules);
    this.#rules = set;
    this.#history = new History(
      () => new Map(),
      (sa: LintEspSa) => set.esp.map((rule) => ({ rule, check: rule.begin(sa) })),
    );
  }

  /** What is wrong with it, as far as it can be told from it and what came before. */
  see(seen: Seen): LintFinding[] {
    if (seen.kind === "esp") return this.#seeEsp(seen);
    return seen.kind === "ike" ? this.#seeIke(seen) : [];
  }

  #judges(role: Role | undefined, seen: Seen): boolean {
    if (this.#side === undefined) return true;
    if (typeof this.#side === "function") return this.#side(seen);
    return typeof this.#side === "string" ? this.#side === role : this.#side.host === seen.source.host;
  }

  #seeIke(seen: SeenIke): LintFinding[] {
    // IKEv1 has the same ports. Keys that do not fit: not from the peer, or damaged on the way.
    if (seen.message.header.version >>> 4 === 1 || seen.opening === "icv") return [];
    if (!looksLikeIke(seen)) {
      const esp = espOfSpiZero(seen);
      return esp ? this.#seeEsp(esp) : [];
    }
    const placed = this.#history.place(seen);
    const findings: LintFinding[] = [];
    const isJudged = this.#judges(placed.message.by, seen);
    if (isJudged && placed.place.as !== "copy") this.#judge(placed, findings);
    this.#follow(placed, isJudged ? findings : undefined);
    this.#history.settle(placed);
    return findings;
  }

  #judge({ tracked: { sa }, message, place }: Placed<unknown>, findings: LintFinding[]): void {
    for (const { rule, wanted } of this.#rules.message)
      if (mayConcern(wanted, message)) report(findings, rule, rule.check(message, sa), message);
    const wholes = message.isResponse ? wholesOf(message, place.exchange, sa) : [];
    if (wholes.length === 0) return;
    for (const { rule, wanted } of this.#rules.exchange)
      if (mayConcern(wanted, message)) report(findings, rule, breachesOf(rule, wholes, sa), message);
  }

  /** What is not judged must be looked at all the same: a rule remembers. */
  #follow(
    { tracked: { sa, state }, message, place }: Placed<Map<SaRule, SaCheck>>,
    to?: LintFinding[],
  ): void {
    for (const { rule, wanted } of this.#rules.sa) {
      if (!mayConcern(wanted, message)) continue;
      let check = state.get(rule);
      if (!check) {
        check = rule.begin(sa);
        state.set(rule, check);
      }
      const breaches = check(message, place);
      if (to) report(to, rule, breaches, message);
    }
  }

  #seeEsp(seen: SeenEsp): LintFinding[] {
    const { sa, state } = this.#history.esp(seen);
    const findings: LintFinding[] = [];
    for (const { rule, check } of state) {
      // What is not judged must be looked at all the same: a rule remembers.
      const breaches = check(seen);
      if (breaches.length === 0 || !this.#judges(sa.by, seen)) continue;
      const packet = seen.packets.at(-1) ?? 0;
      for (const breach of breaches.slice(0, MOST_OF_A_RULE))
        findings.push({
          ...headOf(rule, breach),
          packet,
          sender: seen.source,
          ...(sa.by && { role: sa.by }),
          ...breach,
        });
    }
    sa.packets++;
    return findings;
  }
}

/** Whether a response may answer a request that is not in the capture: it has another key exchange than this one. */
function mayAnswerAnother(request: LintMessage, response: LintMessage): boolean {
  const [asked, answered] = [first(request, "KE"), first(response, "KE")];
  return asked !== undefined && answered !== undefined && asked.payload.group !== answered.payload.group;
}

/** The exchanges that a response may belong to. In IKE_SA_INIT all requests have the same Message ID. */
function wholesOf(response: LintMessage, exchange: Exchange | undefined, sa: LintIkeSa): WholeExchange[] {
  const isInit = response.exchangeType === EXCHANGE.IKE_SA_INIT;
  const wholes: WholeExchange[] = [];
  for (const candidate of isInit ? sa.init : exchange ? [exchange] : []) {
    const { request } = candidate;
    if (!request || candidate.type !== response.exchangeType) continue;
    // A retry that is missing in the capture has another group.
    if (isInit && mayAnswerAnother(request, response)) return [];
    wholes.push({ ...candidate, request, response });
  }
  return wholes;
}

/** A response is wrong if it fits none of the requests that it may belong to. */
function breachesOf(rule: ExchangeRule, wholes: readonly WholeExchange[], sa: LintIkeSa): readonly Breach[] {
  let breaches: readonly Breach[] = NONE;
  for (const whole of wholes) {
    breaches = rule.check(whole, sa);
    if (breaches.length === 0) return NONE;
  }
  return breaches;
}

function report(to: LintFinding[], rule: Rule, breaches: readonly Breach[], message: LintMessage): void {
  if (breaches.length === 0) return;
  for (const breach of breaches.slice(0, MOST_OF_A_RULE)) to.push(findingOf(rule, breach, message));
}

const headOf = (
  rule: Rule,
  { requirement }: Breach,
): Pick<LintFinding, "document" | "requirement" | "rule"> => ({
  document: rule.document,
  requirement: requirement ?? rule.requirements[0],
  rule: rule.name,
});

const findingOf = (rule: Rule, breach: Breach, { seen, packet, by }: LintMessage): LintFinding => ({
  ...{ packet, sender: seen.source, role: by },
  ...breach,
  ...headOf(rule, breach),
});
