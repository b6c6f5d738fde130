/** Digital signatures as method 14 (RFC 7427), EdDSA among them (RFC 8420). */
import { equal, fromHex, hex, readU16 } from "../../wire/bytes.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { HASH } from "../../wire/registry/hash-algorithms.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { AuthPayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, first, notifies, notify, notifyDataAt } from "../parts.ts";
import { type LintIkeSa, type LintMessage, NONE, otherRole, type Part, type Rule } from "../rule.ts";
import type { Breach, Role } from "../types.ts";
import { bothAnnounced, initOf, messageRule, notifyForm } from "./forms.ts";

const rule = messageRule("rfc7427");
const LIST = NOTIFY.SIGNATURE_HASH_ALGORITHMS;
/** Offset of the data behind the first octet of AUTH. */
const DATA = 8;

/** AUTH of IKE_AUTH: in GSA_REKEY it is of another agreement. */
const authOf = (message: LintMessage): Part<AuthPayload> | undefined =>
  message.exchangeType === EXCHANGE.IKE_AUTH && message.opened ? first(message, "AUTH") : undefined;

/** What is in front of the signature. */
interface Identifier {
  /** DER of the AlgorithmIdentifier. */
  der: Uint8Array;
  /** Tag, length and value of its object identifier. */
  oid: Uint8Array;
  /** Octets behind the identifier: the signature. */
  signature: number;
}

/** Length octets of up to two octets: an identifier has 255 octets at most. */
function contentOf(der: Uint8Array, at: number): { start: number; end: number } | undefined {
  const short = der[at + 1];
  if (short === undefined || short === 0x80 || short > 0x81) return undefined;
  const length = short === 0x81 ? der[at + 2] : short;
  if (length === undefined) return undefined;
  const start = at + (short === 0x81 ? 3 : 2);
  return start + length <= der.length ? { start, end: start + length } : undefined;
}

/** Reads the data of an AUTH payload of method 14, or says what is wrong with them. */
function readIdentifier(data: Uint8Array): Identifier | string {
  const [length = 0] = data;
  if (length === 0) return "the length of the AlgorithmIdentifier is 0";
  if (1 + length >= data.length) return "no signature stands behind the AlgorithmIdentifier";
  const der = data.subarray(1, 1 + length);
  const sequence = der[0] === 0x30 ? contentOf(der, 0) : undefined;
  if (sequence?.end !== der.length)
    return "the AlgorithmIdentifier is no SEQUENCE of the length it is said to have";
  const oid = der[sequence.start] === 0x06 ? contentOf(der, sequence.start) : undefined;
  if (!oid || oid.end > sequence.end || oid.end === oid.start)
    return "the AlgorithmIdentifier does not begin with an object identifier";
  return { der, oid: der.subarray(sequence.start, oid.end), signature: data.length - 1 - length };
}

const ED25519 = "06032b6570";
const ED448 = "06032b6571";
const PSS = "06092a864886f70d01010a";
const OIDS: ReadonlyMap<string, number> = new Map([
  ["06092a864886f70d010105", HASH.SHA1],
  ["06092a864886f70d01010b", HASH.SHA2_256],
  ["06092a864886f70d01010c", HASH.SHA2_384],
  ["06092a864886f70d01010d", HASH.SHA2_512],
  ["06072a8648ce380403", HASH.SHA1],
  ["0609608648016503040302", HASH.SHA2_256],
  ["06072a8648ce3d0401", HASH.SHA1],
  ["06082a8648ce3d040302", HASH.SHA2_256],
  ["06082a8648ce3d040303", HASH.SHA2_384],
  ["06082a8648ce3d040304", HASH.SHA2_512],
  [ED25519, HASH.IDENTITY],
  [ED448, HASH.IDENTITY],
]);
/** Of hashAlgorithm in the parameters of RSASSA-PSS. */
const PSS_HASHES: ReadonlyMap<string, number> = new Map([
  ["06052b0e03021a", HASH.SHA1],
  ["0609608648016503040201", HASH.SHA2_256],
  ["0609608648016503040202", HASH.SHA2_384],
  ["0609608648016503040203", HASH.SHA2_512],
]);

