/** Messages for people (ladders, logs) and for machines (event streams). */
import { formatAddress } from "./address.ts";
import { hex } from "./bytes.ts";
import { describeGsa, describeKd } from "./group-text.ts";
import type { GroupKeyBag, GroupWidePolicy, GsaPolicy, MemberKeyBag } from "./group-types.ts";
import { authMethods } from "./registry/auth-methods.ts";
import { certEncodings } from "./registry/cert-encodings.ts";
import { cfgAttributes } from "./registry/cfg-attributes.ts";
import { cfgTypes } from "./registry/cfg-types.ts";
import { eapCodes } from "./registry/eap.ts";
import { exchangeTypes } from "./registry/exchange-types.ts";
import {
  groupKeyBagAttributes,
  gsaAttributes,
  gwPolicyAttributes,
  memberKeyBagAttributes,
} from "./registry/group-attributes.ts";
import { ID_TYPE, idTypes } from "./registry/id-types.ts";
import { ikev1ExchangeTypes } from "./registry/ikev1.ts";
import { keMethods } from "./registry/ke.ts";
import { notifyTypes } from "./registry/notify-types.ts";
import { payloadTypes } from "./registry/payload-types.ts";
import { protocolIds } from "./registry/protocol-ids.ts";
import type { Registry } from "./registry/registry.ts";
import { transformAttributes } from "./registry/transform-attributes.ts";
import { transformTypes } from "./registry/transform-types.ts";
import { transformName } from "./registry/transforms.ts";
import { tsTypes } from "./registry/ts-types.ts";
import {
  type DeletePayload,
  FLAG,
  type IdPayload,
  type Message,
  type Payload,
  type TrafficSelector,
  type Transform,
  type TransformAttribute,
} from "./types.ts";

/** More payloads than this are counted, not listed: a hostile chain must not flood a log. */
const MOST_LISTED = 40;
const MOST_SPIS = 4;

/** The keyword of a number where it has one, else its name. */
function brief(registry: Registry, value: number): string {
  return registry.get(value)?.short ?? registry.nameOf(value);
}

