/** Which numbers and octets every payload and part of one has: the wire grammar as a table. */

/** Bits of a number field. */
export type Width = 1 | 7 | 8 | 15 | 16 | 24;

interface Grammar {
  /** Octets of its fixed part, with the generic header. */
  fixed: number;
  numbers: { readonly [field: string]: Width };
  /** Fields of octets. */
  octets: readonly string[];
  /** Fields that hold parts, in the order in which the parts stand on the wire; not set: none. */
  parts?: readonly string[];
}

const PAYLOAD = { critical: 1, reserved: 7, length: 16, next: 8 } as const;
const NOTHING: Grammar = { fixed: 0, numbers: {}, octets: [] };

/** By kind of payload, or of part. */
const GRAMMAR: { readonly [kind: string]: Grammar } = {
  SA: { fixed: 4, numbers: PAYLOAD, octets: ["trailing"], parts: ["proposals"] },
  KE: { fixed: 8, numbers: { ...PAYLOAD, group: 16, reserved2: 16 }, octets: ["data"] },
  ID: { fixed: 8, numbers: { ...PAYLOAD, idType: 8, reserved3: 24 }, octets: ["data"] },
  CERT: { fixed: 5, numbers: { ...PAYLOAD, encoding: 8 }, octets: ["data"] },
  CERTREQ: { fixed: 5, numbers: { ...PAYLOAD, encoding: 8 }, octets: ["data"] },
  AUTH: { fixed: 8, numbers: { ...PAYLOAD, method: 8, reserved3: 24 }, octets: ["data"] },
  Nonce: { fixed: 4, numbers: PAYLOAD, octets: ["data"] },
  Notify: {
    fixed: 8,
    numbers: { ...PAYLOAD, protocolId: 8, spiSize: 8, notifyType: 16 },
    octets: ["spi", "data"],
  },
  Delete: {
    fixed: 8,
    numbers: { ...PAYLOAD, protocolId: 8, spiSize: 8, spiCount: 16 },
    octets: ["trailing"],
  },
  VendorID: { fixed: 4, numbers: PAYLOAD, octets: ["data"] },
  TS: {
    fixed: 8,
    numbers: { ...PAYLOAD, count: 8, reserved3: 24 },
    octets: ["trailing"],
    parts: ["selectors"],
  },
  SK: { fixed: 4, numbers: { ...PAYLOAD, innerType: 8 }, octets: ["data"] },
  SKF: {
    fixed: 8,
    numbers: { ...PAYLOAD, innerType: 8, fragmentNumber: 16, totalFragments: 16 },
    octets: ["data"],
  },
  CP: {
    fixed: 8,
    numbers: { ...PAYLOAD, cfgType: 8, reserved3: 24 },
    octets: ["trailing"],
    parts: ["attributes"],
  },
  EAP: { fixed: 8, numbers: { ...PAYLOAD, code: 8, identifier: 8, eapLength: 16 }, octets: ["data"] },
  GSA: { fixed: 4, numbers: PAYLOAD, octets: ["trailing"], parts: ["policies"] },
  KD: { fixed: 4, numbers: PAYLOAD, octets: ["trailing"], parts: ["bags"] },
  raw: { fixed: 4, numbers: PAYLOAD, octets: ["data"] },
  proposal: {
    fixed: 8,
    numbers: {
      ...{ last: 8, reserved: 8, length: 16, number: 8 },
      ...{ protocolId: 8, spiSize: 8, transformCount: 8 },
    },
    octets: ["spi", "trailing"],
    parts: ["transforms"],
  },
  transform: {
    fixed: 8,
    numbers: { last: 8, reserved1: 8, length: 16, type: 8, reserved2: 8, id: 16 },
    octets: ["trailing"],
    parts: ["attributes"],
  },
  attribute: { fixed: 4, numbers: { type: 15, value: 16, length: 16 }, octets: ["value"] },
  selector: {
    fixed: 8,
    numbers: { tsType: 8, ipProtocol: 8, length: 16, startPort: 16, endPort: 16 },
    octets: ["startAddress", "endAddress", "body"],
  },
  "config attribute": { fixed: 4, numbers: { reserved: 1, type: 15, length: 16 }, octets: ["data"] },
  policy: {
    fixed: 4,
    numbers: { protocolId: 8, spiSize: 8, length: 16, reserved: 8 },
    octets: ["spi", "trailing"],
    parts: ["source", "destination", "transforms", "attributes"],
  },
};

