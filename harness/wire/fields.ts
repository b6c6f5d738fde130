/**
 * Payloads as labelled fields: the trees of `text.ts`, which also stand in event streams, with every value at a path of
 * the field's own words, as in `SA > proposal 1 > transform ENCR > key length`. An added transform, attribute or
 * payload shifts no other path.
 */
import { formatAddress } from "./address.ts";
import { fromHex } from "./bytes.ts";
import { eapTypes } from "./registry/eap.ts";
import type { Tree } from "./text.ts";

export interface Field {
  /** Labels from the payload down, joined by ` > `. */
  path: string;
  /** Numbers by name where they have one; octets as `0x` and hex, `empty` for none. */
  value: string;
}

/** A payload, a part of one, or a field. */
export interface FieldNode {
  /** What stands at this place, the same in every message: `N(COOKIE)`, `proposal`, `transform ENCR`, `key length`. */
  name: string;
  /** What tells it from others of its name: `AES_GCM_16`. */
  variant?: string;
  /** More than the variant, where that does not tell all: `AES_GCM_16 256`. */
  detail?: string;
  /** Its label has its number in the row even when it is alone: `proposal 1`. */
  numbered?: true;
  /** Set for a field. */
  value?: string;
  /** Set for a field of octets: how many. */
  octets?: number;
  /** Set for a field that is there only when it is odd: the words for an ordinary one. */
  ordinary?: string;
  children: FieldNode[];
}

type Fields = { readonly [field: string]: Tree };

/** Between the labels of a path. */
export const PATH_SEPARATOR = " > ";

/** Fields of octets, which the trees hold as hex. */
const OCTETS = new Set(["data", "spi", "trailing", "body"]);

/** Fields that name the part, or that say again what another says. */
const UNSAID = new Set(["kind", "text"]);

const NAMES: { readonly [field: string]: string } = {
  critical: "critical bit",
  protocolId: "protocol ID",
  spi: "SPI",
  spiSize: "SPI size",
  spiCount: "SPI count",
  transformCount: "transform count",
  notifyType: "notify type",
  idType: "ID type",
  cfgType: "CFG type",
  reserved3: "reserved",
  next: "next payload",
  innerType: "next payload inside",
  fragmentNumber: "fragment number",
  totalFragments: "total fragments",
  eapLength: "EAP length",
  tsType: "TS type",
  ipProtocol: "IP protocol",
  startPort: "start port",
  endPort: "end port",
  startAddress: "start address",
  endAddress: "end address",
};

/** Fields that the trees leave out when they are ordinary, and what they are then. */
const ORDINARY: { readonly [field: string]: string } = {
  critical: "clear",
  reserved: "0",
  reserved1: "0",
  reserved2: "0",
  reserved3: "0",
  length: "fitting",
  next: "fitting",
  last: "fitting",
  spiSize: "fitting",
  spiCount: "fitting",
  transformCount: "fitting",
  count: "fitting",
  eapLength: "fitting",
  trailing: "none",
  body: "none",
};

const isFields = (tree: Tree | undefined): tree is Fields =>
  typeof tree === "object" && tree !== null && !Array.isArray(tree);

const partsOf = (tree: Tree | undefined): Fields[] => (Array.isArray(tree) ? tree.filter(isFields) : []);

/** The text of a scalar. */
const said = (tree: Tree | undefined): string =>
  typeof tree === "object" || tree === undefined ? "" : String(tree);

const octetsText = (digits: string): string => (digits === "" ? "empty" : `0x${digits}`);

function octetsNode(name: string, digits: string): FieldNode {
  return { name, value: octetsText(digits), octets: digits.length >>> 1, children: [] };
}

/** The scalars of a part, but for `without`, under the names of the field. */
function scalars(fields: Fields, without: readonly string[] = [], names = NAMES): FieldNode[] {
  return Object.entries(fields).flatMap(([field, content]): FieldNode[] => {
    if (UNSAID.has(field) || without.includes(field) || typeof content === "object") return [];
    const name = names[field] ?? field;
    const node = OCTETS.has(field)
      ? octetsNode(name, said(content))
      : { name, value: field === "critical" ? "set" : said(content), children: [] };
    const ordinary = ORDINARY[field];
    return [ordinary === undefined ? node : { ...node, ordinary }];
  });
}

