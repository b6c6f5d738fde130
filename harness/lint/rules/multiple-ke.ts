/** Additional key exchanges (RFC 9370): what is negotiated, and the rounds of IKE_INTERMEDIATE. */
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, breachInHeader, first, has, notify } from "../parts.ts";
import { exchangeKey, type LintIkeSa, type LintMessage, NONE, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { choiceOf, exchangeRule, hasError, initOf, messageRule, missing } from "./forms.ts";

const rule = messageRule("rfc9370");
const ofExchange = exchangeRule("rfc9370");
const SUPPORTED = NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED;
const NO_KE = 0;

const isAdditional = ({ type }: Transform): boolean => type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7;

/** The methods that a choice stands for, in the order in which they are performed. */
export const additionalMethods = ({ transforms }: Proposal): number[] =>
  transforms
    .filter((transform) => isAdditional(transform) && transform.id !== NO_KE)
    .sort((a, b) => a.type - b.type)
    .map(({ id }) => id);

const additionalTypes = ({ transforms }: Proposal): Set<number> =>
  new Set(transforms.filter(isAdditional).map(({ type }) => type));

const isInit = ({ exchangeType }: LintMessage): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;

const announced = (name: string, requirement: string, ofResponses: boolean, reason: string): Rule =>
  rule(name, [requirement], (message) => {
    if (!isInit(message) || message.isResponse !== ofResponses || notify(message, SUPPORTED)) return NONE;
    const part = first(message, "SA");
    if (!part?.payload.proposals.some((proposal) => additionalMethods(proposal).length > 0)) return NONE;
    return [missing("N(INTERMEDIATE_EXCHANGE_SUPPORTED)", reason)];
  });

const offered = announced(
  "additional-key-exchange-offered-unannounced",
  "MKE-15",
  false,
  "additional key exchanges are offered without INTERMEDIATE_EXCHANGE_SUPPORTED",
);
const agreed = announced(
  "additional-key-exchange-chosen-unannounced",
  "MKE-16",
  true,
  "additional key exchanges are chosen without INTERMEDIATE_EXCHANGE_SUPPORTED",
);

const unasked = ofExchange("additional-key-exchange-not-negotiable", ["MKE-17"], ({ request, response }) => {
  const part = isInit(request) ? first(response, "SA") : undefined;
  const [chosen] = part?.payload.proposals ?? [];
  if (!part || !chosen || additionalMethods(chosen).length === 0 || notify(request, SUPPORTED)) return NONE;
  return [
    breachIn(part, "it chooses additional key exchanges, the request had no INTERMEDIATE_EXCHANGE_SUPPORTED"),
  ];
});

/** The transforms of a type. */
const ofType = ({ transforms }: Proposal, type: number): Transform[] =>
  transforms.filter((transform) => transform.type === type);

const oneOfEach = ofExchange("additional-type-not-chosen-once", ["MKE-05"], (exchange) => {
  const choice = choiceOf(exchange);
  if (!choice) return NONE;
  const { chosen, offered: offer, part } = choice;
  return [...additionalTypes(offer)].flatMap((type) => {
    const count = ofType(chosen, type).length;
    const maybe = ofType(offer, type).some(({ id }) => id === NO_KE);
    if (count === 1 || (count === 0 && maybe)) return [];
    return [breachIn(part, `${count} transforms of type ${type} are chosen`, 0, "proposal 1")];
  });
});

const notOffered = ofExchange("additional-type-not-offered", ["MKE-14"], (exchange) => {
  const choice = choiceOf(exchange);
  if (!choice) return NONE;
  const types = additionalTypes(choice.offered);
  return choice.chosen.transforms
    .filter((transform) => isAdditional(transform) && transform.id !== NO_KE && !types.has(transform.type))
    .map(({ type }) => breachIn(choice.part, `type ${type} is chosen, and was not offered`, 0, "proposal 1"));
});

/** Twice the same id; transforms with attributes may differ in these. */
function repeated({ transforms }: Proposal): number | undefined {
  const ids = new Set<number>();
  for (const { type, id, attributes } of transforms) {
    if (!isAdditional({ type, id, attributes }) || id === NO_KE || attributes.length > 0) continue;
    if (ids.has(id)) return id;
    ids.add(id);
  }
  return undefined;
}

const twice = rule("additional-method-chosen-twice", ["MKE-07"], (message) => {
  const part = message.isResponse ? first(message, "SA") : undefined;
  const [chosen] = part?.payload.proposals ?? [];
  const id = chosen && repeated(chosen);
  return part && id !== undefined
    ? [breachIn(part, `method ${id} is chosen for two types`, 0, "proposal 1")]
    : NONE;
});

const isAmbiguous = (choice: Proposal): boolean =>
  [...additionalTypes(choice)].some((type) => ofType(choice, type).length > 1);

/** The additional methods that IKE_SA_INIT agreed on; undefined where it was not seen, or is no clear choice. */
function agreedMethods(sa: LintIkeSa): { methods: number[]; choice: Proposal } | undefined {
  const init = initOf(sa);
  const choice = init && first(init.response, "SA")?.payload.proposals[0];
  return choice && !isAmbiguous(choice) ? { methods: additionalMethods(choice), choice } : undefined;
}

const OFFSET = { exchangeType: 18, messageId: 20 };

const onTwice = rule("intermediate-on-repeated-choice", ["MKE-10"], (message, sa) => {
  if (message.exchangeType !== EXCHANGE.IKE_INTERMEDIATE || message.isResponse) return NONE;
  const choice = agreedMethods(sa)?.choice;
  if (!choice || repeated(choice) === undefined) return NONE;
  return [
    breachInHeader(
      OFFSET.exchangeType,
      "exchange type",
      "it goes on with a choice that has one method twice",
    ),
  ];
});

const PROVING: ReadonlySet<number> = new Set([EXCHANGE.IKE_AUTH, EXCHANGE.GSA_AUTH]);

const tooEarly = rule("authentication-before-last-round", ["MKE-03"], (message, sa) => {
  if (!PROVING.has(message.exchangeType) || message.isResponse || !message.protected) return NONE;
  const rounds = agreedMethods(sa)?.methods.length ?? 0;
  if (message.messageId < 1 || message.messageId > rounds) return NONE;
  const reason = `Message ID ${message.messageId}, where ${rounds} additional key exchanges come first`;
  return [breachInHeader(OFFSET.messageId, "message id", reason)];
});

/** How many KE payloads were in the requests of the exchanges before; undefined where not all of them could be read. */
function roundsBefore(sa: LintIkeSa, messageId: number): number | undefined {
  let rounds = 0;
  for (let id = 1; id < messageId; id++) {
    const request = sa.exchanges.get(exchangeKey("initiator", id))?.request;
    if (!request?.opened) return undefined;
    if (has(request, PAYLOAD.KE)) rounds++;
  }
  return rounds;
}

/** What is wrong with the KE payloads of a round. */
function roundBreaches(message: LintMessage, methods: readonly number[], round: number): Breach[] {
  const expected = methods[round];
  const [part] = all(message, "KE");
  if (expected === undefined)
    return part
      ? [
          {
            ...breachIn(part, `a key exchange beyond the ${methods.length} agreed on`),
            requirement: "MKE-19",
          },
        ]
      : [];
  if (!part) {
    if (!message.isResponse || hasError(message)) return [];
    return [{ ...missing("KE", "the response of a round has no KE payload"), requirement: "MKE-19" }];
  }
  const { group } = part.payload;
  if (group === expected) return [];
  const requirement = !message.isResponse && methods.includes(group) ? "MKE-03" : "MKE-20";
  const reason = `round ${round + 1} is of method ${expected}, not ${group}`;
  return [{ ...breachIn(part, reason, 4, "key exchange method"), requirement }];
}

const rounds = rule("round-not-as-agreed", ["MKE-20", "MKE-19", "MKE-03"], (message, sa) => {
  const { exchangeType, messageId, isResponse } = message;
  if (
    exchangeType !== EXCHANGE.IKE_INTERMEDIATE ||
    !message.opened ||
    message.by === (isResponse ? "initiator" : "responder")
  )
    return NONE;
  const known = agreedMethods(sa);
  const round = roundsBefore(sa, messageId);
  if (!known || round === undefined) return NONE;
  const request = isResponse ? sa.exchanges.get(exchangeKey("initiator", messageId))?.request : message;
  // Exchanges without key exchange serve other ends.
  return request && has(request, PAYLOAD.KE) ? roundBreaches(message, known.methods, round) : NONE;
});

/** Of RFC 9370, but for IKE_FOLLOWUP_KE. */
export const multipleKe: readonly Rule[] = [
  ...concerning({ payloads: [PAYLOAD.SA] }, [offered, agreed, unasked, oneOfEach, notOffered, twice]),
  ...concerning({ exchanges: [EXCHANGE.IKE_INTERMEDIATE] }, [onTwice]),
  ...concerning({ exchanges: [...PROVING] }, [tooEarly]),
  ...concerning({ exchanges: [EXCHANGE.IKE_INTERMEDIATE] }, [rounds]),
];
