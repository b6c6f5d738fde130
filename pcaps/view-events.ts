/**
 * The views of a test, from the event stream that is kept beside its capture: there everything is open, whatever keys
 * Wireshark knows. Streams of other versions and damaged ones are read as far as they go.
 */
import type { Tree } from "../harness/wire/text.ts";
import type { FieldTree, View, ViewFinding } from "./view.ts";
import { espContent } from "./view-inner.ts";
import { arrivedView, octetsOf, rawParts } from "./view-raw.ts";

/** A line of an event stream. */
export type EventTree = FieldTree & { at: number; event: string };

/** Of `events.jsonl`. Never throws: a line that cannot be read becomes a view that says so. */
export function viewsOfEvents(jsonl: string): View[] {
  const reader = new EventReader();
  for (const [index, line] of jsonl.split("\n").entries())
    if (line.trim() !== "") reader.take(parsed(line), index + 1);
  return reader.views();
}

/** Of events that never were text. */
export function viewsOfTrees(trees: readonly EventTree[]): View[] {
  const reader = new EventReader();
  for (const [index, tree] of trees.entries()) reader.take(tree, index + 1);
  return reader.views();
}

function parsed(line: string): EventTree | undefined {
  try {
    const tree = asTree(JSON.parse(line));
    return tree && typeof tree.at === "number" && typeof tree.event === "string"
      ? { ...tree, at: tree.at, event: tree.event }
      : undefined;
  } catch {
    return undefined;
  }
}

const asTree = (value: Tree | undefined): FieldTree | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;

const asTrees = (value: Tree | undefined): FieldTree[] =>
  Array.isArray(value) ? value.map(asTree).filter((tree) => tree !== undefined) : [];

const asText = (value: Tree | undefined, otherwise = ""): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : otherwise;

const asNumber = (value: Tree | undefined): number | undefined =>
  typeof value === "number" ? value : undefined;

/** A message that was announced and whose datagrams follow. */
interface Owed {
  view: View;
  datagrams: number;
}

class EventReader {
  readonly #views: View[] = [];
  /** Views of datagrams that something else turned out to be the view of. */
  readonly #covered = new Set<View>();
  /** Datagrams that went, by side. */
  readonly #gone = { left: new Set<string>(), right: new Set<string>() };
  #owed?: Owed;
  /** The datagram that came last, until it is said what came of it. */
  #arrived?: View;
  /** Fragments that came, of messages that are not complete. */
  #fragments: View[] = [];
  #timeMs = 0;
  /** Views before the verdict; not set until it is found. */
  #judged?: number;

  views(): View[] {
    for (const view of this.#views.slice(this.#judged ?? this.#views.length)) {
      view.late = true;
      view.note = ["after the verdict", view.note].filter(Boolean).join(", ");
    }
    return this.#views.filter((view) => !this.#covered.has(view));
  }

  /** `tree` is not set for a line that cannot be read. */
  take(tree: EventTree | undefined, at: number): void {
    if (!tree) {
      const text = `line ${at} of the event stream cannot be read`;
      this.#views.push({ at, timeMs: this.#timeMs, from: "left", kind: "other", text, clear: [] });
      return;
    }
    this.#timeMs = tree.at;
    if (tree.event === "judged") this.#judged ??= this.#views.length;
    if (tree.event === "datagram-sent") return this.#sent(tree, at);
    if (tree.event === "datagram-received") return this.#received(tree, at);
    if (this.#owed?.datagrams === Number.POSITIVE_INFINITY) this.#owed = undefined;
    const make = Object.hasOwn(VIEWS, tree.event) ? VIEWS[tree.event] : undefined;
    if (!make) return;
    const view: View = { at, timeMs: tree.at, ...make(tree) };
    if (view.from === "left") this.#owed = { view, datagrams: datagramsOf(tree) };
    else this.#cover(view, tree);
    this.#views.push(view);
  }

  /** The view takes the place of the datagram it came in, and of all fragments of its message. */
  #cover(view: View, { fragments, messageId, response, spiI }: EventTree): void {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    if (arrived) {
      view.source = arrived.source;
      view.destination = arrived.destination;
      if (view.dropped) Object.assign(view, rest(arrived));
      if (view.dropped && arrived.again) markAgain(view);
      this.#covered.add(arrived);
    }
    if (asNumber(fragments) === undefined) return;
    const isOf = ({ header, text }: View) =>
      header?.spiI === spiI && header?.messageId === messageId && text.includes("response") === response;
    for (const each of this.#fragments.filter(isOf)) this.#covered.add(each);
    this.#fragments = this.#fragments.filter((each) => !isOf(each));
  }

  #sent(tree: EventTree, at: number): void {
    const again = this.#isRepeated("left", tree);
    const [source, destination] = [asText(tree.source), asText(tree.destination)];
    const owed = this.#owed;
    if (owed && owed.datagrams > 0) {
      owed.datagrams -= 1;
      Object.assign(owed.view, { source, destination });
      if (again) markAgain(owed.view);
      return;
    }
    const view: View = { at, timeMs: tree.at, source, destination, from: "left", ...rawParts(tree) };
    if (again) markAgain(view);
    else view.note = "raw datagram";
    this.#views.push(view);
  }

  #received(tree: EventTree, at: number): void {
    const view = arrivedView(tree, at);
    if (this.#isRepeated("right", tree)) markAgain(view);
    if (view.clear.some(({ kind }) => kind === "SKF")) this.#fragments.push(view);
    this.#views.push(view);
    this.#arrived = view;
  }

  #isRepeated(side: View["from"], { data }: EventTree): boolean {
    const octets = asText(data);
    const isRepeated = this.#gone[side].has(octets);
    this.#gone[side].add(octets);
    return isRepeated;
  }
}

