/** What a controller says in GSA (RFC 9838 section 4.4). */
import { hex } from "../../wire/bytes.ts";
import type { GroupWidePolicy, GsaPolicy } from "../../wire/group-types.ts";
import { ENCR, encrTransforms } from "../../wire/registry/encr.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { GSA_ATTRIBUTE } from "../../wire/registry/group-attributes.ts";
import { GCAUTH } from "../../wire/registry/group-transforms.ts";
import { INTEG } from "../../wire/registry/integ.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import { SN } from "../../wire/registry/sn.ts";
import { TRANSFORM_ATTRIBUTE } from "../../wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { TrafficSelector, Transform } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn } from "../parts.ts";
import type { LintMessage, MessageRule, Rule } from "../rule.ts";
import { messageRule } from "./forms.ts";

const isSa = (policy: GsaPolicy | GroupWidePolicy): policy is GsaPolicy => policy.kind === "SA";
const isRekeySa = ({ protocolId }: GsaPolicy): boolean => protocolId === PROTOCOL.GIKE_UPDATE;

const ofType = ({ transforms }: GsaPolicy, type: number): Transform[] =>
  transforms.filter((transform) => transform.type === type);

/** Whether a group is rekeyed by multicast: it has a Rekey SA. */
export const isMulticast = (message: LintMessage): boolean =>
  message.exchangeType === EXCHANGE.GSA_REKEY ||
  (message.exchangeType !== EXCHANGE.GSA_INBAND_REKEY &&
    all(message, "GSA").some(({ payload }) =>
      payload.policies.some((policy) => isSa(policy) && isRekeySa(policy)),
    ));

const REKEYS: ReadonlySet<number> = new Set([EXCHANGE.GSA_REKEY, EXCHANGE.GSA_INBAND_REKEY]);
export const isRekey = ({ exchangeType }: LintMessage): boolean => REKEYS.has(exchangeType);

const NAMES: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.GIKE_UPDATE, "Rekey SA"],
  [PROTOCOL.ESP, "ESP"],
  [PROTOCOL.AH, "AH"],
]);

/** A rule about the policy of each SA: `fault` says what is wrong with it. */
const policyRule = (
  name: string,
  requirement: string,
  fault: (policy: GsaPolicy, message: LintMessage) => string | undefined,
): MessageRule =>
  messageRule("g-ikev2")(name, [requirement], (message) =>
    all(message, "GSA").flatMap((part) =>
      part.payload.policies.flatMap((policy, at) => {
        const reason = isSa(policy) ? fault(policy, message) : undefined;
        const path = `policy ${at + 1}`;
        return reason === undefined ? [] : [breachIn(part, reason, 0, path)];
      }),
    ),
  );

const numbers = policyRule("group-policy-without-sequence-numbers", "G-IKEV2-61", (policy) =>
  !isRekeySa(policy) && ofType(policy, TRANSFORM.SN).length === 0
    ? "the policy of a data SA has no Sequence Numbers transform"
    : undefined,
);

const esn = policyRule("group-policy-with-64-bit-numbers", "G-IKEV2-85", (policy) =>
  ofType(policy, TRANSFORM.SN).some(({ id }) => id === SN.PARTIAL_64)
    ? "Sequence Numbers has id 1"
    : undefined,
);

/** The types that a policy must have exactly once; integrity has rules of its own. */
const NEEDED: ReadonlyMap<number, readonly number[]> = new Map([
  [PROTOCOL.GIKE_UPDATE, [TRANSFORM.ENCR]],
  [PROTOCOL.ESP, [TRANSFORM.ENCR]],
  [PROTOCOL.AH, [TRANSFORM.INTEG]],
]);

const once = policyRule("group-policy-not-one-of-each-type", "G-IKEV2-78", (policy) => {
  for (const type of new Set(policy.transforms.map((transform) => transform.type))) {
    const count = ofType(policy, type).length;
    if (count > 1) return `${count} transforms of type ${type}`;
  }
  const absent = NEEDED.get(policy.protocolId)?.find((type) => ofType(policy, type).length === 0);
  return absent === undefined
    ? undefined
    : `no transform of type ${absent} for ${NAMES.get(policy.protocolId)}`;
});

