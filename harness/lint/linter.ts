/** Judges what is seen on a wire by the rules of the catalogue, without taking part. */
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
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
  type MessageRule,
  NONE,
  type Place,
  type Rule,
  type SaRule,
  type WholeExchange,
} from "./rule.ts";
import { RULES } from "./rules/index.ts";
import type { Seen, SeenEsp, SeenIke } from "./seen.ts";
import type { Breach, LintFinding, Role } from "./types.ts";

export interface LintOptions {
  /** Whom to judge: who began the IKE SA, who answered, or an address. Not set: both. */
  side?: Role | { host: string };
  /** Not set: all. */
  rules?: readonly Rule[];
}

interface Checker<T extends Rule, F> {
  rule: T;
  check: F;
}
type SaChecker = Checker<SaRule, (message: LintMessage, place: Place) => readonly Breach[]>;
type EspChecker = Checker<EspRule, (packet: SeenEsp) => readonly Breach[]>;

/** Findings of one rule in one packet beyond these say nothing new. */
const MOST_OF_A_RULE = 8;

/**
 * Feed it everything in the order of the capture. Its memory is bounded. It keeps references to the octets of IKE
 * messages, which must not change any more; those of ESP it only looks at.
 */
export class Linter {
  #side: LintOptions["side"];
  #message: MessageRule[] = [];
  #exchange: ExchangeRule[] = [];
  #sa: SaRule[] = [];
  #esp: EspRule[] = [];
  #history: History<SaChecker[], EspChecker[]>;

  constructor({ side, rules = RULES }: LintOptions = {}) {
    this.#side = side;
    for (const rule of rules) this.#sort(rule);
    this.#history = new History(
      (sa: LintIkeSa) => this.#sa.map((rule) => ({ rule, check: rule.begin(sa) })),
      (sa: LintEspSa) => this.#esp.map((rule) => ({ rule, check: rule.begin(sa) })),
    );
  }

  /** What is wrong with it, as far as it can be told from it and what came before. */
  see(seen: Seen): LintFinding[] {
    if (seen.kind === "esp") return this.#seeEsp(seen);
    return seen.kind === "ike" ? this.#seeIke(seen) : [];
  }

  #sort(rule: Rule): void {
    if (rule.scope === "message") this.#message.push(rule);
    else if (rule.scope === "exchange") this.#exchange.push(rule);
    else if (rule.scope === "sa") this.#sa.push(rule);
    else this.#esp.push(rule);
  }

  #judges(role: Role | undefined, host: string): boolean {
    if (this.#side === undefined) return true;
    return typeof this.#side === "string" ? this.#side === role : this.#side.host === host;
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
    const { message } = placed;
    const wanted = this.#judges(message.by, seen.source.host);
    const report = (rule: Rule, breaches: readonly Breach[]): void => {
      if (wanted)
        for (const breach of breaches.slice(0, MOST_OF_A_RULE))
          findings.push(findingOf(rule, breach, message));
    };
    this.#judge(placed, report);
    this.#history.settle(placed);
    return findings;
  }

  #judge(
    { tracked, message, place }: Placed<SaChecker[]>,
    report: (rule: Rule, breaches: readonly Breach[]) => void,
  ): void {
    const { sa } = tracked;
    if (place.as !== "copy") {
      for (const rule of this.#message) report(rule, rule.check(message, sa));
      if (message.isResponse)
        for (const rule of this.#exchange) report(rule, breachesOf(rule, message, place.exchange, sa));
    }
    for (const { rule, check } of tracked.state) report(rule, check(message, place));
  }

  #seeEsp(seen: SeenEsp): LintFinding[] {
    const { sa, state } = this.#history.esp(seen);
    const findings: LintFinding[] = [];
    for (const { rule, check } of state) {
      // What is not judged must be looked at all the same: a rule remembers.
      const breaches = check(seen);
      if (breaches.length === 0 || !this.#judges(sa.by, seen.source.host)) continue;
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

/**
 * In IKE_SA_INIT all requests have the same Message ID: a response is wrong if it fits none of them, and if it belongs to
 * one of them. A retry that is missing in the capture has another group.
 */
function breachesOf(
  rule: ExchangeRule,
  response: LintMessage,
  exchange: Exchange | undefined,
  sa: LintIkeSa,
): readonly Breach[] {
  const candidates = response.exchangeType === EXCHANGE.IKE_SA_INIT ? sa.init : exchange ? [exchange] : [];
  let breaches: readonly Breach[] = [];
  for (const candidate of candidates) {
    if (!candidate.request || candidate.type !== response.exchangeType) continue;
    if (candidate.type === EXCHANGE.IKE_SA_INIT && mayAnswerAnother(candidate.request, response)) return NONE;
    const whole: WholeExchange = { ...candidate, request: candidate.request, response };
    breaches = rule.check(whole, sa);
    if (breaches.length === 0) return breaches;
  }
  return breaches;
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
