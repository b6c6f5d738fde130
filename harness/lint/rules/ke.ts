/** Key exchange and nonces (RFC 7296 sections 1.2, 2.10, 3.4 and 3.9). */
import { equal, hex, readU16 } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { keMethods } from "../../wire/registry/ke.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PRF, prfTransforms } from "../../wire/registry/prf.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Proposal } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, first, has, notifies, notifyDataAt } from "../parts.ts";
import { type LintMessage, NONE, type Rule, type WholeExchange } from "../rule.ts";
import { ofMessage, ofResponse, ofSa } from "./rfc7296.ts";

/** Offsets behind the generic payload header's first octet. */
const KE_GROUP = 4;
const KE_DATA = 8;
const NONCE_DATA = 4;

const groupsOf = (proposals: readonly Proposal[]): number[] =>
  proposals.flatMap(({ transforms }) =>
    transforms.filter(({ type, id }) => type === TRANSFORM.KE && id !== 0).map(({ id }) => id),
  );

const isNegotiation = ({ exchangeType }: LintMessage): boolean =>
  exchangeType === EXCHANGE.IKE_SA_INIT || exchangeType === EXCHANGE.CREATE_CHILD_SA;

/** Octets of the modulus of a MODP group. */
const MODULUS = new Map([
  [1, 96],
  [2, 128],
  [5, 192],
  [14, 256],
  [15, 384],
  [16, 512],
  [17, 768],
  [18, 1024],
  [22, 128],
  [23, 256],
  [24, 256],
]);

const modpLength = ofMessage("modp-value-not-padded", "IKEV2-253", (message) =>
  isNegotiation(message)
    ? all(message, "KE").flatMap((part) => {
        const { group, data } = part.payload;
        const wanted = MODULUS.get(group);
        if (wanted === undefined || data.length === wanted) return [];
        const reason = `${data.length} octets for ${keMethods.nameOf(group)}, whose modulus has ${wanted}`;
        return [breachIn(part, reason, KE_DATA, "data")];
      })
    : NONE,
);

const notOffered = ofMessage("ke-group-not-in-sa", ["IKEV2-254", "IKEV2-014"], (message) => {
  const ke = first(message, "KE");
  const offer = first(message, "SA")?.payload.proposals;
  if (!isNegotiation(message) || !ke || !offer) return NONE;
  const groups = groupsOf(offer);
  // Without any group it is the presence of KE that is wrong.
  if (groups.length === 0 || groups.includes(ke.payload.group)) return NONE;
  const reason = `the SA payload of the message has no ${keMethods.nameOf(ke.payload.group)}`;
  const isChild = message.exchangeType === EXCHANGE.CREATE_CHILD_SA && !message.isResponse;
  return [{ ...breachIn(ke, reason, KE_GROUP, "group"), requirement: isChild ? "IKEV2-014" : "IKEV2-254" }];
});

const withoutGroup = ofMessage("ke-without-group-in-sa", ["IKEV2-255", "IKEV2-252"], (message) => {
  const ke = first(message, "KE");
  const offer = first(message, "SA")?.payload.proposals;
  if (!isNegotiation(message) || !ke || !offer || groupsOf(offer).length > 0) return NONE;
  const reason = message.isResponse
    ? "a KE payload though no group was chosen"
    : "a KE payload, but no proposal has a group";
  return [{ ...breachIn(ke, reason), requirement: message.isResponse ? "IKEV2-252" : "IKEV2-255" }];
});

const otherGroup = ofResponse(
  "chosen-group-not-of-ke",
  "IKEV2-256",
  ({ request, response }: WholeExchange) => {
    const [asked, answered] = [first(request, "KE"), first(response, "KE")];
    if (!isNegotiation(response) || !asked || !answered) return NONE;
    const { group } = answered.payload;
    // Without any group chosen it is the presence of KE that is wrong.
    const chosen = first(response, "SA")?.payload.proposals;
    if (group === asked.payload.group || (chosen && groupsOf(chosen).length === 0)) return NONE;
    const names = [group, asked.payload.group].map((id) => keMethods.nameOf(id));
    return [breachIn(answered, `${names[0]} in answer to a KE payload of ${names[1]}`, KE_GROUP, "group")];
  },
);

const rekeyWithoutKe = ofMessage("ike-rekey-without-ke", ["IKEV2-024", "IKEV2-175"], (message) => {
  const sa = first(message, "SA");
  if (message.exchangeType !== EXCHANGE.CREATE_CHILD_SA || has(message, PAYLOAD.KE)) return NONE;
  if (sa?.payload.proposals[0]?.protocolId !== PROTOCOL.IKE) return NONE;
  const requirement = message.isResponse ? "IKEV2-175" : "IKEV2-024";
  return [{ reason: "the rekey of an IKE SA without a KE payload", field: "KE", requirement }];
});

