import { expect } from "chai";
import fc from "fast-check";
import { KEY_BAGS } from "./group-vectors.ts";
import {
  concat,
  decodeChain,
  encodeChain,
  encodeWrappedKey,
  fromHex,
  hex,
  type KdPayload,
  readWrappedKey,
} from "./index.ts";
import { describePayload, payloadToTree } from "./text.ts";

const KD = 52;
const framed = (body: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(0, 0, (4 + body.length) >> 8, 4 + body.length), body);
const whole = framed(concat(...Object.values(KEY_BAGS).map(fromHex)));

function decoded(octets: Uint8Array): KdPayload {
  const { payloads, findings } = decodeChain(KD, octets);
  const payload = payloads[0];
  if (payload?.kind !== "KD") throw new Error(JSON.stringify(findings));
  return payload;
}

describe("KD payload (RFC 9838 section 4.5)", () => {
  it("reads group and member key bags of the vectors, and writes them byte for byte", () => {
    const payload = decoded(whole);
    const [rekey, esp, member] = payload.bags;
    expect(rekey).to.include({ kind: "group", protocolId: 6 });
    expect(esp).to.include({ kind: "group", protocolId: 3 });
    expect(member?.kind).to.equal("member");
    expect(member?.attributes.map(({ type }) => type)).to.deep.equal([2, 3]);
    expect(hex(encodeChain([payload]))).to.equal(hex(whole));
    expect(describePayload(payload)).to.equal(
      "KD(GIKE_UPDATE a0a1a2a3.. 0{0}, ESP c0000001 0{0}, member AUTH_KEY SID 0)",
    );
  });

  it("reads wrapped keys", () => {
    const value = decoded(whole).bags[1]!.attributes[0]!.value;
    const key = readWrappedKey(value)!;
    expect({ ...key, encryptedKey: key.encryptedKey.length }).to.deep.equal({
      keyId: 0,
      kwkId: 0,
      encryptedKey: 32,
    });
    expect(encodeWrappedKey(key)).to.deep.equal(value);
    expect(readWrappedKey(7)).to.equal(undefined);
    expect(readWrappedKey(new Uint8Array(7))).to.equal(undefined);
    expect(readWrappedKey(fromHex("ffffffff80000000"))).to.include({ keyId: 0xffffffff, kwkId: 0x80000000 });
  });

  it("cut at every length loses nothing", () => {
    for (let size = 0; size < whole.length - 4; size++) {
      const octets = framed(whole.subarray(4, 4 + size));
      expect(hex(encodeChain(decodeChain(KD, octets).payloads)), String(size)).to.equal(hex(octets));
    }
  });

  it("keeps a set RESERVED and reads SPIs of any size", () => {
    const odd = framed(fromHex("00070004 03ff0004"));
    expect(decodeChain(KD, odd).findings.map((f) => f.field)).to.deep.equal([
      "KD > bag 1 > reserved",
      "KD > bag 2 > SPI size",
    ]);
    expect(decoded(framed(fromHex("00070004 03000004"))).bags).to.deep.equal([
      { kind: "member", reserved: 7, attributes: [] },
      { kind: "group", protocolId: 3, spi: new Uint8Array(), attributes: [] },
    ]);
  });

  it("loses nothing of arbitrary octets, nor of any change of real ones", () => {
    const change = fc.array(fc.tuple(fc.nat(whole.length - 5), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const changed = change.map((changes) => {
      const body = whole.slice(4);
      for (const [at, octet] of changes) body[at] = octet;
      return body;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), changed), (body) => {
        const octets = framed(body);
        const { payloads } = decodeChain(KD, octets);
        expect(hex(encodeChain(payloads))).to.equal(hex(octets));
        expect(describePayload(payloads[0]!)).to.match(/^[ -~]{1,2000}$/);
        JSON.stringify(payloadToTree(payloads[0]!));
      }),
      { numRuns: 2000 },
    );
  });

  it("walks the most bags and attributes a message can hold in no time", () => {
    const bags = framed(new Uint8Array(65_000).map((_, at) => (at % 4 === 3 ? 4 : 0)));
    expect(decoded(bags).bags).to.have.length(16_250);
    const attributes = new Uint8Array(65_000);
    attributes.set([0, 0, 65_000 >> 8, 65_000 & 0xff]);
    expect(decoded(framed(attributes)).bags[0]!.attributes).to.have.length(16_249);
  });
});
