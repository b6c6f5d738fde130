import { expect } from "chai";
import fc from "fast-check";
import { validateXML } from "xmllint-wasm";
import { ladderSvg, type Mark } from "./ladder-svg.ts";
import type { View } from "./view.ts";

const TITLES = { title: "a test", left: "us", right: "peer" };

const view = (over: Partial<View> = {}): View => ({
  ...{ at: 1, timeMs: 0, from: "left", kind: "ike", text: "IKE_AUTH request 1: SK { SA }", clear: [] },
  ...over,
});

const transform = (type: string, id: string, bits?: number) => ({
  ...{ type, id, attributes: bits === undefined ? [] : [{ type: "KEY_LENGTH", value: bits }] },
});
const SA = {
  kind: "SA",
  proposals: [
    {
      ...{ number: 1, protocolId: "ESP", spi: "c0ffee01" },
      transforms: [transform("ENCR", "AES_GCM_16", 256), transform("SN", "SEQUENTIAL_32")],
    },
  ],
};
const notify = (notifyType: string, data = "") => ({
  kind: "Notify",
  notifyType,
  protocolId: "NONE",
  spi: "",
  data,
});

/** Text of the lines, without markup and tooltips. */
const linesOf = (svg: string): string[] =>
  [...svg.replace(/<title>.*?<\/title>/gs, "").matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, inner = ""]) =>
    inner.replace(/<[^>]+>/g, ""),
  );

const draw = (views: View[], marks: [number, Mark][] = []): string =>
  ladderSvg(views, { ...TITLES, marks: new Map(marks) });

