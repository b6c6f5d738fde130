import { expect } from "chai";
import fc from "fast-check";
import { GSA_POLICIES } from "./group-vectors.ts";
import { concat, decodeChain, encodeChain, fromHex, type GsaPayload, hex, type Payload } from "./index.ts";
import { describePayload, payloadToTree } from "./text.ts";

const GSA = 51;
const header = (octets: number): Uint8Array => Uint8Array.of(0, 0, octets >> 8, octets);
const framed = (body: Uint8Array): Uint8Array => concat(header(4 + body.length), body);
const whole = framed(concat(...Object.values(GSA_POLICIES).map(fromHex)));

function decoded(octets: Uint8Array): GsaPayload {
  const { payloads, findings } = decodeChain(GSA, octets);
  const payload = payloads[0];
  if (payload?.kind !== "GSA") throw new Error(JSON.stringify(findings));
  return payload;
}

/** What a fault leaves: the field of the first finding and what became of the payload. */
function fault(change: (octets: Uint8Array) => void): string {
  const octets = whole.slice();
  change(octets);
  const { payloads, findings } = decodeChain(GSA, octets);
  expect(hex(encodeChain(payloads))).to.equal(hex(octets));
  return `${payloads[0]?.kind} ${findings[0]?.offset} ${findings[0]?.field}`;
}

