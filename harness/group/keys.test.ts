import { expect } from "chai";
import { encrTransform } from "../crypto/encr.ts";
import { integTransform } from "../crypto/integ.ts";
import { keyWrap } from "../crypto/key-wrap.ts";
import { prfTransform } from "../crypto/prf.ts";
import { KEY_BAGS, VECTOR_GSK_W } from "../wire/group-vectors.ts";
import { fromHex, hex, readWrappedKey } from "../wire/index.ts";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import type { Transform } from "../wire/types.ts";
import {
  dataKeymatLength,
  deriveGskW,
  kwaOf,
  rekeyKeymatLength,
  splitDataKeymat,
  splitRekeyKeymat,
  suiteOf,
} from "./keys.ts";

const counted = (first: number, octets: number): Uint8Array =>
  Uint8Array.from({ length: octets }, (_, at) => first + at);

function transforms(spec: string, protocolId = 6): Transform[] {
  const proposal = parseProposal(spec, protocolId);
  if (isSpecError(proposal)) throw new Error(proposal.reason);
  return proposal.transforms;
}

/** The wrapped key at this offset of a bag. */
const wrappedAt = (bag: string, at: number) => readWrappedKey(fromHex(bag).subarray(at))!;

describe("group keys", () => {
  it("derives GSK_w of an IKE SA", () => {
    const prf = prfTransform(5)!;
    const SK_d = counted(0, 32);
    expect(hex(deriveGskW(prf, SK_d, keyWrap(1)!))).to.equal("b169180742eb22165048cce7281f2e65");
    expect(hex(deriveGskW(prf, SK_d, keyWrap(3)!))).to.equal(VECTOR_GSK_W);
  });

  it("opens the bags of the vectors and splits what is in them", () => {
    const kwa = keyWrap(3)!;
    const suite = suiteOf(transforms("aes256gcm16-kw256"))!;
    const rekey = kwa.unwrap(fromHex(VECTOR_GSK_W), wrappedAt(KEY_BAGS.rekey, 24).encryptedKey)!;
    expect(rekey).to.have.length(rekeyKeymatLength(suite, kwa));
    const keys = splitRekeyKeymat(rekey, suite, kwa)!;
    expect(hex(keys.GSK_e)).to.equal(hex(counted(0x40, 36)));
    expect(keys.GSK_a).to.have.length(0);
    expect(hex(keys.GSK_w)).to.equal(hex(counted(0x80, 32)));
    const esp = kwa.unwrap(fromHex(VECTOR_GSK_W), wrappedAt(KEY_BAGS.esp, 12).encryptedKey)!;
    const data = splitDataKeymat(esp, { encr: encrTransform(20, 128)! })!;
    expect(hex(data.encr)).to.equal(hex(counted(0xd0, 20)));
    expect(data.integ).to.have.length(0);
  });

  it("wraps to the bags of the vectors", () => {
    const KEYMAT = Uint8Array.of(...counted(0x40, 36), ...counted(0x80, 32));
    const wrapped = keyWrap(3)!.wrap(fromHex(VECTOR_GSK_W), KEYMAT);
    expect(hex(wrapped)).to.equal(hex(wrappedAt(KEY_BAGS.rekey, 24).encryptedKey));
  });

  it("takes KEYMAT of the exact length only", () => {
    const suite = { encr: encrTransform(12, 128)!, integ: integTransform(12)! };
    const kwa = keyWrap(1)!;
    expect(rekeyKeymatLength(suite, kwa)).to.equal(16 + 32 + 16);
    expect(hex(splitRekeyKeymat(counted(0, 64), suite, kwa)!.GSK_a)).to.equal(hex(counted(16, 32)));
    expect(hex(splitDataKeymat(counted(0, 48), suite)!.integ)).to.equal(hex(counted(16, 32)));
    expect(hex(splitDataKeymat(counted(0, 32), { integ: suite.integ })!.integ)).to.equal(hex(counted(0, 32)));
    expect(dataKeymatLength({ integ: suite.integ })).to.equal(32);
    for (const wrong of [0, 63, 65])
      expect(splitRekeyKeymat(counted(0, wrong), suite, kwa)).to.equal(undefined);
    for (const wrong of [0, 47, 49]) expect(splitDataKeymat(counted(0, wrong), suite)).to.equal(undefined);
  });

  it("knows which transforms make a suite", () => {
    expect(kwaOf(transforms("aes256gcm16-kw192"))?.name).to.equal("KW_5649_192");
    expect(kwaOf(transforms("aes256gcm16-kwarx"))).to.equal(undefined);
    expect(suiteOf(transforms("aes128-sha256-kw128"))?.integ?.id).to.equal(12);
    expect(suiteOf(transforms("aes128-kw128"))).to.equal(undefined);
    expect(suiteOf([...transforms("aes256gcm16"), { type: 3, id: 12, attributes: [] }])).to.equal(undefined);
    expect(suiteOf([...transforms("aes256gcm16"), { type: 3, id: 0, attributes: [] }])?.encr.id).to.equal(20);
    expect(suiteOf([{ type: 1, id: 20, attributes: [] }])).to.equal(undefined);
  });
});