/** A transform attribute, or an attribute of G-IKEv2: its value stands at its own name. */
function attributeNode(fields: Fields, name: string): FieldNode {
  const { value } = fields;
  const children = scalars(fields, ["type", "value"]);
  if (typeof value === "string") return { ...octetsNode(name, value), children };
  return { name, value: said(value), children };
}

function transformNode(fields: Fields): FieldNode {
  const attributes = partsOf(fields.attributes).map((attribute) => {
    const type = said(attribute.type);
    return attributeNode(attribute, type === "KEY_LENGTH" ? "key length" : `attribute ${type}`);
  });
  const variant = said(fields.id);
  return {
    name: `transform ${said(fields.type)}`,
    variant,
    detail: [variant, ...attributes.map((attribute) => attribute.value)].join(" "),
    children: [...scalars(fields, ["type"]), ...attributes],
  };
}

function proposalNode(fields: Fields): FieldNode {
  const transforms = partsOf(fields.transforms).map(transformNode);
  return {
    name: "proposal",
    numbered: true,
    detail: [said(fields.protocolId), ...transforms.map((transform) => transform.detail)].join(" "),
    children: [...scalars(fields), ...transforms],
  };
}

function selectorNode(fields: Fields, name: string, numbered?: true): FieldNode {
  const { ipProtocol, startAddress, endAddress, startPort, endPort } = fields;
  const detail = `${said(startAddress)}-${said(endAddress)} ${said(ipProtocol)}/${said(startPort)}-${said(endPort)}`;
  return { name, ...(numbered ? { numbered } : {}), detail, children: scalars(fields) };
}

/** Attributes of CP whose value begins with an address. */
const ADDRESS_ATTRIBUTE = /^(INTERNAL_IP[46]_(ADDRESS|NETMASK|DNS|NBNS|DHCP|SERVER)|P_CSCF_IP[46]_ADDRESS)$/;

function configNode(fields: Fields): FieldNode {
  const name = said(fields.type);
  const digits = said(fields.data);
  const value = octetsNode("value", digits);
  if (ADDRESS_ATTRIBUTE.test(name)) value.value = addressText(digits);
  return { name, children: [...scalars(fields, ["type", "data"]), value] };
}

/** An IPv4 or IPv6 address, the latter also with its prefix length; hex for octets of any other length. */
function addressText(digits: string): string {
  if (digits.length === 8 || digits.length === 32) return formatAddress(fromHex(digits));
  if (digits.length !== 34) return octetsText(digits);
  return `${formatAddress(fromHex(digits.slice(0, 32)))}/${Number.parseInt(digits.slice(32), 16)}`;
}

/** The type of an EAP method apart from its data, and an EAP identity as text. */
function eapNodes(fields: Fields): FieldNode[] {
  const digits = said(fields.data);
  const nodes = scalars(fields, ["type", "data"]);
  if (digits === "") return nodes;
  const type = eapTypes.nameOf(Number.parseInt(digits.slice(0, 2), 16));
  const data = octetsNode(type === "IDENTITY" ? "identity" : "type data", digits.slice(2));
  return [...nodes, { name: "type", value: type, children: [] }, data];
}

function policyNode(fields: Fields): FieldNode {
  const attributes = partsOf(fields.attributes).map((a) => attributeNode(a, said(a.type)));
  if (fields.kind !== "SA")
    return { name: "group-wide policy", children: [...scalars(fields), ...attributes] };
  const selectors = (["source", "destination"] as const).flatMap((end) => {
    const selector = fields[end];
    return isFields(selector) ? [selectorNode(selector, `${end} TS`)] : [];
  });
  const transforms = partsOf(fields.transforms).map(transformNode);
  return {
    name: `policy ${said(fields.protocolId)}`,
    children: [...scalars(fields), ...selectors, ...transforms, ...attributes],
  };
}

function bagNode(fields: Fields): FieldNode {
  const name = fields.kind === "group" ? `key bag ${said(fields.protocolId)}` : "member key bag";
  const attributes = partsOf(fields.attributes).map((a) => attributeNode(a, said(a.type)));
  return { name, children: [...scalars(fields), ...attributes] };
}

/** Names of payloads in the RFC's notation; others are called as the registry does. */
const PAYLOADS: { readonly [kind: string]: string } = { Nonce: "Nonce", VendorID: "V" };

