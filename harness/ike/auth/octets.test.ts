import { expect } from "chai";
import { makePair } from "../../run/pair.ts";
import { concat, EMPTY, hex } from "../../wire/bytes.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { IkeSa } from "../sa.ts";
import { authOctets, idPayload, ownSecret, pskAuthValue, sharedKeyAuth } from "./octets.ts";

const ID = idPayload(PAYLOAD.IDi, { type: 2, data: Uint8Array.of(0x61, 0x62) });

/** An established IKE SA as both ends hold it. */
function sas(): { a: IkeSa; b: IkeSa } {
  const pair = makePair({ seed: "octets" });
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(1000);
  const [a] = pair.a.endpoint.core.sas.values();
  const [b] = pair.b.endpoint.core.sas.values();
  if (!a?.suite || !a.keys || !b) throw new Error("the pair did not come up");
  return { a, b };
}

describe("what AUTH covers", () => {
  it("is the own IKE_SA_INIT message, the other's nonce, and prf(SK_p, ID) with its reserved octets", () => {
    const { a } = sas();
    const { prf } = a.suite!;
    const { SK_pi, SK_pr } = a.keys!;
    const id = { ...ID, reserved3: 0x010203 };
    const body = Uint8Array.of(2, 1, 2, 3, 0x61, 0x62);
    const initiator = concat(a.initRequest, a.Nr, prf.compute(SK_pi, body));
    const responder = concat(a.initResponse, a.Ni, prf.compute(SK_pr, body));
    expect(hex(authOctets(a, "initiator", id))).to.equal(hex(initiator));
    expect(hex(authOctets(a, "responder", id))).to.equal(hex(responder));
  });

  it("is the same at both ends, and differs by end, identity and secret", () => {
    const { a, b } = sas();
    const psk = Uint8Array.of(1);
    const other = { ...ID, data: Uint8Array.of(0x61) };
    const values = [
      pskAuthValue(a, psk, "initiator", ID),
      pskAuthValue(a, psk, "responder", ID),
      pskAuthValue(a, psk, "initiator", other),
      pskAuthValue(a, Uint8Array.of(2), "initiator", ID),
      sharedKeyAuth(a, ownSecret(a, "initiator"), authOctets(a, "initiator", ID)),
    ].map(hex);
    expect(new Set(values).size).to.equal(values.length);
    expect(hex(pskAuthValue(b, psk, "initiator", ID))).to.equal(values[0]);
  });

  it("is nothing while there are no keys", () => {
    const address = { host: "192.0.2.1", port: 500 };
    const sa = new IkeSa("initiator", new Uint8Array(8), address, address);
    expect(authOctets(sa, "initiator", ID)).to.deep.equal(EMPTY);
    expect(sharedKeyAuth(sa, Uint8Array.of(1), EMPTY)).to.deep.equal(EMPTY);
    expect(ownSecret(sa, "responder")).to.deep.equal(EMPTY);
  });
});