/** SHA-1 is the default; undefined for parameters that are not read. */
function pssHash({ der, oid }: Identifier): number | undefined {
  const rest = der.subarray(der.length - (der.length - 2 - oid.length));
  if (rest.length === 0 || rest[0] !== 0x30) return undefined;
  const parameters = contentOf(rest, 0);
  if (!parameters) return undefined;
  if (rest[parameters.start] !== 0xa0) return HASH.SHA1;
  const tagged = contentOf(rest, parameters.start);
  const identifier = tagged && rest[tagged.start] === 0x30 ? contentOf(rest, tagged.start) : undefined;
  const name = identifier && contentOf(rest, identifier.start);
  return name && PSS_HASHES.get(hex(rest.subarray(identifier.start, name.end)));
}

/** The id of the hash that an identifier names; undefined for algorithms that are not known here. */
const hashOf = (identifier: Identifier): number | undefined => {
  const oid = hex(identifier.oid);
  return oid === PSS ? pssHash(identifier) : OIDS.get(oid);
};

/** The hashes that one end listed in IKE_SA_INIT; undefined where that was not seen, or it has no list. */
function listOf(sa: LintIkeSa, by: Role): number[] | undefined {
  const init = initOf(sa);
  const data = init && notify(by === "initiator" ? init.request : init.response, LIST)?.payload.data;
  return data && Array.from({ length: data.length >> 1 }, (_, at) => readU16(data, 2 * at));
}

const unannounced = rule("signature-method-not-announced", ["SIGAUTH-01"], (message, sa) => {
  const part = authOf(message);
  if (part?.payload.method !== AUTH_METHOD.DIGITAL_SIGNATURE || bothAnnounced(sa, LIST) !== false)
    return NONE;
  return [breachIn(part, "method 14 though not both ends sent SIGNATURE_HASH_ALGORITHMS", 4, "auth method")];
});

const OLD: ReadonlySet<number> = new Set([
  AUTH_METHOD.RSA_DIGITAL_SIGNATURE,
  AUTH_METHOD.DSS_DIGITAL_SIGNATURE,
  AUTH_METHOD.ECDSA_SHA256_P256,
  AUTH_METHOD.ECDSA_SHA384_P384,
  AUTH_METHOD.ECDSA_SHA512_P521,
]);

/** Whether both ends announced in the form that RFC 7427 section 4 asks for: else one of them may have overlooked it. */
function bothLists(sa: LintIkeSa): boolean {
  const init = initOf(sa);
  return [init?.request, init?.response].every((message) => {
    const [list, second] = message ? notifies(message, LIST) : [];
    return list !== undefined && second === undefined && list.payload.data.length % 2 === 0;
  });
}

const oldMethod = rule("old-signature-method", ["SIGAUTH-02"], (message, sa) => {
  const part = authOf(message);
  if (!part || !OLD.has(part.payload.method) || !bothLists(sa)) return NONE;
  return [
    breachIn(part, `method ${part.payload.method} though both ends announced method 14`, 4, "auth method"),
  ];
});

/** The identifier of a signature of method 14. */
function identifierOf(
  message: LintMessage,
): { part: Part<AuthPayload>; read: Identifier | string } | undefined {
  const part = authOf(message);
  if (part?.payload.method !== AUTH_METHOD.DIGITAL_SIGNATURE) return undefined;
  return { part, read: readIdentifier(part.payload.data) };
}

const inData = (part: Part, reason: string): Breach => breachIn(part, reason, DATA, "authentication data");

const malformed = rule("signature-data-malformed", ["SIGAUTH-03"], (message) => {
  const found = identifierOf(message);
  return found && typeof found.read === "string" ? [inData(found.part, found.read)] : NONE;
});

