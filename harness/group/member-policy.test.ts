import { expect } from "chai";
import { keyWrap } from "../crypto/key-wrap.ts";
import type { GsaPayload, GsaPolicy, KdPayload } from "../wire/group-types.ts";
import { GSA_POLICIES, KEY_BAGS, VECTOR_GSK_W } from "../wire/group-vectors.ts";
import { decodeChain, fromHex } from "../wire/index.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { keysOf } from "./member-keys.ts";
import { isFault, type Plan, planOf, type Way } from "./member-policy.ts";
import { everything } from "./member-request.ts";

/** One payload out of its body. */
function read(type: number, body: string) {
  const octets = fromHex(body);
  const length = octets.length + 4;
  const header = Uint8Array.of(0, 0, length >> 8, length & 255);
  const [payload] = decodeChain(type, Uint8Array.of(...header, ...octets)).payloads;
  return payload;
}

function gsa(): GsaPayload {
  const payload = read(PAYLOAD.GSA, Object.values(GSA_POLICIES).join(""));
  if (payload?.kind !== "GSA") throw new Error("no GSA");
  return payload;
}

function kd(): KdPayload {
  const payload = read(PAYLOAD.KD, Object.values(KEY_BAGS).join(""));
  if (payload?.kind !== "KD") throw new Error("no KD");
  return payload;
}

const ofProtocol = ({ policies }: GsaPayload, protocolId: number): GsaPolicy => {
  const found = policies.find((p): p is GsaPolicy => p.kind === "SA" && p.protocolId === protocolId);
  if (!found) throw new Error("no such policy");
  return found;
};

const planned = (payload: GsaPayload, way: Way = "registration"): Plan => {
  const plan = planOf(payload, way, everything());
  if (isFault(plan)) throw new Error(plan.reason);
  return plan;
};

/** What is said of the vector's policy after a change. */
function faultOf(change: (payload: GsaPayload) => void, way: Way = "registration"): string {
  const payload = gsa();
  change(payload);
  const plan = planOf(payload, way, everything());
  return isFault(plan) ? `${plan.fault}: ${plan.reason}` : "none";
}

const setId = (policy: GsaPolicy, type: number, id: number): void => {
  policy.transforms = policy.transforms.map((t) => (t.type === type ? { ...t, id } : t));
};

describe("policy of a group at a member", () => {
  it("is read out of the vectors, and so are its keys", () => {
    const plan = planned(gsa());
    expect(plan).to.include({ ATD: 5, DTD: 10, senderIdBits: 8 });
    expect(plan.rekey).to.include({ lifetime: 86_400, initialMessageId: 5 });
    expect(plan.data.map(({ sn, lifetime }) => [sn, lifetime])).to.deep.equal([[2, 3600]]);
    const kwa = keyWrap(3);
    if (!kwa) throw new Error("no KW_5649_256");
    const wrapping = { kwa, GSK_w: fromHex(VECTOR_GSK_W) };
    const keys = keysOf(kd(), plan, { wrapping, path: [], way: "registration" });
    if (isFault(keys)) throw new Error(keys.reason);
    expect(keys.findings).to.deep.equal([]);
    expect(keys.senderIds).to.deep.equal([0]);
    expect(keys.authKey?.asymmetricKeyType).to.equal("ed25519");
    expect(keys.rekey?.keys.GSK_w).to.have.length(32);
    expect(keys.data).to.have.length(1);
  });

  it("is malformed with several Rekey SAs, several group-wide policies, or no SA", () => {
    expect(faultOf(({ policies }) => policies.push(...policies.slice(0, 1)))).to.match(/^malformed: several/);
    expect(faultOf(({ policies }) => policies.push({ kind: "group-wide", attributes: [] }))).to.match(
      /^malformed: several group-wide/,
    );
    expect(faultOf((p) => (p.policies = p.policies.slice(2)))).to.match(/^malformed: neither/);
    expect(faultOf((p) => p.policies.push({ ...ofProtocol(p, 3) }))).to.match(/one SPI/);
  });

  it("is refused with 64-bit numbers, unknown algorithms, and transforms that are missing or double", () => {
    expect(faultOf((p) => setId(ofProtocol(p, 3), TRANSFORM.SN, 1))).to.match(/^unacceptable: 64-bit/);
    expect(faultOf((p) => setId(ofProtocol(p, 3), TRANSFORM.ENCR, 1000))).to.match(
      /^unacceptable: algorithms/,
    );
    expect(faultOf((p) => setId(ofProtocol(p, 6), TRANSFORM.KWA, 4))).to.match(/^unacceptable: algorithms/);
    expect(faultOf((p) => ofProtocol(p, 3).transforms.pop())).to.match(/no transform of type 5/);
    expect(
      faultOf((p) => ofProtocol(p, 3).transforms.push(...ofProtocol(p, 3).transforms.slice(0, 1))),
    ).to.match(/two transforms of type 1/);
  });

  it("must not say anew how rekeys are authenticated, and must say so at registration", () => {
    expect(faultOf(() => {}, "multicast")).to.equal("malformed: GCAUTH in a rekey");
    const without = (p: GsaPayload) => {
      const rekey = ofProtocol(p, 6);
      rekey.transforms = rekey.transforms.filter(({ type }) => type !== TRANSFORM.GCAUTH);
    };
    expect(faultOf(without, "multicast")).to.equal("none");
    expect(faultOf(without)).to.match(/^unacceptable: how/);
  });

  it("has one multicast address for rekeys", () => {
    const elsewhere = (startAddress: Uint8Array) => (p: GsaPayload) => {
      const rekey = ofProtocol(p, 6);
      rekey.destination = { ...rekey.destination, startAddress };
    };
    expect(faultOf(elsewhere(Uint8Array.of(192, 0, 2, 1)))).to.match(/destination of the Rekey SA/);
    expect(faultOf(elsewhere(Uint8Array.of(239, 1, 1, 0)))).to.match(/destination of the Rekey SA/);
  });
});
