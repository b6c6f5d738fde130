/** Which numbers and octets every payload and part of one has: the wire grammar as a table. */

/** Bits of a number field. */
export type Width = 1 | 7 | 8 | 15 | 16 | 24;

interface Grammar {
  numbers: { readonly [field: string]: Width };
  /** Fields of octets. */
  octets: readonly string[];
}

const PAYLOAD = { critical: 1, reserved: 7, length: 16, next: 8 } as const;
const NOTHING: Grammar = { numbers: {}, octets: [] };

/** By kind of payload, or of part. */
const GRAMMAR: { readonly [kind: string]: Grammar } = {
  SA: { numbers: PAYLOAD, octets: ["trailing"] },
  KE: { numbers: { ...PAYLOAD, group: 16, reserved2: 16 }, octets: ["data"] },
  ID: { numbers: { ...PAYLOAD, idType: 8, reserved3: 24 }, octets: ["data"] },
  CERT: { numbers: { ...PAYLOAD, encoding: 8 }, octets: ["data"] },
  CERTREQ: { numbers: { ...PAYLOAD, encoding: 8 }, octets: ["data"] },
  AUTH: { numbers: { ...PAYLOAD, method: 8, reserved3: 24 }, octets: ["data"] },
  Nonce: { numbers: PAYLOAD, octets: ["data"] },
  Notify: { numbers: { ...PAYLOAD, protocolId: 8, spiSize: 8, notifyType: 16 }, octets: ["spi", "data"] },
  Delete: { numbers: { ...PAYLOAD, protocolId: 8, spiSize: 8, spiCount: 16 }, octets: ["trailing"] },
  VendorID: { numbers: PAYLOAD, octets: ["data"] },
  TS: { numbers: { ...PAYLOAD, count: 8, reserved3: 24 }, octets: ["trailing"] },
  SK: { numbers: { ...PAYLOAD, innerType: 8 }, octets: ["data"] },
  SKF: {
    numbers: { ...PAYLOAD, innerType: 8, fragmentNumber: 16, totalFragments: 16 },
    octets: ["data"],
  },
  CP: { numbers: { ...PAYLOAD, cfgType: 8, reserved3: 24 }, octets: ["trailing"] },
  EAP: { numbers: { ...PAYLOAD, code: 8, identifier: 8, eapLength: 16 }, octets: ["data"] },
  GSA: { numbers: PAYLOAD, octets: ["trailing"] },
  KD: { numbers: PAYLOAD, octets: ["trailing"] },
  raw: { numbers: PAYLOAD, octets: ["data"] },
  proposal: {
    numbers: {
      ...{ last: 8, reserved: 8, length: 16, number: 8 },
      ...{ protocolId: 8, spiSize: 8, transformCount: 8 },
    },
    octets: ["spi", "trailing"],
  },
  transform: {
    numbers: { last: 8, reserved1: 8, length: 16, type: 8, reserved2: 8, id: 16 },
    octets: ["trailing"],
  },
  attribute: { numbers: { type: 15, value: 16, length: 16 }, octets: ["value"] },
  selector: {
    numbers: { tsType: 8, ipProtocol: 8, length: 16, startPort: 16, endPort: 16 },
    octets: ["startAddress", "endAddress", "body"],
  },
  "config attribute": { numbers: { reserved: 1, type: 15, length: 16 }, octets: ["data"] },
  policy: {
    numbers: { protocolId: 8, spiSize: 8, length: 16, reserved: 8 },
    octets: ["spi", "trailing"],
  },
};

/** The content of a field, whatever part it is of. */
export const read = (part: object, field: string): unknown => Reflect.get(part, field);

export function write(part: object, field: string, content: unknown): void {
  Reflect.set(part, field, content);
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

/** Fields that hold parts, in the order in which the parts stand on the wire. */
const LISTS = [
  "proposals",
  "source",
  "destination",
  "transforms",
  "selectors",
  "attributes",
  "policies",
  "bags",
];

/** The lists of parts that this part has itself. */
export function listsOf(part: object): object[][] {
  return LISTS.flatMap((field) => {
    const content = read(part, field);
    return Array.isArray(content) ? [content] : [];
  });
}

/** The parts of a part, all of them in one row. */
export function childrenOf(part: object): object[] {
  return LISTS.flatMap((field): object[] => {
    const content = read(part, field);
    if (Array.isArray(content)) return content;
    return typeof content === "object" && content !== null ? [content] : [];
  });
}
