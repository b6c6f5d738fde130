import { expect } from "chai";
import fc from "fast-check";
import type { FieldTree, View } from "../view.ts";
import { compareViews, diffViews as diffByRules, MOST_LISTED } from "./diff.ts";
import { MOST_PARTS } from "./part.ts";
import { DiffRules, joinRuleSets, ordinaryRuleSets } from "./rules.ts";
import type { Difference } from "./types.ts";

const RULES = new DiffRules();
const diffViews = (a: View[], b: View[], rules = RULES): Difference[] => diffByRules(a, b, rules);

interface Said {
  exchange: string;
  id: number;
  payloads?: FieldTree[];
  isResponse?: boolean;
  by?: "left" | "right";
  spi?: string;
  again?: true;
}

const notify = (notifyType: string, data = ""): FieldTree => ({
  ...{ kind: "Notify", type: "NOTIFY", protocolId: "NONE", spi: "", notifyType, data },
});

function message({
  exchange,
  id,
  payloads = [],
  isResponse = false,
  by = "left",
  spi = "11",
  again,
}: Said): View {
  const fromInitiator = by === "left";
  const flags = (fromInitiator ? 0x08 : 0) | (isResponse ? 0x20 : 0);
  const isInit = exchange === "IKE_SA_INIT";
  const spiR = isInit && !isResponse ? "00" : "22";
  return {
    ...{ at: 1, timeMs: 0, from: by, kind: "ike", clear: isInit ? payloads : [] },
    ...(isInit ? {} : { inner: payloads }),
    ...(again && { again }),
    text: `${exchange} ${isResponse ? "response" : "request"} ${id}: x`,
    header: { spiI: spi, spiR, version: 32, exchangeType: exchange, flags, messageId: id },
  };
}

/** A request and its response. */
function exchange(said: Said, answer: FieldTree[] = []): View[] {
  const by = said.by === "right" ? "left" : "right";
  return [message(said), message({ ...said, payloads: answer, isResponse: true, by })];
}

const INIT = exchange({ exchange: "IKE_SA_INIT", id: 0, payloads: [notify("COOKIE", "01")] });
const info = (id: number, ...payloads: FieldTree[]): View[] =>
  exchange({ exchange: "INFORMATIONAL", id, payloads });

const lines = (found: Difference[]): string[] =>
  found.map(({ kind, path, a, b }) => `${kind} ${path}: ${a ?? "-"} -> ${b ?? "-"}`);

describe("diffViews", () => {
  it("calls an added exchange one difference, whatever Message IDs follow", () => {
    const a = [...INIT, ...info(1, notify("INITIAL_CONTACT")), ...info(2, notify("AUTH_LIFETIME", "0e"))];
    const b = [
      ...[...INIT, ...info(1, notify("INITIAL_CONTACT")), ...info(2)],
      ...info(3, notify("AUTH_LIFETIME", "0e")),
    ];
    expect(lines(diffViews(a, b))).to.deep.equal([
      "added INFORMATIONAL exchange #2: - -> no payloads / no payloads",
    ]);
  });

  it("says where an exchange has gone", () => {
    const [first, second] = [info(1, notify("INITIAL_CONTACT")), info(2, notify("AUTH_LIFETIME", "0e"))];
    const found = diffViews([...INIT, ...first, ...second], [...INIT, ...second, ...first]);
    expect(found.map(({ kind }) => kind)).to.deep.equal(["reordered"]);
  });

  it("keeps interleaved IKE SAs apart, and the exchanges of the two ends", () => {
    const other = { exchange: "INFORMATIONAL", id: 1, spi: "33" };
    const second = exchange({ exchange: "IKE_SA_INIT", id: 0, spi: "33" });
    const right = exchange({
      exchange: "INFORMATIONAL",
      id: 0,
      by: "right",
      payloads: [notify("COOKIE2", "aa")],
    });
    const [mine, yours] = [info(1), exchange(other)];
    const a = [...INIT, ...second, ...mine, ...yours, ...right];
    expect(diffViews(a, [...INIT, ...second, ...right, ...yours, ...mine])).to.deep.equal([]);
    const changed = exchange({ ...other, payloads: [notify("COOKIE2")] });
    expect(lines(diffViews(a, [...INIT, ...second, ...mine, ...changed, ...right]))).to.deep.equal([
      "added IKE SA 2 > INFORMATIONAL request > SK > N(COOKIE2): - -> -",
    ]);
    expect(lines(diffViews(a, [...INIT, ...second, ...mine, ...yours]))).to.deep.equal([
      "missing INFORMATIONAL exchange by responder: N(COOKIE2) / no payloads -> -",
    ]);
  });

  it("names a request that stays without response", () => {
    const a = [...INIT, ...info(1)];
    expect(lines(diffViews(a, a.slice(0, -1)))).to.deep.equal([
      "missing INFORMATIONAL response: no payloads -> -",
    ]);
  });

  it("leaves copies out unless asked", () => {
    const copy = message({ exchange: "IKE_SA_INIT", id: 0, payloads: [notify("COOKIE", "01")], again: true });
    const b = [INIT[0]!, copy, INIT[1]!];
    expect(diffViews(INIT, b)).to.deep.equal([]);
    const rules = new DiffRules(ordinaryRuleSets().filter(({ name }) => name !== "retransmissions"));
    expect(diffViews(INIT, b, rules).map(({ kind, path }) => `${kind} ${path}`)).to.deep.equal([
      "added retransmission of IKE_SA_INIT request",
    ]);
  });

  it("compares what sets leave out when they are not applied, and what a set of one's own leaves out not", () => {
    const b = exchange({ exchange: "IKE_SA_INIT", id: 0, payloads: [notify("COOKIE", "02")] });
    expect(diffViews(INIT, b)).to.deep.equal([]);
    expect(lines(diffViews(INIT, b, new DiffRules([])))).to.deep.equal([
      "changed IKE_SA_INIT request > N(COOKIE) > data: 0x01 -> 0x02",
    ]);
    const more = exchange({ exchange: "IKE_SA_INIT", id: 0, payloads: [notify("COOKIE"), notify("ODD")] });
    const own = [{ name: "own", about: "", rules: [{ path: "** > N(ODD)", compare: "nothing" as const }] }];
    expect(diffViews(INIT, more, new DiffRules(joinRuleSets(ordinaryRuleSets(), own)))).to.deep.equal([]);
  });

  it("leave out by patterns that fit nowhere without trying for ever", () => {
    const b = exchange({ exchange: "IKE_SA_INIT", id: 0, payloads: [notify("COOKIE", "02")] });
    for (const path of [`${"** > ".repeat(40)}z`, `${"*".repeat(60)}z`]) {
      const own = new DiffRules([{ name: "own", about: "", rules: [{ path, compare: "nothing" }] }]);
      expect(diffViews(INIT, b, own).length).to.be.above(0);
    }
  });

  it("lists so many differences and counts the rest", () => {
    const payloads = Array.from({ length: 11_000 }, (_, n) => notify(`unknown(${n})`));
    const { differences, more } = compareViews(INIT, [...INIT, ...info(1, ...payloads)], RULES);
    expect([differences.length, more]).to.deep.equal([1, 0]);
    const many = compareViews([...INIT, ...info(1)], [...INIT, ...info(1, ...payloads)], RULES);
    expect([many.differences.length, many.more]).to.deep.equal([MOST_LISTED, 1000]);
  });

  it("compares of the payloads behind the first thousands only how many they are", () => {
    const many = (count: number) => info(1, ...Array.from({ length: count }, () => notify("AUTH_LIFETIME")));
    expect(diffViews([...INIT, ...many(20_000)], [...INIT, ...many(20_000)])).to.deep.equal([]);
    expect(lines(diffViews([...INIT, ...many(20_001)], [...INIT, ...many(20_003)]))).to.deep.equal([
      `changed INFORMATIONAL request > SK > further parts: ${20_001 - MOST_PARTS} -> ${20_003 - MOST_PARTS}`,
    ]);
  });

  it("lets go of long conversations piece by piece", () => {
    const long = (data: string): View[] =>
      Array.from({ length: 3000 }, (_, n) => info(n + 1, notify("AUTH_LIFETIME", data))).flat();
    const found = diffViews([...INIT, ...long("01")], [...INIT, ...long("02")]);
    expect(found.length).to.equal(3000);
    expect(new Set(found.map(({ kind }) => kind))).to.deep.equal(new Set(["changed"]));
  });
});

