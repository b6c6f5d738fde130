/** What is compared: labelled fields without what the rules leave out. */
import { type FieldNode, PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import type { DiffRules } from "./rules.ts";

/** A payload, a part of one or a field, as far as it is compared. */
export interface Part {
  /** See {@link FieldNode}, also for the next five. */
  name: string;
  variant?: string;
  detail?: string;
  numbered?: true;
  ordinary?: string;
  /** Of a field: what a reader sees of it. */
  value?: string;
  /** Of a field: what is compared of it, where that is not nothing. */
  compared?: string;
  /** Of an Encrypted payload: it could not be opened. */
  closed?: true;
  /** Equal for two parts that do not differ. */
  key: string;
  children: Part[];
}

/** Of longer lists of payloads, or of parts of one, only the number of the further ones is compared: a bomb has 250,000. */
export const MOST_PARTS = 16_384;

/** The parts of nodes at a path of names, without those that are not compared. */
export function partsOf(nodes: readonly FieldNode[], above: string, rules: DiffRules): Part[] {
  const positions = new Map<string, number>();
  const parts = nodes.slice(0, MOST_PARTS).flatMap((node): Part[] => {
    const position = (positions.get(node.name) ?? 0) + 1;
    positions.set(node.name, position);
    const part = partOf(node, above, rules, position);
    return part ? [part] : [];
  });
  return nodes.length > MOST_PARTS ? [...parts, furtherParts(nodes.length - MOST_PARTS)] : parts;
}

function furtherParts(count: number): Part {
  const [name, value] = ["further parts", String(count)];
  return { name, value, compared: value, key: keyOf(name, [], value), children: [] };
}

function partOf(node: FieldNode, above: string, rules: DiffRules, position: number): Part | undefined {
  const path = above === "" ? node.name : `${above}${PATH_SEPARATOR}${node.name}`;
  const compare = rules.compared(path);
  if (compare === "nothing") return undefined;
  const children = compare === "all" ? partsOf(node.children, path, rules) : [];
  if (node.numbered) numberByPlace(children, position);
  const value = compare === "length" ? lengthText(node) : node.value;
  const compared = compare === "presence" ? undefined : value;
  const { name, variant, detail, numbered, ordinary } = node;
  return {
    ...{ name, children },
    ...(variant !== undefined && { variant }),
    ...(detail !== undefined && { detail }),
    ...(numbered && { numbered }),
    ...(ordinary !== undefined && { ordinary }),
    ...(value !== undefined && { value }),
    ...(compared !== undefined && { compared }),
    key: keyOf(name, children, compared),
  };
}

const lengthText = ({ octets, value }: FieldNode): string | undefined =>
  octets === undefined ? value : octets === 1 ? "1 octet" : `${octets} octets`;

/** Of parts that are numbered by their place: a number that fits the place is none of its own. */
function numberByPlace(children: readonly Part[], position: number): void {
  for (const child of children) {
    if (child.name !== "number" || child.value !== String(position)) continue;
    child.compared = "place";
    child.key = keyOf(child.name, [], child.compared);
  }
}

/** Built as JSON is, so that no text of a peer can look like two parts. */
export const keyOf = (name: string, children: readonly Part[], value?: string): string =>
  `${JSON.stringify(name)}${value === undefined ? "" : `=${JSON.stringify(value)}`}{${children.map((c) => c.key).join()}}`;
