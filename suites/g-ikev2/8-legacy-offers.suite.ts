import {
  type ChildSa,
  EXCHANGE,
  errorNotify,
  expectNotify,
  fromHex,
  listPayloads,
  NOTIFY,
  notifies,
  type Payload,
  PROTOCOL,
  type Proposal,
  payload,
  require,
  type Script,
  Session,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const config = { drafts: {} };
const KW_5649_256 = 3;

const withKeyWrap = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: [...proposal.transforms, { type: TRANSFORM.KWA, id: KW_5649_256, attributes: [] }],
});

const numbered = (proposals: Proposal[]): Proposal[] => proposals.map((p, i) => ({ ...p, number: i + 1 }));

/** A proposal of protocol 6 with the transforms of another; `spi` is empty in IKE_SA_INIT. */
const ofGroups = (proposal: Proposal, spi: Uint8Array): Proposal => ({
  ...proposal,
  protocolId: PROTOCOL.GIKE_UPDATE,
  spi,
});

/** What a proposal that nobody can accept is made of. */
const UNKNOWN_OFFERS: Record<string, { of: (p: Proposal) => Proposal; requirement: string; lies: string[] }> =
  {
    "a-key-wrap-algorithm": {
      of: withKeyWrap,
      requirement: "G-IKEV2-L1",
      lies: ["overlooks-unknown-transform-types"],
    },
    "protocol-6": {
      of: (p) => ofGroups(p, new Uint8Array(0)),
      requirement: "G-IKEV2-L8",
      lies: ["reads-any-protocol"],
    },
  };

for (const [what, { of, requirement, lies }] of Object.entries(UNKNOWN_OFFERS)) {
  /**
   * All proposals of the tester's IKE_SA_INIT request have ${what}, which belongs to groups: none can be accepted (RFC
   * 7296 section 3.3.6). The responder refuses with NO_PROPOSAL_CHOSEN, or with INVALID_SYNTAX for a protocol
   * that is out of range, or is silent; an ordinary offer serves it.
   */
  test(`refuses-an-ike-sa-of-nothing-but-${what}`, {
    requirements: [requirement],
    peer: "responder",
    config,
    lies,
  }, async (s) => {
    const ordinary = s.policy.ike;
    s.policy.ike = ordinary.map(of);
    s.decide("unprotected error notify", "give up");
    const { sa } = await s.tryInit();
    const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
    const types = [NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.INVALID_SYNTAX];
    if (response) expectNotify(response, ...(what === "protocol-6" ? types : types.slice(0, 1)));
    s.host.endpoint.core.closeIke(sa, "the test is done with it");
    s.policy.ike = ordinary;
    await s.dial();
  });

  /**
   * The first proposals of the tester's IKE_SA_INIT request have ${what}, those after them do not. The responder looks
   * at the others as ever: it chooses one of them, both SAs come up, and traffic passes. Note: RFC 7296 says so of
   * transform types only; who refuses the whole offer for a protocol that it does not know is tolerated.
   */
  test(`chooses-an-ike-sa-behind-one-of-${what}`, {
    requirements: [requirement],
    peer: "responder",
    config,
    lies: [...lies, "drops-offers-of-what-belongs-to-groups"],
  }, async (s) => {
    const ordinary = s.policy.ike;
    s.policy.ike = numbered([...ordinary.map(of), ...ordinary]);
    s.decide("unprotected error notify", "give up");
    const { sa } = await s.tryInit();
    const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
    const error = errorNotify(response?.payloads ?? []);
    if (what === "protocol-6" && error) return tolerateRefusal(s, response);
    const number = payload(response?.payloads ?? [], "SA")?.proposals[0]?.number ?? 0;
    require(number > ordinary.length, `a proposal behind number ${ordinary.length}`, listPayloads(response));
    const { failure } = await s.tryAuth(sa);
    require(!failure, "both SAs", failure ?? "");
    await new Session(s, sa).proveTraffic();
  });
}

/** Libreswan reads such an offer as a corrupt one. */
function tolerateRefusal(s: Script, response: { payloads: Payload[] } | undefined): void {
  expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.INVALID_SYNTAX);
  s.tolerate("refuses the whole offer for a protocol that it does not know");
}

const SPI_OF_GROUP = fromHex("a0a1a2a3a4a5a6a7b0b1b2b3b4b5b6b7");

/** Asks for one more Child SA with proposals of protocol 6 and, behind them, ordinary ones. */
function askForChild(session: Session, behind: Proposal[]): Promise<ChildSa | string> {
  const { script } = session;
  const before = script.policy.esp;
  script.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
    const sa = payload(payloads, "SA");
    if (!sa) return;
    sa.proposals = sa.proposals.map((p, i) => (i < before.length ? ofGroups(p, SPI_OF_GROUP) : p));
  });
  return session.tryCreateChild({ proposals: [...before, ...behind] });
}

/**
 * The proposals of a CREATE_CHILD_SA request are of protocol 6, with SPIs of 16 octets. None can be accepted: the
 * responder says NO_PROPOSAL_CHOSEN, and the IKE SA goes on; or INVALID_SYNTAX, as a number is out of range,
 * which ends the IKE SA (RFC 7296 section 2.21.3). Silence is no answer to an authenticated request. Note: OpenIKED is
 * silent, as it drops whole messages with an SPI of 16 octets (ikev2_pld_sa, "unsupported SPI size").
 */
test("refuses-a-child-sa-of-protocol-6", {
  requirements: ["G-IKEV2-L8"],
  peer: "responder",
  config,
  lies: ["reads-any-protocol"],
}, async (s) => {
  const session = await s.dial();
  await askForChild(session, []);
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.INVALID_SYNTAX);
  if (notifies(response?.payloads ?? [], NOTIFY.INVALID_SYNTAX).length > 0) return void (await s.dial());
  await session.proveTraffic();
});

/**
 * The same with ordinary proposals behind them: one of those is chosen, and the new Child SA carries traffic. Note:
 * of a protocol that is not known no text says that the other proposals are looked at; who refuses them all is tolerated.
 */
test("chooses-a-child-sa-behind-one-of-protocol-6", {
  requirements: ["G-IKEV2-L8"],
  peer: "responder",
  config,
  lies: ["reads-any-protocol", "drops-offers-of-what-belongs-to-groups"],
}, async (s) => {
  const session = await s.dial();
  const child = await askForChild(session, s.policy.esp);
  if (typeof child !== "string") return session.proveTraffic(child);
  tolerateRefusal(s, s.exchange(EXCHANGE.CREATE_CHILD_SA).response);
});
