/** An IKE message as it is compared: header, payloads in clear, and what is inside of SK. */
import { createHash } from "node:crypto";
import { type FieldNode, nodeOfPayload, nodesOfFields, PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import type { Tree } from "../../harness/wire/text.ts";
import { FLAG } from "../../harness/wire/types.ts";
import type { FieldTree, View } from "../view.ts";
import { keyOf, MOST_PARTS, type Part, partsOf } from "./part.ts";
import type { DiffRules } from "./rules.ts";

/** What messages that do not differ have in common. */
export interface Shape {
  parts: Part[];
  /** Names of the payloads, those of SK too: what two messages that belong together share most of. */
  names: string[];
  /** A digest: equal for messages that do not differ. */
  key: string;
}

/** Shapes that are kept to be shared; a handshake like a thousand others costs nothing. */
const MOST_SHARED = 4096;

/** Makes shapes, each of them once as long as it is in use. */
export class Shapes {
  readonly #rules: DiffRules;
  readonly #shared = new Map<string, Shape>();

  constructor(rules: DiffRules) {
    this.#rules = rules;
  }

  /** `label` is the first label of paths for rules, as in `IKE_AUTH request`; `further` are fields beside the header. */
  of(view: View, label: string, further: readonly FieldNode[]): Shape {
    const parts = partsOf([headerNode(view), ...payloadNodes(view), ...further], label, this.#rules);
    for (const part of parts) if (part.name === "SK" && view.inner === undefined) part.closed = true;
    const key = createHash("sha1").update(keyOf(label, parts)).digest("base64");
    const known = this.#shared.get(key);
    if (known) return known;
    const shape = { parts, names: namesOf(parts), key };
    if (this.#shared.size >= MOST_SHARED) this.#shared.clear();
    this.#shared.set(key, shape);
    return shape;
  }

  /** Whether rules leave out the message as a whole. */
  ignores(label: string): boolean {
    return this.#rules.compared(label) === "nothing";
  }
}

const HEADER_NAMES = { spiI: "SPI of initiator", spiR: "SPI of responder", messageId: "message ID" };
const SPI_FIELDS = new Set(["SPI of initiator", "SPI of responder"]);

/** The header, without the exchange type, which is in the name of the message. */
export function headerNode({ header = {} }: View): FieldNode {
  const { exchangeType: _, flags, version, ...others } = header;
  const nodes = nodesOfFields(others, { ...HEADER_NAMES, nextPayload: "next payload" }).map(withOctets);
  return {
    name: "header",
    children: [
      ...nodes,
      ...(typeof version === "number" ? [hexNode("version", version)] : []),
      ...(typeof flags === "number" ? [hexNode("flags", flags)] : []),
    ],
  };
}

const withOctets = (node: FieldNode): FieldNode =>
  SPI_FIELDS.has(node.name)
    ? { ...node, value: `0x${node.value}`, octets: (node.value?.length ?? 0) >>> 1 }
    : { ...node, ...(node.name === "next payload" && { ordinary: "fitting" }) };

const hexNode = (name: string, value: number): FieldNode => ({
  ...{ name, value: `0x${value.toString(16).padStart(2, "0")}`, children: [] },
});

/** Payloads in clear, and as `SK` what is encrypted, opened or not, in fragments or not. */
function payloadNodes(view: View): FieldNode[] {
  const { clear, inner } = view;
  const nodes = nodesOf(clear.filter((tree) => !isSealed(tree)));
  const sealed = clear.find(isSealed);
  const fragments = fragmentsOf(view, sealed);
  if (inner) return [...nodes, { name: "SK", children: [...fragments, ...nodesOf(inner)] }];
  if (!sealed) return nodes;
  const children = nodeOfPayload(sealed).children.filter(({ name }) => !FRAGMENT_FIELDS.has(name));
  return [...nodes, { name: "SK", children: [...fragments, ...children] }];
}

/** Payloads that are not compared one by one are not read either. */
const nodesOf = (trees: readonly FieldTree[]): FieldNode[] =>
  trees.map((tree, index) => (index <= MOST_PARTS ? nodeOfPayload(tree) : UNREAD));
const UNREAD: FieldNode = { name: "payload", children: [] };

const isSealed = ({ kind }: FieldTree): boolean => kind === "SK" || kind === "SKF";

const FRAGMENT_FIELDS = new Set(["fragment number", "total fragments"]);

function fragmentsOf({ note }: View, sealed: FieldTree | undefined): FieldNode[] {
  const count = sealed?.totalFragments ?? /(?:^|, )(\d+) fragments/.exec(note ?? "")?.[1];
  return count === undefined
    ? []
    : [{ name: "fragments", value: String(count), ordinary: "none", children: [] }];
}

const namesOf = (parts: readonly Part[]): string[] =>
  parts.flatMap((part) =>
    part.value !== undefined || part.name === "header"
      ? []
      : part.name === "SK" && !part.closed
        ? namesOf(part.children)
        : [part.name],
  );

/** Where a message stands in its exchange. */
export interface Place {
  exchange: string;
  isResponse: boolean;
  messageId: number;
  /** Of the IKE SA; `initiator` is not set where the header tells no flags. */
  spiI: string;
  spiR: string;
  initiator?: boolean;
}

const textOf = (tree: Tree | undefined): string => (typeof tree === "string" ? tree : "");

/** Undefined for what has no header of IKE. */
export function placeOf({ header, text }: View): Place | undefined {
  if (!header) return undefined;
  const { flags, messageId, spiI, spiR } = header;
  return {
    exchange: textOf(header.exchangeType),
    isResponse: typeof flags === "number" ? (flags & FLAG.response) !== 0 : IS_RESPONSE.test(text),
    messageId: Number(messageId ?? 0),
    ...{ spiI: textOf(spiI), spiR: textOf(spiR) },
    ...(typeof flags === "number" && { initiator: (flags & FLAG.initiator) !== 0 }),
  };
}

/** What a message's line begins with where its flags are not known. */
const IS_RESPONSE = /^\S+( \S+)? response \d/;

/** The first label of paths for rules. */
export const labelOf = ({ exchange, isResponse }: Place): string =>
  `${exchange.replaceAll(PATH_SEPARATOR, " ")} ${isResponse ? "response" : "request"}`;
