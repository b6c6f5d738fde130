/**
 * ESP SAs as they are compared: by sender and in order of appearance, with the kinds of packets they carried. How many,
 * how long and in which order is a matter of timing.
 */
import { type FieldNode, nodesOfFields } from "../../harness/wire/fields.ts";
import { ipProtocols } from "../../harness/wire/registry/esp-numbers.ts";
import type { FieldTree, View } from "../view.ts";
import { type Part, partsOf } from "./part.ts";
import type { DiffRules } from "./rules.ts";

/** ESP SAs of a capture that are told apart. */
const MOST_SAS = 20_000;
/** Different values of a field that are listed; of more, which come first is a matter of timing. */
const MOST_VALUES = 16;

interface EspState {
  from: View["from"];
  spi: string;
  packets: number;
  /** Of the first packet. */
  index: number;
  at: number;
  values: Map<string, Set<string>>;
}

/** An ESP SA, in words that fit the same one of another capture. */
export interface EspSa {
  label: string;
  parts: Part[];
  index: number;
  at: number;
}

/** The ESP packets of one capture. */
export class EspSas {
  readonly #sas = new Map<string, EspState>();

  take(view: View, index: number): void {
    const [packet] = view.clear;
    const spi = String(packet?.spi ?? "");
    const key = `${view.from} ${spi}`;
    const known = this.#sas.get(key);
    if (!known && this.#sas.size >= MOST_SAS) return;
    const sa = known ?? { from: view.from, spi, packets: 0, index, at: view.at, values: new Map() };
    if (!known) this.#sas.set(key, sa);
    sa.packets += 1;
    note(sa, "encapsulation", encapsulationOf(view));
    note(sa, "inner packets", view.inner ? kindOf(view.inner) : "closed");
    if (!view.inner) return;
    const [trailer, inner] = view.inner;
    note(sa, "padding", `${String(trailer?.padding ?? "").length >>> 1}`);
    if (inner?.source !== undefined)
      note(sa, "inner addresses", `${String(inner.source)} to ${String(inner.destination)}`);
  }

  /** `first` is who began: the initiator. */
  all(first: View["from"], rules: DiffRules): EspSa[] {
    const counts = new Map<string, number>();
    return [...this.#sas.values()].map((sa) => {
      const sender = sa.from === first ? "initiator" : "responder";
      const number = (counts.get(sender) ?? 0) + 1;
      counts.set(sender, number);
      const parts = partsOf(nodesOf(sa), "ESP", rules);
      const label = `ESP SA${number === 1 ? "" : ` ${number}`} from ${sender}`;
      return { label, parts, index: sa.index, at: sa.at };
    });
  }
}

function note(sa: EspState, field: string, value: string): void {
  const values = sa.values.get(field);
  if (!values) sa.values.set(field, new Set([value]));
  else if (values.size <= MOST_VALUES) values.add(value);
}

const nodesOf = (sa: EspState): FieldNode[] => [
  ...nodesOfFields({ spi: sa.spi }),
  ...nodesOfFields({ packets: sa.packets }),
  ...[...sa.values].map(([name, values]) => ({ name, value: listText(values), children: [] })),
];

const listText = (values: ReadonlySet<string>): string =>
  values.size > MOST_VALUES ? `more than ${MOST_VALUES}` : [...values].sort().join(", ");

/** Ports tell ESP in UDP from ESP on IP; event streams do not have them. */
function encapsulationOf({ note: said, source }: View): string {
  if (said?.split(", ").includes("TCP")) return "TCP";
  return source !== undefined && /(^[\d.]+|\]):\d+$/.test(source) ? "UDP" : "none";
}

/** As in `IPV4 ICMP 8`: next header, and inside of IP the protocol and the type of ICMP. */
function kindOf([trailer, inner]: readonly FieldTree[]): string {
  const next = Number(trailer?.nextHeader);
  const kind = String(inner?.kind ?? "");
  const isIp = kind.startsWith("IP");
  const protocol = isIp ? Number(inner?.protocol) : next;
  const isIcmp = protocol === ICMP || protocol === ICMPV6;
  const type = isIcmp ? ` ${Number.parseInt(String(inner?.data ?? "").slice(0, 2), 16)}` : "";
  return `${isIp ? `${ipProtocols.nameOf(next)} ` : ""}${ipProtocols.nameOf(protocol)}${type}`;
}

const ICMP = 1;
const ICMPV6 = 58;
