import {
  EXCHANGE,
  espProposalsOfPeer,
  expectUnused,
  formatProposal,
  type IncomingMessage,
  numbersIn,
  type Proposal,
  payload,
  provokeOffer,
  require,
  type Script,
  TRANSFORM,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

type Role = "responder" | "initiator";

/** The peer's offers for Child SAs: in IKE_AUTH if it begins that, else to rekey on command. */
async function offersOf(s: Script, peer: Role): Promise<Proposal[]> {
  if (peer === "initiator") await s.provoke(() => espProposalsOfPeer(s, "offers").length > 0);
  else await provokeOffer(await s.dial());
  const offers = espProposalsOfPeer(s, "offers");
  require(offers.length > 0, "an offer of the peer", s.lastReason());
  return offers;
}

const told = (words: string) => ({ espProposals: [`aes256gcm16-${words}`] });

/**
 * A peer that is to use extended numbers where it can, and 32 bits otherwise, offers both ids when it begins.
 * Note: to rekey, it may offer no more than what is in use.
 */
test("offers-both-kinds-of-numbers", {
  requirements: ["SN-05"],
  peer: "initiator",
  lies: ["offers-64-bits-alone"],
  config: told("esn-noesn"),
}, async (s) => {
  const offers = await offersOf(s, "initiator");
  const both = [0, 1].every((id) => offers.some((p) => numbersIn(p).includes(id)));
  require(both, "offers of 0 and 1", offers.map(formatProposal).join(", "));
});

for (const peer of ["responder", "initiator"] as const) {
  /** A peer that is to use extended numbers only does not offer 32 bits. */
  test(`as-${peer}-offers-only-the-numbers-that-it-wants`, {
    requirements: ["SN-05"],
    peer,
    lies: ["offers-32-bits-against-orders"],
    config: told("esn"),
  }, async (s) => {
    const offers = await offersOf(s, peer);
    const odd = offers.find((p) => numbersIn(p).some((id) => id !== 1));
    require(!odd, "offers of 1 alone", odd ? formatProposal(odd) : "");
  });

  /** No offer of the peer for ESP, of 32 or of 64 bits, has a Sequence Numbers id that is for EESP or groups. */
  test(`as-${peer}-offers-no-numbers-that-are-not-for-esp`, {
    requirements: ["SN-11"],
    peer,
    lies: ["offers-numbers-of-eesp"],
  }, async (s) => {
    const odd = (await offersOf(s, peer)).find((p) => numbersIn(p).some((id) => id > 1));
    require(!odd, "ids 0 and 1 in offers for ESP", odd ? formatProposal(odd) : "");
  });

  /**
   * The peer offers extended numbers alone to rekey its Child SA: 32 bits are refused. The tester answers with those
   * all the same and uses them; the peer must not.
   * Note: the peer may delete the IKE SA to clean up (RFC 7296 section 2.21), but it must say so.
   */
  test(`as-${peer}-refuses-32-bits-after-an-offer-of-64-alone`, {
    requirements: ["SN-05", "SN-06"],
    peer,
    lies: ["accepts-any-choice"],
    config: told("esn"),
  }, async (s) => {
    const session = await s.establish(peer);
    s.policy.rekeyEsp = withNumbers(s, 0);
    s.extensions.push({ name: "an offer of 32 bits", incoming: shortenNumbers });
    await expectUnused(session, await session.peerRekeysChild());
  });
}

function shortenNumbers({ header, isResponse, payloads }: IncomingMessage): undefined {
  const sa = payload(payloads, "SA");
  if (header.exchangeType !== EXCHANGE.CREATE_CHILD_SA || isResponse || !sa) return;
  for (const p of sa.proposals) for (const t of p.transforms) if (t.type === TRANSFORM.SN) t.id = 0;
}
