/** Rules made ready to be asked about messages and packets: by scope, each with what it concerns. */
import { bitsOfConcern } from "./concern.ts";
import type { EspRule, ExchangeRule, MessageRule, Rule, SaRule, Traits } from "./rule.ts";

/** A rule and the messages that it is about. */
export interface Entry<R extends Rule> {
  rule: R;
  wanted: Traits;
}

/** Make one for many linters: it never changes. */
export class RuleSet {
  readonly message: readonly Entry<MessageRule>[];
  readonly exchange: readonly Entry<ExchangeRule>[];
  readonly sa: readonly Entry<SaRule>[];
  readonly esp: readonly EspRule[];

  constructor(rules: readonly Rule[]) {
    const message: Entry<MessageRule>[] = [];
    const exchange: Entry<ExchangeRule>[] = [];
    const sa: Entry<SaRule>[] = [];
    const esp: EspRule[] = [];
    for (const rule of rules) {
      const wanted = bitsOfConcern(rule.concerns);
      if (rule.scope === "message") message.push({ rule, wanted });
      else if (rule.scope === "exchange") exchange.push({ rule, wanted });
      else if (rule.scope === "sa") sa.push({ rule, wanted });
      else esp.push(rule);
    }
    this.message = message;
    this.exchange = exchange;
    this.sa = sa;
    this.esp = esp;
  }
}
