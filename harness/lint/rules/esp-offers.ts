/** What is offered and chosen for ESP (RFC 4303 and RFC 8221, and the documents of the ciphers). */
import { readU32 } from "../../wire/bytes.ts";
import { ENCR, encrTransforms } from "../../wire/registry/encr.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { INTEG } from "../../wire/registry/integ.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Proposal } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, first } from "../parts.ts";
import type { LintMessage, MessageRule, Rule } from "../rule.ts";
import { messageRule } from "./forms.ts";

const WITH_CHILD_SAS: ReadonlySet<number> = new Set([EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA]);

/** A rule about each proposal of ESP: `fault` says what is wrong with it. */
const proposalRule = (
  name: string,
  requirement: string,
  fault: (proposal: Proposal, message: LintMessage) => string | undefined,
): MessageRule =>
  messageRule("rfc4303")(name, [requirement], (message) => {
    const part =
      WITH_CHILD_SAS.has(message.exchangeType) && message.opened ? first(message, "SA") : undefined;
    if (!part) return [];
    return part.payload.proposals.flatMap((proposal) => {
      const reason = proposal.protocolId === PROTOCOL.ESP ? fault(proposal, message) : undefined;
      return reason === undefined ? [] : [breachIn(part, reason, 0, `proposal ${proposal.number}`)];
    });
  });

const ids = ({ transforms }: Proposal, type: number): number[] =>
  transforms.filter((transform) => transform.type === type).map(({ id }) => id);

const isAead = (id: number): boolean => encrTransforms.get(id)?.aead === true;
/** Of Fibre Channel and others, which say nothing here, nothing is known. */
const isKnown = (id: number): boolean => encrTransforms.get(id) !== undefined;
const hasIntegrity = (proposal: Proposal): boolean =>
  ids(proposal, TRANSFORM.INTEG).some((id) => id !== INTEG.NONE);

const FIRST_FREE_SPI = 256;

const spi = proposalRule("reserved-spi-chosen", "ESP-02", (proposal) => {
  const value = proposal.spi.length === 4 ? readU32(proposal.spi, 0) : FIRST_FREE_SPI;
  return value < FIRST_FREE_SPI ? `SPI ${value} is reserved` : undefined;
});

const nothing = proposalRule("esp-without-any-protection", "ESP-01", (proposal) => {
  const ciphers = ids(proposal, TRANSFORM.ENCR);
  const isNull = ciphers.length > 0 && ciphers.every((id) => id === ENCR.NULL);
  return isNull && !hasIntegrity(proposal) ? "NULL encryption without integrity" : undefined;
});

const COUNTER_MODES: ReadonlySet<number> = new Set([ENCR.AES_CTR, ENCR.CAMELLIA_CTR]);

const counter = proposalRule("counter-mode-without-integrity", "ESP-CTR-01", (proposal) => {
  const ciphers = ids(proposal, TRANSFORM.ENCR);
  const isCounter = ciphers.length > 0 && ciphers.every((id) => COUNTER_MODES.has(id));
  return isCounter && !hasIntegrity(proposal) ? "counter mode without integrity" : undefined;
});

const mixed = proposalRule("esp-offer-mixes-aead", "ESP-AEAD-01", (proposal, { isResponse }) => {
  const ciphers = ids(proposal, TRANSFORM.ENCR).filter(isKnown);
  const isMixed = ciphers.some(isAead) && !ciphers.every(isAead);
  return isMixed && !isResponse && hasIntegrity(proposal)
    ? "AEAD and other ciphers stand in one proposal beside integrity algorithms"
    : undefined;
});

const besideAead = proposalRule("esp-aead-with-integrity", "ESP-AEAD-02", (proposal) => {
  const ciphers = ids(proposal, TRANSFORM.ENCR);
  const isAll = ciphers.length > 0 && ciphers.every(isAead);
  return isAll && hasIntegrity(proposal) ? "an integrity algorithm stands beside AEAD ciphers" : undefined;
});

/** MUST NOT in RFC 8221 sections 5 and 6. */
const FORBIDDEN: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [TRANSFORM.ENCR, new Set<number>([ENCR.DES_IV64, ENCR.DES, ENCR.BLOWFISH, ENCR["3IDEA"], ENCR.DES_IV32])],
  [TRANSFORM.INTEG, new Set<number>([INTEG.HMAC_MD5_96, INTEG.DES_MAC, INTEG.KPDK_MD5])],
]);

const forbidden = proposalRule("forbidden-algorithm-for-esp", "ESP-ALG-02", ({ transforms }) => {
  const found = transforms.find(({ type, id }) => FORBIDDEN.get(type)?.has(id));
  return found && `transform ${found.id} of type ${found.type} is forbidden`;
});

const KEY_LENGTH = 14;

/** Says which of the ciphers has a Key Length attribute, or has none. */
const withKeyLength =
  (ciphers: readonly number[], has: boolean) =>
  (proposal: Proposal): string | undefined => {
    const wrong = proposal.transforms.find(
      ({ type, id, attributes }) =>
        type === TRANSFORM.ENCR &&
        ciphers.includes(id) &&
        attributes.some((attribute) => attribute.type === KEY_LENGTH) === has,
    );
    return wrong && `cipher ${wrong.id} ${has ? "with" : "without"} Key Length attribute`;
  };

const chacha = proposalRule(
  "chacha20-with-key-length",
  "ESP-CP-02",
  withKeyLength([ENCR.CHACHA20_POLY1305], true),
);
const cbc = proposalRule("aes-cbc-without-key-length", "ESP-CBC-02", withKeyLength([ENCR.AES_CBC], false));

const gmac = proposalRule("gmac-beside-another-cipher", "ESP-GMAC-04", (proposal, { isResponse }) => {
  const ciphers = ids(proposal, TRANSFORM.ENCR);
  const isBeside = ciphers.length > 1 && ciphers.includes(ENCR.NULL_AUTH_AES_GMAC);
  return isResponse && isBeside ? "GMAC and another cipher are chosen" : undefined;
});

/** Of the negotiation of ESP. */
export const espOffers: readonly Rule[] = concerning(
  { exchanges: [...WITH_CHILD_SAS], payloads: [PAYLOAD.SA] },
  [spi, nothing, counter, mixed, besideAead, forbidden, chacha, cbc, gmac],
);
