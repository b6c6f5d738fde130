/** The SA payload of a response against the offer (RFC 7296 sections 2.7 and 3.3.6). */
import { hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { protocolIds } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM, transformTypes } from "../../wire/registry/transform-types.ts";
import { transformName } from "../../wire/registry/transforms.ts";
import type { Proposal, SaPayload, Transform } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { offerOf } from "../learn.ts";
import { breachIn, first } from "../parts.ts";
import { type LintIkeSa, NONE, type Part, type Rule, type WholeExchange } from "../rule.ts";
import { PROPOSAL_FIELD, type ProposalPlace, proposalPlaces, TRANSFORM_FIELD } from "../sa-places.ts";
import type { Breach } from "../types.ts";
import { ofMessage, ofResponse } from "./rfc7296.ts";

interface Answer {
  part: Part<SaPayload>;
  /** The chosen proposal. */
  place: ProposalPlace;
  exchangeType: number;
  offer: readonly Proposal[];
}

const UNICAST = new Set<number>([EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA]);

/** The choice and the offer, where both can be read. */
function answerOf(exchange: WholeExchange, sa: LintIkeSa): Answer | undefined {
  if (!UNICAST.has(exchange.type)) return undefined;
  const part = first(exchange.response, "SA");
  const place = part && proposalPlaces(part)[0];
  const asked = offerOf(sa, exchange);
  const offer = asked && first(asked, "SA")?.payload.proposals;
  return part && place && offer ? { part, place, offer, exchangeType: exchange.type } : undefined;
}

const onAnswer =
  (check: (answer: Answer) => readonly Breach[]) =>
  (exchange: WholeExchange, sa: LintIkeSa): readonly Breach[] => {
    const answer = answerOf(exchange, sa);
    return answer ? check(answer) : NONE;
  };

/** The offered proposal that has the number of the chosen one. */
const offeredOf = ({ place, offer }: Answer): Proposal | undefined =>
  offer.find(({ number }) => number === place.proposal.number);

const several = ofMessage("several-proposals-chosen", "IKEV2-113", (message) => {
  if (!message.isResponse || !UNICAST.has(message.exchangeType)) return NONE;
  const part = first(message, "SA");
  const second = part && proposalPlaces(part)[1];
  if (!second) return NONE;
  const reason = `${part.payload.proposals.length} proposals in a response, which chooses one`;
  return [breachIn(part, reason, second.by, second.field)];
});

const number = ofResponse(
  "proposal-number-not-offered",
  "IKEV2-241",
  onAnswer((answer) => {
    const { part, place } = answer;
    if (offeredOf(answer)) return NONE;
    const reason = `proposal number ${place.proposal.number} was not offered`;
    return [breachIn(part, reason, place.by + PROPOSAL_FIELD.number, `${place.field} > number`)];
  }),
);

const protocol = ofResponse(
  "protocol-not-offered",
  "IKEV2-114",
  onAnswer((answer) => {
    const { part, place } = answer;
    const offered = offeredOf(answer);
    if (!offered || offered.protocolId === place.proposal.protocolId) return NONE;
    const [is, was] = [place.proposal.protocolId, offered.protocolId].map((id) => protocolIds.nameOf(id));
    return [
      breachIn(
        part,
        `protocol ${is} for an offer of ${was}`,
        place.by + PROPOSAL_FIELD.protocolId,
        `${place.field} > protocol`,
      ),
    ];
  }),
);

const twice = ofResponse(
  "two-transforms-of-a-type",
  "IKEV2-115",
  onAnswer(({ part, place }) => {
    const seen = new Set<number>();
    for (const { transform, by, field } of place.transforms) {
      if (seen.has(transform.type)) {
        const reason = `a second transform of type ${transformTypes.nameOf(transform.type)} in a response`;
        return [breachIn(part, reason, by + TRANSFORM_FIELD.type, field)];
      }
      seen.add(transform.type);
    }
    return NONE;
  }),
);

const isGroup = (type: number): boolean =>
  type === TRANSFORM.KE || (type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7);

/** A type may be left out where NONE was offered; sequence numbers have no such value, and IKE_AUTH has no groups. */
const mayBeLeftOut = (type: number, offered: readonly Transform[], exchangeType: number): boolean =>
  (exchangeType === EXCHANGE.IKE_AUTH && isGroup(type)) ||
  (type !== TRANSFORM.SN && offered.some((transform) => transform.type === type && transform.id === 0));

const missing = ofResponse(
  "transform-type-missing",
  "IKEV2-115",
  onAnswer((answer) => {
    const { part, place } = answer;
    const offered = offeredOf(answer)?.transforms ?? [];
    const chosen = new Set(place.transforms.map(({ transform }) => transform.type));
    const types = [...new Set(offered.map(({ type }) => type))];
    return types
      .filter((type) => !chosen.has(type) && !mayBeLeftOut(type, offered, answer.exchangeType))
      .map((type) => {
        const reason = `no transform of type ${transformTypes.nameOf(type)}, which the offer has`;
        return breachIn(part, reason, place.by, place.field);
      });
  }),
);

const attributesOf = ({ attributes }: Transform): string =>
  attributes
    .map(({ type, value }) => `${type}=${typeof value === "number" ? value : hex(value)}`)
    .sort()
    .join();

const isSame = (a: Transform, b: Transform): boolean => a.type === b.type && a.id === b.id;

/** Whether it was offered, but always with other attributes. */
function isChanged(transform: Transform, offered: readonly Transform[]): boolean {
  const like = offered.filter((other) => isSame(other, transform));
  if (like.length === 0) return false;
  const attributes = attributesOf(transform);
  return like.every((other) => attributesOf(other) !== attributes);
}

const notOffered = ofResponse(
  "transform-not-offered",
  "IKEV2-115",
  onAnswer((answer) => {
    const { part, place } = answer;
    const offered = offeredOf(answer)?.transforms;
    if (!offered) return NONE;
    return place.transforms
      .filter(({ transform }) => !offered.some((other) => isSame(other, transform)))
      .map(({ transform: { type, id }, by, field }) => {
        const reason = `${transformTypes.nameOf(type)} ${transformName(type, id)} is not in the offered proposal`;
        return breachIn(part, reason, by + TRANSFORM_FIELD.id, field);
      });
  }),
);

const changed = ofResponse(
  "attribute-changed",
  "IKEV2-248",
  onAnswer((answer) => {
    const { part, place } = answer;
    const offered = offeredOf(answer)?.transforms ?? [];
    return place.transforms
      .filter(({ transform }) => isChanged(transform, offered))
      .map(({ transform: { type, id }, by, field }) => {
        const reason = `the attributes of ${transformName(type, id)} are none of those offered`;
        return breachIn(part, reason, by + TRANSFORM_FIELD.attributes, `${field} > attributes`);
      });
  }),
);

export const saAnswer: readonly Rule[] = concerning<Rule>(
  { exchanges: [...UNICAST], isResponse: true, payloads: [PAYLOAD.SA] },
  [several, number, protocol, twice, missing, notOffered, changed],
);
