/** What a controller gives in KD (RFC 9838 section 4.5). */
import type { GroupKeyBag, MemberKeyBag } from "../../wire/group-types.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { GROUP_KEY_BAG_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../../wire/registry/group-attributes.ts";
import { GCAUTH } from "../../wire/registry/group-transforms.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import type { TransformAttribute } from "../../wire/types.ts";
import { readWrappedKey } from "../../wire/wrapped-key.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, has } from "../parts.ts";
import type { LintMessage, MessageRule, Rule } from "../rule.ts";
import { messageRule, missing } from "./forms.ts";
import { isMulticast, isRekey, methodsOf } from "./group-policy.ts";

type Bag = GroupKeyBag | MemberKeyBag;

/** A rule about each bag of keys: `fault` says what is wrong with it. */
const bagRule = (
  name: string,
  requirement: string,
  fault: (bag: Bag, message: LintMessage) => string | undefined,
): MessageRule =>
  messageRule("g-ikev2")(name, [requirement], (message) =>
    all(message, "KD").flatMap((part) =>
      part.payload.bags.flatMap((bag, at) => {
        const reason = fault(bag, message);
        return reason === undefined ? [] : [breachIn(part, reason, 0, `bag ${at + 1}`)];
      }),
    ),
  );

const ofType = ({ attributes }: Bag, type: number): TransformAttribute[] =>
  attributes.filter((attribute) => attribute.type === type);

const saKeys = (bag: Bag): TransformAttribute[] =>
  bag.kind === "group" ? ofType(bag, GROUP_KEY_BAG_ATTRIBUTE.SA_KEY) : [];
const ofMember = (bag: Bag, type: number): TransformAttribute[] =>
  bag.kind === "member" ? ofType(bag, type) : [];

/** Key ID and KWK ID of a wrapped key; undefined where it is too short for them. */
function idsOf({ value }: TransformAttribute): { keyId: number; kwkId: number } | undefined {
  return typeof value === "number" ? undefined : readWrappedKey(value);
}

const senderIds = bagRule("sender-id-in-rekey", "G-IKEV2-33", (bag, message) =>
  isRekey(message) && ofMember(bag, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID).length > 0
    ? "GM_SENDER_ID stands in a rekey"
    : undefined,
);

const implicit = bagRule("auth-key-of-implicit-authentication", "G-IKEV2-38", (bag, message) =>
  methodsOf(message).includes(GCAUTH.IMPLICIT) && ofMember(bag, MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY).length > 0
    ? "AUTH_KEY where authentication is implicit"
    : undefined,
);

const REGISTRATIONS: ReadonlySet<number> = new Set([EXCHANGE.GSA_AUTH, EXCHANGE.GSA_REGISTRATION]);

const authKeys = (message: LintMessage): number =>
  all(message, "KD")
    .flatMap(({ payload }) => payload.bags)
    .reduce((sum, bag) => sum + ofMember(bag, MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY).length, 0);

const absent = messageRule("g-ikev2")("auth-key-missing", ["G-IKEV2-80"], (message) => {
  if (!REGISTRATIONS.has(message.exchangeType) || !has(message, PAYLOAD.KD)) return [];
  if (!methodsOf(message).includes(GCAUTH.DIGITAL_SIGNATURE) || authKeys(message) > 0) return [];
  return [missing("KD", "rekeys are signed, and KD has no AUTH_KEY")];
});

const several = messageRule("g-ikev2")("several-auth-keys", ["G-IKEV2-99"], (message) => {
  const count = authKeys(message);
  const [part] = all(message, "KD");
  return part && count > 1 ? [breachIn(part, `AUTH_KEY stands there ${count} times`)] : [];
});

const inband = bagRule("wrap-key-inband", "G-IKEV2-90", (bag, message) =>
  has(message, PAYLOAD.GSA) &&
  !isMulticast(message) &&
  ofMember(bag, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY).length > 0
    ? "WRAP_KEY without a Rekey SA"
    : undefined,
);

const isData = (bag: Bag): boolean => bag.kind === "group" && bag.protocolId !== PROTOCOL.GIKE_UPDATE;

const keyIds = bagRule("sa-key-with-id", "G-IKEV2-95", (bag) => {
  const ids = saKeys(bag).flatMap((attribute) => idsOf(attribute) ?? []);
  if (ids.some(({ keyId }) => keyId !== 0)) return "the Key ID of an SA_KEY is not 0";
  if (!isData(bag)) return undefined;
  return ids.some(({ kwkId }) => kwkId !== 0)
    ? "the key of a data SA is wrapped by another than the default key"
    : undefined;
});

const one = bagRule("rekey-sa-key-not-alone", "G-IKEV2-96", (bag, message) => {
  const count = saKeys(bag).length;
  const isJudged = bag.kind === "group" && !isData(bag) && message.exchangeType !== EXCHANGE.GSA_REKEY;
  return isJudged && count !== 1 ? `the bag of the Rekey SA has ${count} SA_KEYs` : undefined;
});

const reserved = bagRule("member-bag-reserved-set", "G-IKEV2-97", (bag) =>
  bag.kind === "member" && (bag.reserved ?? 0) !== 0
    ? `RESERVED of the member key bag is ${bag.reserved}`
    : undefined,
);

const wrapIds = bagRule("wrap-key-without-id", "G-IKEV2-98", (bag) =>
  ofMember(bag, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY).some((attribute) => idsOf(attribute)?.keyId === 0)
    ? "the Key ID of a WRAP_KEY is 0"
    : undefined,
);

/** Of KD. */
export const groupKeys: readonly Rule[] = concerning({ payloads: [PAYLOAD.KD] }, [
  ...[senderIds, implicit, absent, several, inband, keyIds, one, reserved, wrapIds],
]);