function payloadName(fields: Fields): string {
  const kind = said(fields.kind);
  switch (kind) {
    case "Notify":
      return `N(${said(fields.notifyType)})`;
    case "Delete":
      return `D(${said(fields.protocolId)})`;
    case "raw":
      return `${said(fields.type)}(raw)`;
    case "ID":
    case "TS":
      return said(fields.type);
    default:
      return PAYLOADS[kind] ?? kind;
  }
}

function payloadChildren(fields: Fields): FieldNode[] {
  const said7bits = { ...NAMES, reserved: "reserved bits", reserved2: "reserved" };
  const own = (...without: string[]): FieldNode[] => scalars(fields, ["type", ...without], said7bits);
  const spis = Array.isArray(fields.spis) ? fields.spis : [];
  const nodes = (list: string, node: (part: Fields) => FieldNode): FieldNode[] =>
    partsOf(fields[list]).map(node);
  switch (fields.kind) {
    case "SA":
      return [...own(), ...nodes("proposals", proposalNode)];
    case "Notify":
      return own("notifyType");
    case "Delete":
      return [
        ...own("protocolId", "spiSize"),
        ...sizeOfSpis(fields),
        ...spis.map((spi) => octetsNode("SPI", said(spi))),
      ];
    case "TS":
      return [...own(), ...nodes("selectors", (selector) => selectorNode(selector, "selector", true))];
    case "ID":
      return identityNodes(own(), said(fields.text));
    case "CP":
      return [...own(), ...nodes("attributes", configNode)];
    case "EAP":
      return [...own("data"), ...eapNodes({ data: fields.data ?? "" })];
    case "GSA":
      return [...own(), ...nodes("policies", policyNode)];
    case "KD":
      return [...own(), ...nodes("bags", bagNode)];
    default:
      return own();
  }
}

/** The data of an identity as people write it. */
const identityNodes = (nodes: FieldNode[], text: string): FieldNode[] =>
  nodes.map((node) => (node.name === "data" && text !== "" ? { ...node, value: text } : node));

/** SPI Size of a Delete payload, which its tree always has. */
const sizeOfSpis = (fields: Fields): FieldNode[] => [
  { name: "SPI size", value: said(fields.spiSize), children: [] },
];

/** The node of a payload, from its tree. */
export function nodeOfPayload(tree: Fields): FieldNode {
  return { name: payloadName(tree), children: payloadChildren(tree) };
}

/** The nodes of the fields of a tree that is no payload, as of a header: `names` for fields that have words of their own. */
export function nodesOfFields(tree: Fields, names: { readonly [field: string]: string } = {}): FieldNode[] {
  return scalars(tree, [], { ...NAMES, ...names });
}

/**
 * Labels of nodes in a row, each of them once: the name; of several of a name the variant with it, then the detail, and
 * then a number, which the first does not show unless it always has one.
 */
export function labelsOf(nodes: readonly FieldNode[]): string[] {
  const closer = [
    (node: FieldNode) => node.name,
    (node: FieldNode) => [node.name, node.variant].filter(Boolean).join(" "),
    (node: FieldNode) =>
      [node.name, node.variant === undefined ? undefined : node.detail].filter(Boolean).join(" "),
  ];
  const counts = closer.map((label) => countOf(nodes.map(label)));
  const seen = new Map<string, number>();
  return nodes.map((node) => {
    const level = closer.findIndex((label, at) => counts[at]?.get(label(node)) === 1);
    const label = (closer[level] ?? closer[2]!)(node);
    const number = (seen.get(label) ?? 0) + 1;
    seen.set(label, number);
    return number === 1 && node.numbered === undefined ? label : `${label} ${number}`;
  });
}

function countOf(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** The fields of nodes, depth first, with the labels from `above` down. */
export function fieldsOfNodes(nodes: readonly FieldNode[], above = ""): Field[] {
  const labels = labelsOf(nodes);
  return nodes.flatMap((node, index) => {
    const path = above === "" ? labels[index]! : `${above}${PATH_SEPARATOR}${labels[index]}`;
    const own = node.value === undefined ? [] : [{ path, value: node.value }];
    return [...own, ...fieldsOfNodes(node.children, path)];
  });
}

/**
 * The labelled fields of a tree: of a payload (`payloadToTree`), or of all payloads of a message (`messageToTree`).
 * Lengths, critical bit and reserved fields only where they are set or do not fit.
 */
export function fieldsOfTree(tree: Fields): Field[] {
  const payloads = Array.isArray(tree.payloads) ? partsOf(tree.payloads) : [tree];
  return fieldsOfNodes(payloads.map(nodeOfPayload));
}