const PAYLOADS = fc.array(
  fc.constantFrom(...["A", "B", "C"].map((name) => notify(name)), notify("A", "ff"), {
    kind: "Nonce",
    type: "NONCE",
    data: "0011",
  }),
  { maxLength: 5 },
);

const CONVERSATION = fc
  .array(
    fc.record({ type: fc.constantFrom("IKE_AUTH", "INFORMATIONAL"), request: PAYLOADS, answer: PAYLOADS }),
    {
      maxLength: 6,
    },
  )
  .map((exchanges) => [
    ...INIT,
    ...exchanges.flatMap(({ type, request, answer }, n) =>
      exchange({ exchange: type, id: n + 1, payloads: request }, answer),
    ),
  ]);

const TURNED = { added: "missing", missing: "added", changed: "changed", reordered: "reordered" } as const;

describe("diffViews of any two", () => {
  it("is empty for two that are one", () => {
    fc.assert(
      fc.property(CONVERSATION, (a) => {
        expect(diffViews(a, a)).to.deep.equal([]);
      }),
    );
  });

  it("is the same the other way round", () => {
    fc.assert(
      fc.property(CONVERSATION, CONVERSATION, (a, b) => {
        const there = diffViews(a, b).map(({ kind, path, a: x, b: y }) => `${kind} ${path} ${x} ${y}`);
        const back = diffViews(b, a).map(({ kind, path, a: x, b: y }) => `${TURNED[kind]} ${path} ${y} ${x}`);
        expect(back.sort()).to.deep.equal(there.sort());
      }),
      { numRuns: 100 },
    );
  });

  it("throws at no tree", () => {
    const tree = fc.dictionary(
      fc.constantFrom("kind", "type", "proposals", "selectors", "data", "x"),
      fc.jsonValue(),
    );
    const kind = fc.constantFrom("SA", "TS", "CP", "EAP", "GSA", "KD", "Delete", "SK", "SKF", "ID", "odd");
    const payload = fc.tuple(tree, kind).map(([fields, name]) => ({ ...fields, kind: name }) as FieldTree);
    const views = fc
      .array(fc.record({ header: tree, clear: fc.array(payload), inner: fc.array(payload) }), {
        maxLength: 4,
      })
      .map((list) =>
        list.map(({ header, clear, inner }, n): View => {
          const kindOf = n % 2 === 0 ? "ike" : "esp";
          return { ...INIT[0]!, kind: kindOf, header: header as FieldTree, clear, inner };
        }),
      );
    fc.assert(
      fc.property(views, views, (a, b) => {
        expect(diffViews(a, b)).to.be.an("array");
      }),
    );
  });
});