/** What a view of a datagram tells of its content. */
const rest = ({ kind, text, header, clear }: View) => ({
  ...{ kind, text, clear },
  ...(header && { header }),
});

function markAgain(view: View): void {
  view.again = true;
  if (!view.note?.includes(RETRANSMISSION))
    view.note = [RETRANSMISSION, view.note].filter(Boolean).join(", ");
}

const RETRANSMISSION = "retransmission";

/** Streams of before do not tell; then it is all that follow at once. */
const datagramsOf = ({ event, datagrams }: EventTree): number =>
  event === "sent" ? (asNumber(datagrams) ?? Number.POSITIVE_INFINITY) : 1;

type Made = Omit<View, "at" | "timeMs">;

const VIEWS: Readonly<Record<string, (tree: EventTree) => Made>> = {
  sent: (tree) => messageView(tree, "left", (asNumber(tree.copy) ?? 0) > 0),
  received: (tree) => messageView(tree, "right", tree.repeated === true),
  dropped: (tree) => ({
    ...{ from: "right", ...rawParts(tree), source: asText(tree.from) },
    ...{ dropped: true, note: `not acted on: ${asText(tree.reason)}` },
  }),
  "esp-sent": (tree) => espView(tree, "left", tree.inner),
  "esp-received": (tree) =>
    tree.dropped === undefined ? espView(tree, "right", tree.payload) : espDropped(tree),
  keepalive: () => ({ from: "right", kind: "other", text: "NAT keepalive", clear: [] }),
};

function messageView(tree: EventTree, from: View["from"], again: boolean): Made {
  const { exchange, response, messageId, fragments } = tree;
  const payloads = asTrees(tree.payloads);
  const isSealed = tree.protected === true;
  const findings = findingsOf(tree.findings);
  const notes = [
    ...(again ? [RETRANSMISSION] : []),
    ...(fragments === undefined ? [] : [`${asText(fragments)} fragments`]),
    ...(tree.datagrams === 0 ? ["not sent"] : []),
  ];
  const name = `${asText(exchange)} ${response === true ? "response" : "request"} ${asText(messageId)}`;
  return {
    ...{ from, kind: "ike", text: asText(tree.text, `${name}: ${listed(payloads, isSealed)}`) },
    ...(notes.length > 0 && { note: notes.join(", ") }),
    ...(again && { again: true }),
    header: headerOf(tree),
    clear: isSealed ? asTrees(tree.clear) : [...asTrees(tree.clear), ...payloads],
    ...(isSealed && { inner: payloads }),
    ...(findings.length > 0 && { findings }),
  };
}

const NOT_OF_HEADER = new Set(
  "at event exchange response text protected copy repeated datagrams fragments clear payloads findings".split(
    " ",
  ),
);

const headerOf = (tree: EventTree): FieldTree => ({
  exchangeType: tree.exchange ?? "",
  ...Object.fromEntries(Object.entries(tree).filter(([field]) => !NOT_OF_HEADER.has(field))),
});

/** For streams of before, whose events have no text. */
function listed(payloads: readonly FieldTree[], isSealed: boolean): string {
  const list = payloads.map(({ kind, type, notifyType }) =>
    kind === "Notify" ? `N(${asText(notifyType)})` : asText(kind === "ID" ? type : kind),
  );
  return isSealed ? `SK { ${list.join(" ")} }` : list.join(" ");
}

const findingsOf = (value: Tree | undefined): ViewFinding[] =>
  asTrees(value).map(({ offset, field, reason }) => ({
    ...{ offset: asNumber(offset) ?? 0, field: asText(field), reason: asText(reason) },
  }));

function espView(tree: EventTree, from: View["from"], content: Tree | undefined): Made {
  const { text, trees } = espContent(asNumber(tree.nextHeader) ?? 0, octetsOf(content));
  return { from, kind: "esp", text: `${espText(tree)}: ${text}`, clear: [espTree(tree)], inner: trees };
}

const espDropped = (tree: EventTree): Made => ({
  ...{
    from: "right",
    kind: "esp",
    text: `ESP, ${asText(tree.octets, "some")} octets`,
    clear: [espTree(tree)],
  },
  ...{ dropped: true, note: `dropped: ${asText(tree.detail)}` },
});

/** Streams of before tell the SPI of what was sent, and the number of what came. */
function espText({ spi, sequence }: EventTree): string {
  const number = sequence === undefined ? "" : ` number ${asText(sequence)}`;
  if (spi === undefined) return `ESP${number}`;
  return `ESP ${asText(spi).padStart(8, "0")}${number}`;
}

const espTree = ({ spi, sequence, octets }: EventTree): FieldTree => ({
  kind: "ESP",
  ...(spi !== undefined && { spi: asText(spi).padStart(8, "0") }),
  ...(sequence !== undefined && { sequence: asText(sequence) }),
  ...(octets !== undefined && { octets }),
});