describe("GSA payload (RFC 9838 section 4.4)", () => {
  it("reads Rekey SA, ESP and group-wide policy of the vectors", () => {
    const { policies } = decoded(whole);
    const [rekey, esp, groupWide] = policies;
    if (rekey?.kind !== "SA" || esp?.kind !== "SA" || groupWide?.kind !== "group-wide") throw new Error();
    expect(hex(rekey.spi)).to.equal("a0a1a2a3a4a5a6a7b0b1b2b3b4b5b6b7");
    expect(rekey.transforms.map(({ type, id }) => [type, id])).to.deep.equal([
      [1, 20],
      [14, 2],
      [13, 3],
    ]);
    expect(rekey.transforms[1]?.attributes).to.deep.equal([{ type: 18, value: fromHex("300506032b6570") }]);
    expect(
      rekey.attributes.map(({ type, value }) => [type, value instanceof Uint8Array ? hex(value) : value]),
    ).to.deep.equal([
      [1, "00015180"],
      [2, "00000005"],
    ]);
    expect(esp).to.include({ protocolId: 3 });
    expect(hex(esp.destination.startAddress)).to.equal("ef020202");
    expect(groupWide.attributes).to.deep.equal([
      { type: 1, value: 5 },
      { type: 2, value: 10 },
      { type: 3, value: 8 },
    ]);
  });

  it("writes them byte for byte, from values without overrides", () => {
    const payload = decoded(whole);
    expect(payload).to.have.all.keys("kind", "type", "policies");
    for (const policy of payload.policies)
      expect(policy).to.not.have.any.keys("length", "spiSize", "trailing");
    expect(hex(encodeChain([payload]))).to.equal(hex(whole));
  });

  it("puts them in words", () => {
    expect(describePayload(decoded(whole))).to.equal(
      "GSA(GIKE_UPDATE a0a1a2a3.., ESP c0000001, GW ATD 5 DTD 10 SID bits 8)",
    );
    expect(JSON.stringify(payloadToTree(decoded(whole)))).to.include('"type":"GSA_KEY_LIFETIME"');
  });

  it("keeps hand-made overrides on the wire", () => {
    const payload = decoded(whole);
    const policy = { ...payload.policies[1]!, spiSize: 9, length: 77 };
    const octets = encodeChain([{ ...payload, policies: [policy] }]);
    expect(hex(octets.subarray(4, 8))).to.equal("0309004d");
  });

  it("says where a length leads outside", () => {
    const rekey = 4;
    expect(fault((o) => o.set([0, 3], rekey + 2))).to.equal("raw 6 GSA > policy 1 > length");
    expect(fault((o) => o.set([0, 0], rekey + 2))).to.equal("raw 6 GSA > policy 1 > length");
    expect(fault((o) => o.set([0xff, 0xff], rekey + 2))).to.equal("raw 6 GSA > policy 1 > length");
    expect(fault((o) => o.set([255], rekey + 1))).to.equal("raw 5 GSA > policy 1 > SPI size");
    expect(fault((o) => o.set([0, 0], 26))).to.equal("raw 24 GSA > policy 1 > source TS > length");
    expect(fault((o) => o.set([0, 200], 42))).to.equal("raw 40 GSA > policy 1 > destination TS > length");
    expect(fault((o) => o.set([0, 7], 58))).to.equal("raw 56 GSA > policy 1 > transform 1 > length");
    expect(fault((o) => o.set([0, 99], 78))).to.equal(
      "raw 78 GSA > policy 1 > transform 2 > attribute 1 > length",
    );
  });

  it("refuses transforms without a last one, and attributes in their place", () => {
    expect(fault((o) => o.set([3], 87))).to.equal("raw 95 GSA > policy 1 > transform 4 > length");
    expect(fault((o) => o.set([7], 56))).to.equal("GSA 56 GSA > policy 1 > transform 1 > last");
    const esp = fromHex(GSA_POLICIES.esp);
    const cut = esp.subarray(0, esp.length - 8);
    cut.set([0, cut.length], 2);
    cut[cut.length - 8] = 3;
    const { payloads, findings } = decodeChain(GSA, framed(cut));
    expect(payloads[0]?.kind).to.equal("raw");
    expect(findings[0]?.reason).to.equal("no transform is marked as the last");
  });

  it("reads selectors of no address range as octets", () => {
    const { payloads } = decodeChain(
      GSA,
      Uint8Array.from(whole, (octet, at) => (at === 24 ? 9 : octet)),
    );
    expect(payloads[0]).to.have.nested.property("policies[0].source.body");
  });

  it("cut at every length loses nothing and reads nothing past the end", () => {
    for (let size = 0; size < whole.length - 4; size++) {
      const octets = framed(whole.subarray(4, 4 + size));
      const { payloads, findings } = decodeChain(GSA, octets);
      expect(hex(encodeChain(payloads)), String(size)).to.equal(hex(octets));
      const boundary = [107, 175].includes(size);
      expect(findings.length > 0, String(size)).to.equal(!boundary);
    }
  });

  it("loses nothing of arbitrary octets, nor of any change of real ones", () => {
    const arbitrary = fc.uint8Array({ maxLength: 120 });
    const change = fc.array(fc.tuple(fc.nat(whole.length - 5), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const changed = change.map((changes) => {
      const body = whole.slice(4);
      for (const [at, octet] of changes) body[at] = octet;
      return body;
    });
    fc.assert(
      fc.property(fc.oneof(arbitrary, changed), (body) => {
        const octets = framed(body);
        const { payloads } = decodeChain(GSA, octets);
        expect(hex(encodeChain(payloads))).to.equal(hex(octets));
        expect(describePayload(payloads[0]!)).to.match(/^[ -~]{1,2000}$/);
        JSON.stringify(payloadToTree(payloads[0]!));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("SA payload as SAg (RFC 9838 section 2.3.3)", () => {
  it("keeps proposals without SPI that share a number, of different protocols", () => {
    const sag = {
      kind: "SA",
      type: 33,
      proposals: [6, 3, 2].map((protocolId) => ({
        number: 1,
        protocolId,
        spi: new Uint8Array(),
        transforms: [{ type: 5, id: 2, attributes: [] }],
      })),
    } as const satisfies Payload;
    const octets = encodeChain([{ ...sag, proposals: [...sag.proposals] }]);
    expect(decodeChain(33, octets)).to.deep.include({ payloads: [sag], findings: [] });
  });
});
