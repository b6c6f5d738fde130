/** The SA payload by itself: proposals, transforms, attributes (RFC 7296 section 3.3). */
import { ENCR, encrTransforms } from "../../wire/registry/encr.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM_ATTRIBUTE } from "../../wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import { transformName } from "../../wire/registry/transforms.ts";
import type { SaPayload, Transform } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn } from "../parts.ts";
import { type LintMessage, NONE, type Part, type Rule } from "../rule.ts";
import {
  PROPOSAL_FIELD,
  type ProposalPlace,
  proposalPlaces,
  TRANSFORM_FIELD,
  type TransformPlace,
} from "../sa-places.ts";
import type { Breach } from "../types.ts";
import { ofMessage } from "./rfc7296.ts";

type InProposal = (part: Part<SaPayload>, place: ProposalPlace, message: LintMessage) => readonly Breach[];

const UNICAST = new Set<number>([EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA]);

/** Every proposal of the exchanges of RFC 7296; those of G-IKEv2 have rules of their own. */
const inProposals =
  (check: InProposal) =>
  (message: LintMessage): readonly Breach[] => {
    if (!UNICAST.has(message.exchangeType)) return NONE;
    const breaches: Breach[] = [];
    for (const part of all(message, "SA"))
      for (const place of proposalPlaces(part)) breaches.push(...check(part, place, message));
    return breaches;
  };

type InTransform = (part: Part<SaPayload>, place: TransformPlace) => readonly Breach[];

const inTransforms = (check: InTransform) =>
  inProposals((part, { transforms }) => {
    const breaches: Breach[] = [];
    for (const place of transforms) breaches.push(...check(part, place));
    return breaches;
  });

const numbers = ofMessage("proposals-not-numbered-in-order", "IKEV2-238", (message) =>
  message.isResponse
    ? NONE
    : inProposals((part, { proposal, by, field }) => {
        const wanted = part.payload.proposals.indexOf(proposal) + 1;
        if (proposal.number === wanted) return NONE;
        const reason = `proposal number ${proposal.number} instead of ${wanted}`;
        return [breachIn(part, reason, by + PROPOSAL_FIELD.number, `${field} > number`)];
      })(message),
);

function wantedSpiSize(protocolId: number, exchangeType: number): number | undefined {
  if (protocolId === PROTOCOL.ESP || protocolId === PROTOCOL.AH) return 4;
  if (protocolId !== PROTOCOL.IKE) return undefined;
  return exchangeType === EXCHANGE.CREATE_CHILD_SA ? 8 : 0;
}

const spiSize = ofMessage(
  "spi-size-of-proposal",
  "IKEV2-242",
  inProposals((part, { proposal, by, field }, { exchangeType }) => {
    const wanted = wantedSpiSize(proposal.protocolId, exchangeType);
    const size = proposal.spiSize ?? proposal.spi.length;
    if (wanted === undefined || size === wanted) return NONE;
    const reason = `SPI Size is ${size} instead of ${wanted}`;
    return [breachIn(part, reason, by + PROPOSAL_FIELD.spiSize, `${field} > SPI size`)];
  }),
);

const zeroSpi = ofMessage(
  "zero-spi-in-ike-rekey",
  ["IKEV2-224", "IKEV2-025"],
  inProposals((part, { proposal, by, field }, { exchangeType, isResponse }) => {
    const { spi, protocolId } = proposal;
    if (exchangeType !== EXCHANGE.CREATE_CHILD_SA || protocolId !== PROTOCOL.IKE) return NONE;
    if (spi.length !== 8 || spi.some((octet) => octet !== 0)) return NONE;
    const breach = breachIn(
      part,
      "the SPI of the new IKE SA is zero",
      by + PROPOSAL_FIELD.spi,
      `${field} > SPI`,
    );
    return [{ ...breach, requirement: isResponse ? "IKEV2-025" : "IKEV2-224" }];
  }),
);

const twice = ofMessage(
  "attribute-twice",
  "IKEV2-240",
  inTransforms((part, { transform, by, field }) => {
    const { attributes } = transform;
    if (attributes.length < 2 || new Set(attributes.map(({ type }) => type)).size === attributes.length)
      return NONE;
    const reason = "a transform has two attributes of one type";
    return [breachIn(part, reason, by + TRANSFORM_FIELD.attributes, `${field} > attributes`)];
  }),
);

