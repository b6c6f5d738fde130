import { expect } from "chai";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Proposal } from "../wire/types.ts";
import { fits } from "./controller-choice.ts";
import { gcauth } from "./controller-payloads.ts";
import { decider } from "./hooks.ts";
import { groupPolicy } from "./policy-of.ts";

const { GIKE_UPDATE, ESP } = PROTOCOL;
const { rekey, data } = groupPolicy({
  ...{ id: "group.example", rekey: "ed25519" },
  data: ["aes128gcm16-unspec32", "aes256-sha256-unspec32"],
});
const needed = [
  { protocolId: GIKE_UPDATE, transforms: rekey ? [...rekey.transforms, gcauth(rekey)] : [] },
  ...data,
];

function offer(protocolId: number, number: number, words: string): Proposal {
  const proposal = parseProposal(words, protocolId);
  if (isSpecError(proposal)) throw new Error(proposal.reason);
  return { ...proposal, number };
}

const able = (...offers: Proposal[]) => fits(offers, needed, decider([]));
const ours = offer(GIKE_UPDATE, 1, "aes256gcm16-kw256-gcsignature");
const esp = "aes128gcm16-aes256-sha256-unspec32";

describe("SAg", () => {
  it("fits if one proposal for each protocol has everything, alternatives and unknown types among it", () => {
    expect(able(ours, offer(ESP, 1, esp))).to.equal(true);
    expect(able(ours, offer(ESP, 2, `${esp}-x25519-chacha20poly1305`))).to.equal(true);
    expect(able(ours, offer(ESP, 1, "aes128gcm16-unspec32"))).to.equal(false);
    expect(
      able(ours, offer(ESP, 1, "aes128gcm16-unspec32"), offer(ESP, 1, "aes256-sha256-unspec32")),
    ).to.equal(true);
    expect(able(offer(ESP, 1, esp))).to.equal(false);
  });

  it("names the signatures that a member can verify, or leaves that open", () => {
    const other = (attributes: Proposal["transforms"][number]["attributes"]): Proposal => ({
      ...ours,
      transforms: ours.transforms.map((t) => (t.type === 14 ? { ...t, attributes } : t)),
    });
    const ecdsa = Uint8Array.from(Buffer.from("300a06082a8648ce3d040302", "hex"));
    expect(able(other([{ type: 18, value: ecdsa }]), offer(ESP, 1, esp))).to.equal(false);
    expect(able(other(gcauth({ ...rekey!, auth: "ed25519" }).attributes), offer(ESP, 1, esp))).to.equal(true);
  });

  it("ties proposals of several protocols by their number", () => {
    const [half, whole] = [offer(ESP, 1, "aes128gcm16-unspec32"), offer(ESP, 2, esp)];
    expect(able(ours, half, whole)).to.equal(false);
    expect(able(ours, half, whole, { ...ours, number: 2 })).to.equal(true);
  });

  it("may be as long as a message", () => {
    const many = Array.from({ length: 256 }, (_, number) => offer(ESP, number, "aes256gcm16-unspec32"));
    expect(able(...many, ...many.map((p) => ({ ...ours, number: p.number })))).to.equal(false);
  });
});
