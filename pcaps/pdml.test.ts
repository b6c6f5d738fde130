import { expect } from "chai";
import fc from "fast-check";
import { PdmlStream, parsePdml } from "./pdml.ts";

describe("parsePdml", () => {
  it("keeps the order and nesting of fields", () => {
    const [first, second] = parsePdml(`<?xml version="1.0"?>
<pdml version="0">
<packet>
  <proto name="isakmp" showname="IKE" size="28" pos="8">
    <field name="a" showname="A" size="1" pos="8" show="1" value="01">
      <field name="b" showname="B &lt;x&gt; &amp;quot; &#39;&#x41;" size="1" pos="8" show="0x02" value="2"/>
    </field>
    <field name="c" showname="C" size="1" pos="9" show="3" value="03"/>
  </proto>
</packet>
<packet>
</packet>
</pdml>`);
    expect(first?.protocols.map(({ name, pos, size }) => [name, pos, size])).to.deep.equal([
      ["isakmp", 8, 28],
    ]);
    const fields = first?.protocols[0]?.fields;
    expect(fields?.map(({ name }) => name)).to.deep.equal(["a", "c"]);
    expect(fields?.[0]?.fields[0]).to.include({ name: "b", show: "0x02", showname: "B <x> &quot; 'A" });
    expect(second?.protocols).to.deep.equal([]);
  });

  it("survives any text", () => {
    const piece = fc.constantFrom(
      "<packet>",
      "</packet>",
      "<field name='",
      '<field name="',
      '"/>',
      "</field>",
      "&#x;",
      "&#xffffffff;",
      "<proto",
      ">",
    );
    const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(fc.property(text, (xml) => void parsePdml(xml)));
  });
});

describe("PdmlStream", () => {
  it("gives the same packets, wherever the text is cut", () => {
    const packet = (name: string) => `<packet>\n<proto name="${name}">\n</proto>\n</packet>\n`;
    const text = `<pdml>\n${["a", "b", "c"].map(packet).join("")}</pdml>\n`;
    const cuts = fc.array(fc.nat(text.length), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (at) => {
        const edges = [0, ...at.toSorted((a, b) => a - b), text.length];
        const stream = new PdmlStream();
        const pieces = edges.slice(1).map((end, i) => text.slice(edges[i], end));
        const packets = [...pieces.flatMap((piece) => stream.push(piece)), ...stream.end()];
        expect(packets).to.deep.equal(parsePdml(text));
      }),
    );
  });
});