const hash = rule("signature-hash-not-listed", ["SIGAUTH-11", "SIGAUTH-21"], (message, sa) => {
  const found = identifierOf(message);
  const used = found && typeof found.read !== "string" ? hashOf(found.read) : undefined;
  const list = listOf(sa, otherRole(message.by));
  if (!found || used === undefined || !list || list.includes(used)) return NONE;
  const breach = inData(
    found.part,
    `it uses hash ${used}, the other end listed ${list.join(", ") || "none"}`,
  );
  return [{ ...breach, requirement: used === HASH.IDENTITY ? "SIGAUTH-21" : "SIGAUTH-11" }];
});

/** Who signs with EdDSA supports it. */
const unlisted = rule("eddsa-used-and-not-listed", ["SIGAUTH-24"], (message, sa) => {
  const found = identifierOf(message);
  const list =
    found && typeof found.read !== "string" && hashOf(found.read) === HASH.IDENTITY && listOf(sa, message.by);
  if (!found || !list || list.includes(HASH.IDENTITY)) return NONE;
  return [inData(found.part, "it signs with EdDSA, and its own list lacks Identity")];
});

const EDDSA = [fromHex(`3005${ED25519}`), fromHex(`3005${ED448}`)];

const eddsa = rule("eddsa-identifier-with-parameters", ["SIGAUTH-27"], (message) => {
  const found = identifierOf(message);
  if (!found || typeof found.read === "string") return NONE;
  const { oid, der } = found.read;
  const name = hex(oid);
  if ((name !== ED25519 && name !== ED448) || EDDSA.some((exact) => equal(exact, der))) return NONE;
  return [inData(found.part, "the identifier of EdDSA has more than its name")];
});

const SIGNATURE_OCTETS: ReadonlyMap<string, number> = new Map([
  [ED25519, 64],
  [ED448, 114],
]);

const padded = rule("eddsa-signature-of-wrong-length", ["SIGAUTH-03"], (message) => {
  const found = identifierOf(message);
  if (!found || typeof found.read === "string") return NONE;
  const octets = SIGNATURE_OCTETS.get(hex(found.read.oid));
  if (octets === undefined || octets === found.read.signature) return NONE;
  return [inData(found.part, `a signature of ${found.read.signature} octets, not ${octets}`)];
});

const sha1 = rule("signature-with-sha1", ["SIGAUTH-30"], (message) => {
  const found = identifierOf(message);
  if (!found || typeof found.read === "string" || hashOf(found.read) !== HASH.SHA1) return NONE;
  return [inData(found.part, "a signature of method 14 with SHA-1")];
});

const sha1Listed = rule("sha1-listed", ["SIGAUTH-30"], (message) =>
  notifies(message, LIST).flatMap((part) => {
    const { data } = part.payload;
    for (let at = 0; at + 1 < data.length; at += 2)
      if (readU16(data, at) === HASH.SHA1)
        return [breachIn(part, "SHA-1 is listed", notifyDataAt(part) + at, "data")];
    return [];
  }),
);

const form = notifyForm("rfc7427", "SIGAUTH-09", "hash-list-malformed", {
  types: [LIST],
  data: (data) => (data.length % 2 === 0 ? undefined : `${data.length} octets are no list of 16-bit numbers`),
});

const place = rule("hash-list-outside-of-ike-sa-init", ["SIGAUTH-09"], (message) =>
  message.exchangeType === EXCHANGE.IKE_SA_INIT
    ? NONE
    : notifies(message, LIST).map((part) => breachIn(part, "it belongs into IKE_SA_INIT")),
);

/** Of RFC 7427. */
export const signatures: readonly Rule[] = [
  ...concerning({ exchanges: [EXCHANGE.IKE_AUTH], payloads: [PAYLOAD.AUTH] }, [
    ...[unannounced, oldMethod, malformed, hash, unlisted, eddsa, padded, sha1],
  ]),
  ...concerning({ notifies: [LIST] }, [sha1Listed, form, place]),
];
