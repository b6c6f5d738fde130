/** Sequence Numbers, transform type 5 (RFC 9827). */
import { ENCR } from "../../wire/registry/encr.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { SN } from "../../wire/registry/sn.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, first } from "../parts.ts";
import { type LintMessage, NONE, type Part, type Rule } from "../rule.ts";
import { choiceOf, exchangeRule, messageRule } from "./forms.ts";

const rule = messageRule("rfc9827");

const WITH_CHILD_SAS: ReadonlySet<number> = new Set([EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA]);
const NUMBERED: ReadonlySet<number> = new Set([PROTOCOL.ESP, PROTOCOL.AH]);

const isNumbers = ({ type }: Transform): boolean => type === TRANSFORM.SN;

/** The proposals of ESP and AH in a message that makes a Child SA. */
function proposals(message: LintMessage): { part: Part; proposal: Proposal }[] {
  const part = WITH_CHILD_SAS.has(message.exchangeType) && message.opened ? first(message, "SA") : undefined;
  return (part?.payload.proposals ?? []).flatMap((proposal) =>
    part && NUMBERED.has(proposal.protocolId) ? [{ part, proposal }] : [],
  );
}

const pathOf = ({ number }: Proposal): string => `proposal ${number}`;

const absent = rule("sequence-numbers-missing", ["SN-02"], (message) =>
  proposals(message)
    .filter(({ proposal }) => !proposal.transforms.some(isNumbers))
    .map(({ part, proposal }) =>
      breachIn(part, "the proposal has no transform of type 5", 0, pathOf(proposal)),
    ),
);

const choice = exchangeRule("rfc9827")("sequence-numbers-not-as-offered", ["SN-03"], (exchange) => {
  const found = WITH_CHILD_SAS.has(exchange.type) ? choiceOf(exchange) : undefined;
  if (!found || !NUMBERED.has(found.chosen.protocolId)) return NONE;
  const { part, chosen, offered } = found;
  const [id, ...more] = chosen.transforms.filter(isNumbers).map((transform) => transform.id);
  if (more.length > 0)
    return [breachIn(part, `${more.length + 1} transforms of type 5 are chosen`, 0, "proposal 1")];
  if (id === undefined || offered.transforms.some((transform) => isNumbers(transform) && transform.id === id))
    return NONE;
  return [breachIn(part, `id ${id} of type 5 is chosen, and was not offered`, 0, "proposal 1")];
});

const IMPLICIT_IV: ReadonlySet<number> = new Set([
  ENCR.AES_CCM_8_IIV,
  ENCR.AES_GCM_16_IIV,
  ENCR.CHACHA20_POLY1305_IIV,
]);

/** Where nothing else can be chosen from a proposal. */
const withoutNumbers = rule("implicit-iv-without-numbers", ["SN-10"], (message) =>
  proposals(message)
    .filter(({ proposal: { transforms } }) => {
      const numbers = transforms.filter(isNumbers);
      const ciphers = transforms.filter(({ type }) => type === TRANSFORM.ENCR);
      const isOnly = numbers.length > 0 && numbers.every(({ id }) => id === SN.UNSPECIFIED_32);
      return isOnly && ciphers.length > 0 && ciphers.every(({ id }) => IMPLICIT_IV.has(id));
    })
    .map(({ part, proposal }) =>
      breachIn(part, "a cipher of implicit IV with numbers that are not unique", 0, pathOf(proposal)),
    ),
);

/** Of RFC 9827. */
export const sequenceNumbers: readonly Rule[] = concerning<Rule>(
  { exchanges: [...WITH_CHILD_SAS], payloads: [PAYLOAD.SA] },
  [absent, choice, withoutNumbers],
);