/** Ciphers of one registry that have keys of several lengths. Of AEAD, RFC 5282 says it once more. */
const VARIABLE = new Set<number>([
  ...[ENCR.AES_CBC, ENCR.AES_CTR, ENCR.CAMELLIA_CBC, ENCR.CAMELLIA_CTR, ENCR.NULL_AUTH_AES_GMAC],
]);
const VARIABLE_AEAD = new Set<number>([
  ...[ENCR.AES_CCM_8, ENCR.AES_CCM_12, ENCR.AES_CCM_16],
  ...[ENCR.AES_GCM_8, ENCR.AES_GCM_12, ENCR.AES_GCM_16],
]);
/** Those whose key has one length, beside PRFs and integrity algorithms. */
const FIXED = new Set<number>([
  ENCR.DES_IV64,
  ENCR.DES,
  ENCR["3DES"],
  ENCR.IDEA,
  ENCR["3IDEA"],
  ENCR.DES_IV32,
]);

const hasKeyLength = ({ attributes }: Transform): boolean =>
  attributes.some(({ type }) => type === TRANSFORM_ATTRIBUTE.KEY_LENGTH);

const keyLengthMissing = ofMessage(
  "key-length-missing",
  ["IKEV2-152", "IKEV2-307"],
  inTransforms((part, { transform, by, field }) => {
    const isAead = VARIABLE_AEAD.has(transform.id);
    if (transform.type !== TRANSFORM.ENCR || hasKeyLength(transform)) return NONE;
    if (!isAead && !VARIABLE.has(transform.id)) return NONE;
    const reason = `${transformName(transform.type, transform.id)} without Key Length`;
    const breach = breachIn(part, reason, by + TRANSFORM_FIELD.id, `${field} > key length`);
    return [{ ...breach, requirement: isAead ? "IKEV2-307" : "IKEV2-152" }];
  }),
);

/** Numbers for private use, and those newer than the RFC, may have keys of several lengths. */
const LAST_KNOWN_PRF = 8;
const LAST_KNOWN_INTEG = 14;

function hasOneLength({ type, id }: Transform): boolean {
  if (type === TRANSFORM.PRF) return id <= LAST_KNOWN_PRF;
  if (type === TRANSFORM.INTEG) return id <= LAST_KNOWN_INTEG;
  return type === TRANSFORM.ENCR && (FIXED.has(id) || id === ENCR.CHACHA20_POLY1305);
}

const keyLengthOfFixed = ofMessage(
  "key-length-of-fixed-key",
  ["IKEV2-245", "IKEV2-310"],
  inTransforms((part, { transform, by, field }) => {
    if (!hasKeyLength(transform) || !hasOneLength(transform)) return NONE;
    const { type, id } = transform;
    const reason = `${transformName(type, id)} has keys of one length, so it takes no Key Length`;
    const breach = breachIn(part, reason, by + TRANSFORM_FIELD.attributes, `${field} > key length`);
    const isChaCha = type === TRANSFORM.ENCR && id === ENCR.CHACHA20_POLY1305;
    return [{ ...breach, requirement: isChaCha ? "IKEV2-310" : "IKEV2-245" }];
  }),
);

const longFormat = ofMessage(
  "key-length-in-tlv-format",
  "IKEV2-245",
  inTransforms((part, { transform, by, field }) => {
    const long = transform.attributes.some(
      ({ type, value }) => type === TRANSFORM_ATTRIBUTE.KEY_LENGTH && typeof value !== "number",
    );
    if (!long) return NONE;
    const reason = "Key Length has a fixed size and never comes in the TLV format";
    return [breachIn(part, reason, by + TRANSFORM_FIELD.attributes, `${field} > key length`)];
  }),
);

const isAead = ({ type, id }: Transform): boolean =>
  type === TRANSFORM.ENCR && encrTransforms.get(id)?.aead === true;

const ofType = (place: ProposalPlace, type: number): TransformPlace[] =>
  place.transforms.filter(({ transform }) => transform.type === type);