describe("ladderSvg", () => {
  it("shows what is inside under its arrow, in few lines", () => {
    const inner = [{ kind: "Nonce", data: "00".repeat(32) }, notify("INITIAL_CONTACT"), SA];
    const lines = linesOf(draw([view({ inner })]));
    expect(lines).to.include.members([
      "IKE_AUTH request 1",
      "Nonce 32 octets   N(INITIAL_CONTACT)",
      "SA 1: ESP AES_GCM_16 256 SEQUENTIAL_32",
      "decrypted",
    ]);
  });

  it("has every field in the tooltip", () => {
    const [, tooltip] =
      /<g class="bl-from-left"><title>(.*?)<\/title>/s.exec(draw([view({ inner: [SA] })])) ?? [];
    expect(tooltip?.split("\n")).to.include(
      "SK &gt; SA &gt; proposal 1 &gt; transform ENCR &gt; key length: 256",
    );
  });

  for (const tone of ["fault", "divergence"] as const)
    it(`marks a ${tone}, and the field with its value`, () => {
      const field = "IKE_AUTH request > SK > SA > proposal 1 > transform ENCR > key length";
      const views = [view(), view({ inner: [notify("COOKIE"), SA], from: "right" })];
      const svg = draw(views, [[1, { tone, field, label: "expected 128" }]]);
      const marked = [
        ...svg.matchAll(new RegExp(`<text class="[^"]*bl-tone-${tone}[^>]*>(.*?)</text>`, "g")),
      ];
      expect(marked.map(([, text = ""]) => text.replace(/<[^>]+>/g, ""))).to.deep.equal([
        "SA 1: ESP AES_GCM_16 256 SEQUENTIAL_32",
        "  proposal 1 &gt; transform ENCR &gt; key length 256",
        "expected 128",
      ]);
      expect(svg).to.include(`Marked as ${tone}: IKE_AUTH request 1: SK { SA }: expected 128.`);
    });

  it("marks fields of the header, and what is not there, by their paths", () => {
    const header = { messageId: 7 };
    for (const [field, line] of [
      ["IKE_AUTH request > header > message ID", "IKE_AUTH request &gt; header &gt; message ID 7"],
      ["SK > N(COOKIE)", "SK &gt; N(COOKIE)"],
    ] as const)
      expect(linesOf(draw([view({ header })], [[0, { tone: "fault", field, label: "x" }]]))).to.include(line);
  });

  it("tells retransmissions, drops, silences and ports", () => {
    const svg = draw([
      view({ source: "192.0.2.1:500", destination: "192.0.2.2:500" }),
      view({ source: "192.0.2.1:4500", again: true, note: "retransmission", timeMs: 2000 }),
      view({ from: "right", dropped: true, note: "not acted on: wrong ICV" }),
    ]);
    expect(svg).to.include('class="bl-from-left bl-again"').and.include('class="bl-cross"');
    expect(linesOf(svg)).to.include.members(["2.000 s later"]);
    expect(linesOf(svg).join("\n"))
      .to.include("retransmission, port 500 -&gt; 4500")
      .and.include("wrong ICV");
  });

  it("folds what repeats itself, and leaves out the middle of a very long trace", () => {
    const esp = (n: number) =>
      view({ kind: "esp", text: `ESP 0000c0de number ${n}`, from: n % 2 ? "left" : "right" });
    const packets = Array.from({ length: 120 }, (_, n) => esp(n));
    expect(linesOf(draw(packets)).join()).to.include("120 ESP packets (60 to the right, 60 to the left)");
    const exchanges = Array.from({ length: 20_000 }, (_, n) =>
      view({
        text: `INFORMATIONAL ${"x".repeat(n % 7)} request ${n}: SK { }`,
        inner: [notify("COOKIE", "00".repeat(99))],
      }),
    );
    const svg = draw(exchanges, [[9000, { tone: "fault", label: "here" }]]);
    expect(linesOf(svg)).to.include("here");
    expect(linesOf(svg).filter((line) => line.endsWith("are not drawn"))).to.have.length(2);
    expect(svg.length).to.be.below(600_000);
  });

  it("may stand beside others in a page", () => {
    const one = ladderSvg([view()], { ...TITLES, id: 'x" y' });
    expect(one).to.match(
      /^<svg [^>]*role="img" class="bl" id="x__y" aria-labelledby="x__y-title x__y-desc">/,
    );
    expect(one.match(/ id="[^"]*"/g)).to.deep.equal([' id="x__y"', ' id="x__y-title"', ' id="x__y-desc"']);
    expect(ladderSvg([view()], { ...TITLES, styled: false })).not.to.include("<style");
    for (const [, names = ""] of one.matchAll(/class="([^"]*)"/g))
      for (const name of names.split(" ")) expect(name).to.match(/^bl(-|$)/);
  });

  it("shows hostile texts inert", () => {
    const evil = `</text><script>alert(1)</script>\u001b[31m\u202egnp\u2028 & "${"A".repeat(5000)}`;
    const views = [view({ text: evil, note: evil, inner: [{ kind: evil, [evil]: evil }] })];
    const svg = ladderSvg(views, {
      title: evil,
      left: evil,
      right: evil,
      marks: new Map([[0, { tone: "fault", label: evil }]]),
    });
    for (const part of ["<script", "\u001b", "\u202e", "\u2028"]) expect(svg).not.to.include(part);
    expect(svg).to.include("&lt;script&gt;").and.include("\\u{202e}");
    for (const line of linesOf(svg)) expect(line.length).to.be.below(700);
  });

  it("is well-formed, whatever is in the views", async () => {
    // Lone surrogates among them.
    const text = fc.array(fc.nat(0xffff), { maxLength: 30 }).map((codes) => String.fromCharCode(...codes));
    const tree = fc.oneof(
      fc.dictionary(
        text,
        fc.jsonValue({ maxDepth: 2 }).map((value) => value ?? null),
      ),
      fc.constant(SA),
      text.map((type) => notify(type)),
    );
    const views = fc.record({
      ...{ at: fc.nat(), timeMs: fc.double(), from: fc.constantFrom("left", "right"), text },
      ...{ kind: fc.constantFrom("ike", "esp", "other"), note: fc.option(text, { nil: undefined }) },
      ...{ clear: fc.array(tree, { maxLength: 3 }), inner: fc.option(fc.array(tree), { nil: undefined }) },
      ...{ source: fc.option(text, { nil: undefined }), dropped: fc.constantFrom(undefined, true) },
    });
    const list = fc.tuple(fc.array(views, { maxLength: 12 }), text, text);
    const drawn = fc.sample(list, { numRuns: 60, seed: 1 }).map(([some, title, field]) => {
      const marks = new Map([[0, { tone: "fault", label: title, field } as const]]);
      const svg = ladderSvg(some as View[], { title, left: title, right: field, marks, id: "x" });
      expect(ladderSvg(some as View[], { title, left: title, right: field, marks, id: "x" })).to.equal(svg);
      return svg;
    });
    const xml = drawn.map((contents, at) => ({ fileName: `${at}.svg`, contents }));
    const { valid, errors } = await validateXML({ xml, normalization: "c14n" });
    expect([valid, errors]).to.deep.equal([true, []]);
  });
});
