import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { pki } from "../pki/pki.ts";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { authenticator, supplicant } from "./index.ts";
import { readAvps, readEapAvp, writeAvp, writeEapAvp } from "./ttls-avps.ts";
import type { EapManners, EapPacket, EapStep, EapTls, EapUser } from "./types.ts";

const USER: EapUser = { type: "ttls", identity: "carol@example.org", password: "secret" };

interface Ends {
  user?: Partial<EapUser>;
  peer?: Partial<EapUser>;
  tls?: Partial<EapTls>;
  peerTls?: Partial<EapTls>;
  manners?: EapManners;
  peerManners?: EapManners;
}

async function converse({ user, peer, tls, peerTls, manners = {}, peerManners = {} }: Ends = {}) {
  const { ca, credential } = await pki();
  const random = seededRandom("ttls");
  const server = { trusted: ca, credential: await credential("tester.example", "ecdsa256"), ...tls };
  const asks = authenticator({ user: { ...USER, ...user }, random, tls: server, manners });
  const client = { trusted: ca, ...peerTls };
  const answers = supplicant({
    user: { ...USER, ...user, ...peer },
    random,
    tls: client,
    manners: peerManners,
  });
  const outcome = { packets: 0, peer: {} as EapStep, server: {} as EapStep };
  let request: EapPacket | undefined = asks.begin();
  while (request) {
    const step = answers.take(request);
    outcome.peer = (await step.later) ?? step;
    if (!outcome.peer.send) break;
    const answer = asks.take(outcome.peer.send);
    outcome.server = (await answer.later) ?? answer;
    request = outcome.server.send;
    outcome.packets += 2;
  }
  asks.close();
  answers.close();
  return outcome;
}

const results = async (ends: Ends) => {
  const { peer, server } = await converse(ends);
  return [peer.result, server.result];
};

describe("eap: TTLS", () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const)
    for (const inner of ["md5", "gtc", "mschapv2"] as const)
      it(`of ${version} with ${inner} ends with Success and one MSK`, async () => {
        const { peer, server } = await converse({ user: { inner }, tls: { version } });
        expect([peer.result, server.result]).to.deep.equal(["success", "success"]);
        expect(peer.MSK).to.have.length(64);
        expect(peer.MSK).to.deep.equal(server.MSK);
      });

  it("goes through packets of any size", async () => {
    const small = { fragmentSize: 150 };
    const { packets, server } = await converse({ tls: small, peerTls: small });
    expect(server.result).to.equal("success");
    expect(packets).to.be.above(20);
  });

  it("refuses a wrong password, another name, another method inside, and a server of another name", async () => {
    const both = ["failure", "failure"];
    expect(await results({ peer: { password: "wrong" } })).to.deep.equal(both);
    expect(await results({ user: { inner: "mschapv2" }, peer: { password: "wrong" } })).to.deep.equal(both);
    expect(await results({ peer: { inner: "gtc" } })).to.deep.equal(both);
    const { peer } = await converse({ peerTls: { peerName: "other.example" } });
    expect(peer.reason).to.equal("the certificate of the other end is not for other.example");
  });

  it("sends what a test puts into TLS, and refuses it", async () => {
    const optional = writeAvp({ code: 1, flags: 0, data: fromHex("aabb") });
    const [added, mandatory, cut]: EapManners[] = [
      { bendInner: (avps) => concat(avps, optional) },
      { bendInner: (avps) => concat(avps, writeAvp({ code: 1, flags: 0x40, data: fromHex("aa") })) },
      { bendInner: (avps) => avps.subarray(0, 7) },
    ];
    expect(await results({ manners: added!, peerManners: added! })).to.deep.equal(["success", "success"]);
    const { server } = await converse({ peerManners: mandatory! });
    expect(server.reason).to.equal("an AVP of code 1, which must not be skipped");
    expect((await converse({ manners: cut! })).peer.reason).to.include("an AVP that is not all there");
  });
});

describe("eap: AVPs", () => {
  it("have padding and a vendor", () => {
    const avp = { code: 79, flags: 0xc0, vendor: 311, data: fromHex("0102030405") };
    expect(hex(writeAvp(avp))).to.equal("0000004fc0000011000001370102030405000000");
    expect(readAvps(writeAvp(avp))).to.deep.equal([avp]);
  });

  it("carry any EAP packet", () => {
    const packet = { code: 2, identifier: 7, data: fromHex("01616263") };
    expect(readEapAvp(writeEapAvp(packet))).to.deep.equal(packet);
    expect(readEapAvp(concat(writeEapAvp(packet), writeEapAvp(packet)))).to.equal(
      "several AVPs with an EAP packet",
    );
  });

  it("are never read beyond their octets", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => void readEapAvp(octets)));
    for (const text of ["0000004f40000007", "0000004f40ffffff00", "0000004f4000000900", "0000004f8000000901"])
      expect(readEapAvp(fromHex(text))).to.be.a("string");
  });
});
