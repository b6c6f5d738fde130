import { expect } from "chai";
import { authenticated, makePair } from "../../run/pair.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { hasNotify, notify, payload } from "../payloads.ts";
import type { Policy } from "../policy.ts";
import { announcedHashes, certificateRequest, hashNotify, responderAnnouncements } from "./announce.ts";

const coreWith = (a: Partial<Policy>) => makePair({ seed: "announce", policies: { a } }).a.endpoint.core;
const hashes = (...octets: number[]) => notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.from(octets));

describe("what IKE_SA_INIT announces of authentication", () => {
  it("is nothing of signatures where none is used", () => {
    const core = coreWith({});
    expect([...hashNotify(core), ...certificateRequest(core)]).to.deep.equal([]);
    expect(responderAnnouncements(core, [hashes(0, 2)])).to.deep.equal([
      notify(NOTIFY.CHILDLESS_IKEV2_SUPPORTED),
    ]);
    expect(responderAnnouncements(coreWith({ childless: "never" }), [])).to.deep.equal([]);
  });

  it("lists hashes to those who list some, and the CAs that are trusted", async () => {
    const { a } = await authenticated({ auth: { method: "signature", key: "ecdsa256" } });
    const core = coreWith(a);
    expect(hashNotify(core)).to.deep.equal([hashes(0, 2, 0, 3, 0, 4)]);
    const asked = responderAnnouncements(core, [hashes(0, 9)]);
    expect(asked.map(({ kind }) => kind)).to.deep.equal(["CERTREQ", "Notify", "Notify"]);
    expect(payload(asked, "CERTREQ")).to.deep.include({ encoding: 4 });
    expect(payload(asked, "CERTREQ")?.data).to.have.length(20);
    expect(hasNotify(responderAnnouncements(core, []), NOTIFY.SIGNATURE_HASH_ALGORITHMS)).to.equal(false);
    core.policy.signatureHashes = [];
    expect(hashNotify(core)).to.deep.equal([]);
  });

  it("is read out of any list", () => {
    expect(announcedHashes([])).to.deep.equal([]);
    expect(announcedHashes([hashes(0, 2, 0xff, 0xfe, 7), hashes(0, 4)])).to.deep.equal([2, 0xfffe, 4]);
    expect(announcedHashes([hashes(...new Uint8Array(60_000))])).to.have.length(64);
  });
});