const aeadWithInteg = ofMessage(
  "aead-with-integrity",
  ["IKEV2-239", "IKEV2-308"],
  inProposals((part, place) => {
    const ciphers = ofType(place, TRANSFORM.ENCR);
    const integ = ofType(place, TRANSFORM.INTEG).find(({ transform }) => transform.id !== 0);
    if (!integ || ciphers.length === 0 || !ciphers.every(({ transform }) => isAead(transform))) return NONE;
    const name = transformName(TRANSFORM.INTEG, integ.transform.id);
    const reason = `${name} beside nothing but combined-mode ciphers`;
    const breach = breachIn(part, reason, integ.by + TRANSFORM_FIELD.id, integ.field);
    return [
      { ...breach, requirement: place.proposal.protocolId === PROTOCOL.IKE ? "IKEV2-308" : "IKEV2-239" },
    ];
  }),
);

const mixed = ofMessage(
  "aead-beside-other-ciphers",
  "IKEV2-116",
  inProposals((part, place) => {
    const ciphers = ofType(place, TRANSFORM.ENCR);
    const aead = ciphers.find(({ transform }) => isAead(transform));
    if (!aead || ciphers.every(({ transform }) => isAead(transform))) return NONE;
    const reason = "combined-mode and other ciphers in one proposal";
    return [breachIn(part, reason, aead.by + TRANSFORM_FIELD.id, aead.field)];
  }),
);

const weakIke = ofMessage(
  "ike-sa-without-protection",
  "IKEV2-298",
  inProposals((part, place) => {
    if (place.proposal.protocolId !== PROTOCOL.IKE) return NONE;
    const ciphers = ofType(place, TRANSFORM.ENCR);
    const none = ciphers.find(({ transform }) => transform.id === ENCR.NULL);
    if (none) return [breachIn(part, "ENCR_NULL for an IKE SA", none.by + TRANSFORM_FIELD.id, none.field)];
    const plain = ciphers.find(({ transform }) => encrTransforms.get(transform.id)?.aead === undefined);
    const integ = ofType(place, TRANSFORM.INTEG).find(({ transform }) => transform.id === 0);
    if (!plain || !integ || ciphers.some(({ transform }) => isAead(transform))) return NONE;
    const cipher = transformName(TRANSFORM.ENCR, plain.transform.id);
    return [
      breachIn(part, `an integrity of NONE beside ${cipher}`, integ.by + TRANSFORM_FIELD.id, integ.field),
    ];
  }),
);

const groupInAuth = ofMessage(
  "group-in-ike-auth",
  ["IKEV2-009", "IKEV2-010"],
  inProposals((part, place, { exchangeType }) => {
    if (exchangeType !== EXCHANGE.IKE_AUTH) return NONE;
    return ofType(place, TRANSFORM.KE).map(({ transform, by, field }) => {
      const name = transformName(TRANSFORM.KE, transform.id);
      const breach = breachIn(part, `a group in IKE_AUTH: ${name}`, by + TRANSFORM_FIELD.id, field);
      return { ...breach, requirement: transform.id === 0 ? "IKEV2-010" : "IKEV2-009" };
    });
  }),
);

const noneInRekey = ofMessage(
  "no-group-in-ike-rekey",
  "IKEV2-175",
  inProposals((part, place, { exchangeType }) => {
    if (exchangeType !== EXCHANGE.CREATE_CHILD_SA || place.proposal.protocolId !== PROTOCOL.IKE) return NONE;
    return ofType(place, TRANSFORM.KE)
      .filter(({ transform }) => transform.id === 0)
      .map(({ by, field }) =>
        breachIn(part, "the rekey of an IKE SA with a group of NONE", by + TRANSFORM_FIELD.id, field),
      );
  }),
);

export const saOffer: readonly Rule[] = concerning({ exchanges: [...UNICAST], payloads: [PAYLOAD.SA] }, [
  ...[numbers, spiSize, zeroSpi, twice, keyLengthMissing, keyLengthOfFixed, longFormat],
  ...[aeadWithInteg, mixed, weakIke, groupInAuth, noneInRekey],
]);