/** Escaped, so that a hostile text cannot write control characters to a terminal. */
function printable(data: Uint8Array): string {
  const text = Buffer.from(data).toString("latin1");
  return text.replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** An identity as people write it; hex for what is no text. */
export function describeIdentity(payload: IdPayload): string {
  switch (payload.idType) {
    case ID_TYPE.ID_IPV4_ADDR:
    case ID_TYPE.ID_IPV6_ADDR:
      return formatAddress(payload.data);
    case ID_TYPE.ID_FQDN:
    case ID_TYPE.ID_RFC822_ADDR:
      return printable(payload.data);
    default:
      return `0x${hex(payload.data)}`;
  }
}

function describeDelete(payload: DeletePayload): string {
  const { spis } = payload;
  const words = spis.slice(0, MOST_SPIS).map((spi) => ` ${hex(spi.subarray(0, 8))}`);
  if (spis.length > MOST_SPIS) words.push(` ... ${spis.length - MOST_SPIS} more`);
  return `D(${protocolIds.nameOf(payload.protocolId)}${words.join("")})`;
}

/** One payload in a word: `SA`, `No`, `N(COOKIE)`, `D(ESP c0ffee01)`; `!` marks a set critical bit. */
export function describePayload(payload: Payload): string {
  const text = payloadText(payload);
  return payload.critical === true ? `${text}!` : text;
}

function payloadText(payload: Payload): string {
  switch (payload.kind) {
    case "Notify":
      return `N(${brief(notifyTypes, payload.notifyType)})`;
    case "Delete":
      return describeDelete(payload);
    case "CP":
      return `CP(${cfgTypes.nameOf(payload.cfgType)})`;
    case "EAP":
      return `EAP(${eapCodes.nameOf(payload.code)})`;
    case "SKF":
      return `SKF(${payload.fragmentNumber}/${payload.totalFragments})`;
    case "GSA":
      return describeGsa(payload);
    case "KD":
      return describeKd(payload);
    case "raw":
      return `${brief(payloadTypes, payload.type)}(raw ${payload.data.length})`;
    default:
      return brief(payloadTypes, payload.type);
  }
}

/** The payloads in a row, with a space behind each. */
function describeList(payloads: readonly Payload[]): string {
  const words = payloads.slice(0, MOST_LISTED).map(describePayload);
  if (payloads.length > MOST_LISTED) words.push(`... ${payloads.length - MOST_LISTED} more`);
  return words.map((word) => `${word} `).join("");
}

/**
 * One line: `IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) N(NATD_D_IP) ]`. With the decrypted payloads given as
 * `inner`, they stand in braces behind the Encrypted payload.
 */
export function describeMessage(message: Message, inner?: readonly Payload[]): string {
  const { header, payloads } = message;
  const isIkev1 = header.version >>> 4 === 1;
  const exchange = (isIkev1 ? ikev1ExchangeTypes : exchangeTypes).nameOf(header.exchangeType);
  const version = isIkev1 ? "IKEv1 " : "";
  const direction = (header.flags & FLAG.response) !== 0 ? "response" : "request";
  const list = `[ ${describeList(payloads)}]`;
  const opened = inner === undefined ? "" : ` { ${describeList(inner)}}`;
  const trailing = message.trailing === undefined ? "" : ` + ${message.trailing.length} octets`;
  return `${version}${exchange} ${direction} ${header.messageId} ${list}${opened}${trailing}`;
}

/** A value that JSON can hold. */
export type Tree = string | number | boolean | null | Tree[] | { [field: string]: Tree };

/** Names for the numbers in a field. */
type FieldNames = Record<string, Registry | undefined>;

const HEADER_NAMES: FieldNames = { exchangeType: exchangeTypes, nextPayload: payloadTypes };

const PAYLOAD_NAMES: FieldNames = {
  type: payloadTypes,
  next: payloadTypes,
  innerType: payloadTypes,
  group: keMethods,
  idType: idTypes,
  encoding: certEncodings,
  method: authMethods,
  protocolId: protocolIds,
  notifyType: notifyTypes,
  cfgType: cfgTypes,
  code: eapCodes,
};

const NO_NAMES: FieldNames = {};

/** The fields that are set: octets as hex, numbers by name where `names` knows the field. Lists are left to the caller. */
function fieldsToTree(value: object, names: FieldNames): { [field: string]: Tree } {
  const tree: { [field: string]: Tree } = {};
  for (const [field, content] of Object.entries(value)) {
    if (content instanceof Uint8Array) tree[field] = hex(content);
    else if (typeof content === "number") tree[field] = names[field]?.nameOf(content) ?? content;
    else if (typeof content === "string" || typeof content === "boolean") tree[field] = content;
  }
  return tree;
}

function transformToTree(transform: Transform): Tree {
  return {
    ...fieldsToTree(transform, { type: transformTypes }),
    id: transformName(transform.type, transform.id),
    attributes: attributesToTree(transform.attributes, transformAttributes),
  };
}

function selectorToTree(selector: TrafficSelector): Tree {
  const tree = fieldsToTree(selector, { tsType: tsTypes });
  if (selector.body !== undefined) return tree;
  return {
    ...tree,
    startAddress: formatAddress(selector.startAddress),
    endAddress: formatAddress(selector.endAddress),
  };
}

const attributesToTree = (attributes: readonly TransformAttribute[], names: Registry): Tree[] =>
  attributes.map((attribute) => fieldsToTree(attribute, { type: names }));

function policyToTree(policy: GsaPolicy | GroupWidePolicy): Tree {
  const tree = fieldsToTree(policy, { protocolId: protocolIds });
  if (policy.kind !== "SA") {
    return { ...tree, attributes: attributesToTree(policy.attributes, gwPolicyAttributes) };
  }
  return {
    ...tree,
    source: selectorToTree(policy.source),
    destination: selectorToTree(policy.destination),
    transforms: policy.transforms.map(transformToTree),
    attributes: attributesToTree(policy.attributes, gsaAttributes),
  };
}

function bagToTree(bag: GroupKeyBag | MemberKeyBag): Tree {
  const names = bag.kind === "group" ? groupKeyBagAttributes : memberKeyBagAttributes;
  return {
    ...fieldsToTree(bag, { protocolId: protocolIds }),
    attributes: attributesToTree(bag.attributes, names),
  };
}

/** A payload as JSON: hex for octets, names for numbers, `unknown(200)` for numbers without a name. */
export function payloadToTree(payload: Payload): { [field: string]: Tree } {
  const tree = fieldsToTree(payload, PAYLOAD_NAMES);
  switch (payload.kind) {
    case "SA":
      tree.proposals = payload.proposals.map((proposal) => ({
        ...fieldsToTree(proposal, { protocolId: protocolIds }),
        transforms: proposal.transforms.map(transformToTree),
      }));
      break;
    case "ID":
      tree.text = describeIdentity(payload);
      break;
    case "Delete":
      tree.spis = payload.spis.map(hex);
      break;
    case "TS":
      tree.selectors = payload.selectors.map(selectorToTree);
      break;
    case "CP":
      tree.attributes = payload.attributes.map((attribute) =>
        fieldsToTree(attribute, { type: cfgAttributes }),
      );
      break;
    case "GSA":
      tree.policies = payload.policies.map(policyToTree);
      break;
    case "KD":
      tree.bags = payload.bags.map(bagToTree);
      break;
  }
  return tree;
}

/** A whole message as JSON; `findings` and `trailing` only where there are any. */
export function messageToTree(message: Message): { [field: string]: Tree } {
  const tree: { [field: string]: Tree } = {
    header: fieldsToTree(message.header, HEADER_NAMES),
    payloads: message.payloads.map(payloadToTree),
  };
  if (message.trailing !== undefined) tree.trailing = hex(message.trailing);
  if (message.findings !== undefined) {
    tree.findings = message.findings.map((finding) => fieldsToTree(finding, NO_NAMES));
  }
  return tree;
}
