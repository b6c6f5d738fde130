import {
  expectIgnored,
  notify,
  type Proposal,
  type Script,
  TRANSFORM,
  test,
  u16,
} from "../../harness/script/index.ts";

const EXTENDED = 1;

/** What stands in the notify. */
const FORMS: Record<string, Uint8Array[]> = {
  "as-it-is-meant": [u16(8)],
  "with-odd-numbers-and-lengths": [
    u16(0),
    u16(1),
    u16(65535),
    new Uint8Array(0),
    Uint8Array.of(8),
    new Uint8Array(3),
  ],
};

const subspaces = (s: Script, data: Uint8Array[]) =>
  data.map((octets) => notify(s.codePoint("ANTI_REPLAY_SUBSPACES"), octets));

/** Offers 64-bit numbers before 32-bit ones. */
const withExtended = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: [{ type: TRANSFORM.SN, id: EXTENDED, attributes: [] }, ...proposal.transforms],
});

const config = { drafts: {} };

for (const peer of ["responder", "initiator"] as const) {
  for (const [form, data] of Object.entries(FORMS)) {
    /**
     * The tester's half of IKE_AUTH and of CREATE_CHILD_SA has ANTI_REPLAY_SUBSPACES ${form}. A peer that does not know
     * it ignores it (RFC 7296 section 3.10.1): both Child SAs come up, and traffic has the ESP header of RFC 4303.
     */
    test(`as-${peer}-ignores-the-subspaces-notify-${form}`, {
      requirements: ["ARS-14"],
      peer,
      config,
      lies: ["drops-messages-with-notifies-of-drafts", "sends-subspaces-unasked"],
    }, async (s) => {
      await expectIgnored(s, peer, ...subspaces(s, data));
    });
  }
}

/**
 * The same beside an offer of 64-bit and 32-bit sequence numbers, as a peer would make it that wants subspaces. The
 * responder takes either; traffic has the ESP header of RFC 4303 and the ICV that belongs to what it took.
 */
test("as-responder-ignores-the-subspaces-notify-beside-an-offer-of-64-bit-numbers", {
  requirements: ["ARS-14"],
  peer: "responder",
  config,
  lies: ["drops-messages-with-notifies-of-drafts", "sends-subspaces-unasked"],
}, async (s) => {
  s.policy.esp = s.policy.esp.map(withExtended);
  s.policy.rekeyEsp = s.policy.rekeyEsp?.map(withExtended);
  await expectIgnored(s, "responder", ...subspaces(s, [u16(8)]));
});