const isAead = (id: number): boolean | undefined =>
  encrTransforms.get(id) && encrTransforms.get(id)?.aead === true;
const hasIntegrity = (policy: GsaPolicy): boolean =>
  ofType(policy, TRANSFORM.INTEG).some(({ id }) => id !== INTEG.NONE);
const ciphers = (policy: GsaPolicy): Transform[] => ofType(policy, TRANSFORM.ENCR);

const besideAead = policyRule("group-aead-with-integrity", "G-IKEV2-79", (policy) =>
  ciphers(policy).some(({ id }) => isAead(id)) && hasIntegrity(policy)
    ? "an integrity algorithm stands beside an AEAD cipher"
    : undefined,
);

const integrity = policyRule("group-cipher-without-integrity", "G-IKEV2-79a", (policy) =>
  ciphers(policy).some(({ id }) => isAead(id) === false) && !hasIntegrity(policy)
    ? "a cipher that is not AEAD has no integrity algorithm"
    : undefined,
);

const wrap = policyRule("rekey-sa-without-key-wrap", "G-IKEV2-101", (policy) =>
  isRekeySa(policy) && ofType(policy, TRANSFORM.KWA).length === 0
    ? "the policy of the Rekey SA has no key wrap algorithm"
    : undefined,
);

const hasAlgorithm = ({ attributes }: Transform): boolean =>
  attributes.some(({ type }) => type === TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER);

const algorithm = policyRule("signature-algorithm-missing", "G-IKEV2-80", (policy) =>
  ofType(policy, TRANSFORM.GCAUTH).some((auth) => auth.id === GCAUTH.DIGITAL_SIGNATURE && !hasAlgorithm(auth))
    ? "GCAUTH is a digital signature and has no algorithm"
    : undefined,
);

const noAlgorithm = policyRule("signature-algorithm-without-signature", "G-IKEV2-81", (policy) =>
  ofType(policy, TRANSFORM.GCAUTH).some((auth) => auth.id === GCAUTH.IMPLICIT && hasAlgorithm(auth))
    ? "authentication is implicit, and GCAUTH has an algorithm"
    : undefined,
);

const noMethod = policyRule("gcauth-in-rekey", "G-IKEV2-83", (policy, message) =>
  isRekey(message) && ofType(policy, TRANSFORM.GCAUTH).length > 0 ? "GCAUTH stands in a rekey" : undefined,
);

const IMPLICIT_IV: ReadonlySet<number> = new Set([
  ENCR.AES_CCM_8_IIV,
  ENCR.AES_GCM_16_IIV,
  ENCR.CHACHA20_POLY1305_IIV,
]);

const implicitIv = policyRule("group-cipher-of-implicit-iv", "G-IKEV2-63", (policy) => {
  const isUnfit =
    isRekeySa(policy) || ofType(policy, TRANSFORM.SN).some(({ id }) => id === SN.UNSPECIFIED_32);
  return isUnfit && ciphers(policy).some(({ id }) => IMPLICIT_IV.has(id))
    ? "a cipher of implicit IV, where numbers are not unique"
    : undefined;
});

const isMulticastAddress = ([first = 0]: Uint8Array, length: number): boolean =>
  length === 4 ? first >= 224 && first <= 239 : first === 0xff;

const UDP = 17;

/** Says why a selector is not one multicast address, UDP and one port. */
function destinationFault({
  ipProtocol,
  startPort,
  endPort,
  startAddress,
  endAddress,
  body,
}: TrafficSelector): string | undefined {
  if (body) return undefined;
  if (hex(startAddress) !== hex(endAddress)) return "a range of addresses";
  if (!isMulticastAddress(startAddress, startAddress.length)) return "no multicast address";
  if (ipProtocol !== UDP) return `protocol ${ipProtocol}, not UDP`;
  return startPort === endPort ? undefined : "a range of ports";
}