const invalidKeLength = ofMessage("length-of-invalid-ke-payload", "IKEV2-016", (message) =>
  notifies(message, NOTIFY.INVALID_KE_PAYLOAD).flatMap((part) => {
    const { length } = part.payload.data;
    return length === 2
      ? []
      : [breachIn(part, `${length} octets of data instead of 2`, notifyDataAt(part), "data")];
  }),
);

const invalidKeGroup = ofResponse(
  "invalid-ke-payload-names-wrong-group",
  ["IKEV2-256", "IKEV2-015"],
  ({ request, response, type }) => {
    const part = notifies(response, NOTIFY.INVALID_KE_PAYLOAD)[0];
    const offer = first(request, "SA")?.payload.proposals;
    if (!part || !offer || part.payload.data.length !== 2) return NONE;
    const group = readU16(part.payload.data, 0);
    const name = keMethods.nameOf(group);
    const requirement = type === EXCHANGE.CREATE_CHILD_SA ? "IKEV2-015" : "IKEV2-256";
    const breach = (reason: string) => [
      { ...breachIn(part, reason, notifyDataAt(part), "data"), requirement },
    ];
    if (!groupsOf(offer).includes(group)) return breach(`it asks for ${name}, which was not offered`);
    return first(request, "KE")?.payload.group === group
      ? breach(`it asks for ${name}, which KE already has`)
      : NONE;
  },
);

const nonceSize = ofMessage("nonce-size", "IKEV2-266", (message) =>
  all(message, "Nonce").flatMap((part) => {
    const { length } = part.payload.data;
    if (length >= 16 && length <= 256) return [];
    return [breachIn(part, `${length} octets instead of 16 to 256`, NONCE_DATA, "data")];
  }),
);

/** Preferred key sizes in octets. */
const PRF_KEY = new Map<number, number>([
  [PRF.HMAC_SHA2_384, 48],
  [PRF.HMAC_SHA2_512, 64],
]);

const prfsOf = (proposals: readonly Proposal[] | undefined): number[] =>
  (proposals ?? []).flatMap(({ transforms, protocolId }) =>
    protocolId === PROTOCOL.IKE
      ? transforms.filter(({ type }) => type === TRANSFORM.PRF).map(({ id }) => id)
      : [],
  );

/** The largest key among the PRFs that a nonce must do for: of IKE_SA_INIT those in its own message. */
const nonceForPrf = ofMessage("nonce-shorter-than-half-the-prf-key", "IKEV2-148", (message, sa) => {
  const nonce = first(message, "Nonce");
  if (!isNegotiation(message) || !nonce || nonce.payload.data.length < 16) return NONE;
  const isInit = message.exchangeType === EXCHANGE.IKE_SA_INIT;
  const prfs = isInit ? prfsOf(first(message, "SA")?.payload.proposals) : prfsOf(sa.suite && [sa.suite]);
  for (const prf of prfs) {
    const half = (PRF_KEY.get(prf) ?? 0) / 2;
    if (nonce.payload.data.length >= half) continue;
    const reason = `${nonce.payload.data.length} octets, half the key of ${prfTransforms.nameOf(prf)} is ${half}`;
    return [breachIn(nonce, reason, NONCE_DATA, "data")];
  }
  return NONE;
});

const MOST_NONCES = 128;

/** Only nonces of exchanges that came to an end count as used: a refused request may be repeated. */
const nonceReused = ofSa("nonce-reused", "IKEV2-267", (sa) => {
  const used = new Set<string>();
  return (message, { as, exchange }) => {
    const nonce = first(message, "Nonce");
    if (!nonce || as !== "first" || !exchange) return NONE;
    const value = hex(nonce.payload.data);
    const other = message.isResponse && exchange.request ? first(exchange.request, "Nonce") : undefined;
    const again = used.has(value) || (other !== undefined && equal(other.payload.data, nonce.payload.data));
    if (message.isResponse && used.size < MOST_NONCES) {
      used.add(value);
      if (other) used.add(hex(other.payload.data));
    }
    // While an attempt is answered with COOKIE and the like, its nonce stays the same.
    if (message.exchangeType === EXCHANGE.IKE_SA_INIT && (!message.isResponse || sa.init.length > 1))
      return NONE;
    return again ? [breachIn(nonce, "the nonce was used before on this IKE SA", NONCE_DATA, "data")] : NONE;
  };
});

export const ke: readonly Rule[] = [
  ...concerning<Rule>({ payloads: [PAYLOAD.KE] }, [modpLength, notOffered, withoutGroup, otherGroup]),
  ...concerning({ exchanges: [EXCHANGE.CREATE_CHILD_SA], payloads: [PAYLOAD.SA] }, [rekeyWithoutKe]),
  ...concerning<Rule>({ notifies: [NOTIFY.INVALID_KE_PAYLOAD] }, [invalidKeLength, invalidKeGroup]),
  ...concerning<Rule>({ payloads: [PAYLOAD.NONCE] }, [nonceSize, nonceForPrf, nonceReused]),
];