/** The content of a field, whatever part it is of. */
export const read = (part: object, field: string): unknown => Reflect.get(part, field);

export function write(part: object, field: string, content: unknown): void {
  Reflect.set(part, field, content);
}

/** Octets of a part on the wire, if no field of it lies. */
export function wireSize(part: object): number {
  const grammar = grammarOf(part);
  const { fixed, octets } = grammar;
  let size = grammar === GRAMMAR.selector && "body" in part ? 4 : fixed;
  for (const field of octets) {
    const content = read(part, field);
    if (content instanceof Uint8Array) size += content.length;
  }
  if ("spis" in part && Array.isArray(part.spis)) for (const spi of part.spis) size += spi.length;
  for (const inner of childrenOf(part)) size += wireSize(inner);
  return size;
}

const lengthOf = (content: unknown): number =>
  content instanceof Uint8Array || Array.isArray(content) ? content.length : 0;

/** Fields that count what another field holds. */
const COUNTED: { readonly [field: string]: string } = {
  spiSize: "spi",
  transformCount: "transforms",
  spiCount: "spis",
  count: "selectors",
};

/** The number that a field has: that of an honest sender where no other is set. Next Payload and Last Substruc need more than the part. */
export function numberOf(part: object, field: string): number {
  const content = read(part, field);
  if (typeof content === "number") return content;
  if (typeof content === "boolean") return Number(content);
  const counted = COUNTED[field];
  if (counted) return lengthOf(read(part, counted));
  if (field === "eapLength") return lengthOf(read(part, "data")) + 4;
  if (field !== "length") return 0;
  const kind = kindOf(part);
  return wireSize(part) - (kind === "attribute" || kind === "config attribute" ? 4 : 0);
}

/** Sets a number field, cut to what it holds. False for a field that the part does not have. */
export function setNumber(part: object, field: string, value: number): boolean {
  const { numbers } = grammarOf(part);
  const width = Object.hasOwn(numbers, field) ? numbers[field] : undefined;
  if (width === undefined || !isNumberField(part, field)) return false;
  const number = Math.min(2 ** width - 1, Math.max(0, value));
  write(part, field, field === "critical" ? number === 1 : number);
  return true;
}

/** An attribute has a number or octets, and a length only with octets. */
export function isNumberField(part: object, field: string): boolean {
  if (kindOf(part) !== "attribute") return true;
  const tlv = typeof read(part, "value") !== "number";
  return field === "value" ? !tlv : field !== "length" || tlv;
}

/** What kind of part this is, told by the fields that only it has. */
export function kindOf(part: object): string {
  // Policies and key bags have a kind, too, but no type.
  if ("kind" in part && "type" in part) return String(part.kind);
  if ("transforms" in part && "number" in part) return "proposal";
  if ("id" in part) return "transform";
  if ("tsType" in part) return "selector";
  if ("attributes" in part) return "policy";
  return "value" in part ? "attribute" : "config attribute";
}

export const grammarOf = (part: object): Grammar => GRAMMAR[kindOf(part)] ?? NOTHING;

/** Names of the number fields of every kind, for draws. */
const NUMBER_FIELDS = new Map(
  Object.entries(GRAMMAR).map(([kind, { numbers }]) => [kind, Object.keys(numbers)]),
);

export const numberFieldsOf = (part: object): readonly string[] => NUMBER_FIELDS.get(kindOf(part)) ?? [];

const NONE: readonly string[] = [];

/** The lists of parts that this part has itself. */
export function listsOf(part: object): object[][] {
  const found: object[][] = [];
  for (const field of grammarOf(part).parts ?? NONE) {
    const content = read(part, field);
    if (Array.isArray(content)) found.push(content);
  }
  return found;
}

const CHILDLESS: readonly object[] = [];

/** The parts of a part, all of them in one row. */
export function childrenOf(part: object): readonly object[] {
  const { parts = NONE } = grammarOf(part);
  const [only] = parts;
  if (only === undefined) return CHILDLESS;
  if (parts.length === 1) return partsIn(read(part, only));
  return parts.flatMap((field) => partsIn(read(part, field)));
}

function partsIn(content: unknown): readonly object[] {
  if (Array.isArray(content)) return content;
  return typeof content === "object" && content !== null ? [content] : CHILDLESS;
}