const destination = policyRule("rekey-sa-destination", "G-IKEV2-75", (policy) => {
  const fault = isRekeySa(policy) ? destinationFault(policy.destination) : undefined;
  return fault && `the destination of the Rekey SA is ${fault}`;
});

const attributes = ({ attributes: list }: GsaPolicy, type: number): number =>
  list.filter((attribute) => attribute.type === type).length;

const lifetime = policyRule("group-policy-without-lifetime", "G-IKEV2-88", (policy, message) => {
  const count = attributes(policy, GSA_ATTRIBUTE.GSA_KEY_LIFETIME);
  return isMulticast(message) && count !== 1 ? `it has GSA_KEY_LIFETIME ${count} times` : undefined;
});

const inband = policyRule("inband-policy-counts-messages", "G-IKEV2-90", (policy, message) => {
  if (isMulticast(message)) return undefined;
  if (attributes(policy, GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID) > 0)
    return "GSA_INITIAL_MESSAGE_ID without a Rekey SA";
  return attributes(policy, GSA_ATTRIBUTE.GSA_NEXT_SPI) > 0 ? "GSA_NEXT_SPI without a Rekey SA" : undefined;
});

const kinds = messageRule("g-ikev2")("group-policies-of-wrong-number", ["G-IKEV2-73"], (message) =>
  all(message, "GSA").flatMap((part) => {
    const { policies } = part.payload;
    const sas = policies.filter(isSa);
    const rekeys = sas.filter(isRekeySa).length;
    const wide = policies.length - sas.length;
    if (sas.length > 0 && rekeys <= 1 && wide <= 1) return [];
    return [
      breachIn(part, `${sas.length} policies of SAs, ${rekeys} of Rekey SAs, and ${wide} of the group`),
    ];
  }),
);

const selectorsOf = ({ source, destination: target }: GsaPolicy): string =>
  [source, target]
    .map((ts) => [ts.ipProtocol, ts.startPort, ts.endPort, hex(ts.startAddress), hex(ts.endAddress)].join())
    .join(";");

const twice = messageRule("g-ikev2")("esp-and-ah-for-same-traffic", ["G-IKEV2-74"], (message) =>
  all(message, "GSA").flatMap((part) => {
    const sas = part.payload.policies.filter(isSa);
    const esp = new Set(sas.filter(({ protocolId }) => protocolId === PROTOCOL.ESP).map(selectorsOf));
    const isDouble = sas.some((policy) => policy.protocolId === PROTOCOL.AH && esp.has(selectorsOf(policy)));
    return isDouble ? [breachIn(part, "AH and ESP for the same traffic")] : [];
  }),
);

const reserved = messageRule("g-ikev2")("group-policy-reserved-set", ["G-IKEV2-92"], (message) =>
  all(message, "GSA").flatMap((part) =>
    part.payload.policies.flatMap((policy, at) =>
      policy.kind === "group-wide" && (policy.reserved ?? 0) !== 0
        ? [breachIn(part, `RESERVED of the group-wide policy is ${policy.reserved}`, 0, `policy ${at + 1}`)]
        : [],
    ),
  ),
);

/** The methods by which the Rekey SAs of a message are authenticated. */
export const methodsOf = (message: LintMessage): number[] =>
  all(message, "GSA").flatMap(({ payload }) =>
    payload.policies.filter(isSa).flatMap((policy) => ofType(policy, TRANSFORM.GCAUTH).map(({ id }) => id)),
  );

/** Of GSA. */
export const groupPolicy: readonly Rule[] = concerning({ payloads: [PAYLOAD.GSA] }, [
  ...[numbers, esn, once, besideAead, integrity, wrap, algorithm, noAlgorithm, noMethod, implicitIv],
  ...[destination, lifetime, inband, kinds, twice, reserved],
]);
