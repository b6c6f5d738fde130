import {
  Ambiguous,
  EXCHANGE,
  espProposals,
  expectChoice,
  expectInitRefused,
  expectKept,
  expectNotify,
  expectUnused,
  type IncomingMessage,
  ikeProposals,
  NOTIFY,
  type OutgoingMessage,
  payload,
  refusesInit,
  require,
  type SaPayload,
  Session,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const WHERE = [
  { what: "ike-sa", peer: "responder", exchangeType: EXCHANGE.IKE_SA_INIT },
  { what: "first-child-sa", peer: "responder", exchangeType: EXCHANGE.IKE_AUTH },
  { what: "new-child-sa", peer: "responder", exchangeType: EXCHANGE.CREATE_CHILD_SA },
  { what: "new-child-sa", peer: "initiator", exchangeType: EXCHANGE.CREATE_CHILD_SA },
] as const;

const ODD_CHOICES = [
  "picks-two-ciphers",
  "renumbers-its-choice",
  "changes-the-key-length",
  "answers-with-two-proposals",
];

for (const { what, peer, exchangeType } of WHERE) {
  const protocol = exchangeType === EXCHANGE.IKE_SA_INIT ? "ike" : "esp";
  /**
   * The tester offers three proposals: the first is none of the peer's, the others hold several transforms of one
   * type. The response has exactly one of them: its number and protocol, one transform of each of its types,
   * attributes as they were offered. Traffic then proves that this choice is what both sides use.
   */
  test(`answers-with-one-offered-proposal-for-the-${what}-as-${peer}`, {
    requirements: ["IKEV2-113", "IKEV2-114", "IKEV2-115", "IKEV2-241", "IKEV2-248"],
    peer,
    lies: ODD_CHOICES.map((name) => `${name}-for-${protocol}`),
  }, async (s) => {
    s.policy.ike = ikeProposals(
      "aes128-sha1-x25519",
      "aes192-aes256-sha512-sha256-x25519-modp2048",
      "aes256gcm16-prfsha256-x25519",
    );
    s.policy.esp = espProposals("aes192gcm16", "aes192-aes128-sha512-sha256", "aes256gcm16");
    s.policy.rekeyEsp = s.policy.esp;
    const session = peer === "initiator" ? await s.accept() : new Session(s, (await s.tryDial()).sa);
    if (exchangeType === EXCHANGE.CREATE_CHILD_SA) await session.tryCreateChild();
    const { request, response } = s.exchange(exchangeType);
    expectChoice(response, request);
    await session.proveTraffic();
  });
}

/** The tester offers only what the peer is not configured for. The answer is NO_PROPOSAL_CHOSEN, without SPI of an SA. */
test("refuses-ike-proposals-it-is-not-configured-for", {
  requirements: ["IKEV2-113", "IKEV2-244", "IKEV2-103"],
  peer: "responder",
  lies: ["takes-the-first-proposal"],
}, async (s) => {
  s.policy.ike = ikeProposals("aes128-sha1-modp2048", "aes192ctr-sha512-ecp384");
  s.decide("unprotected error notify", "give up");
  await s.tryInit();
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
  const spiR = response?.header.spiR ?? new Uint8Array();
  if (spiR.some((octet) => octet !== 0)) s.tolerate("SPIr of the refusal is not zero");
});

for (const peer of ["responder", "initiator"] as const) {
  /** A new Child SA is offered only transforms that the peer is not configured for: NO_PROPOSAL_CHOSEN, and the IKE SA lives on. */
  test(`refuses-esp-proposals-it-is-not-configured-for-as-${peer}`, {
    requirements: ["IKEV2-113", "IKEV2-244", "IKEV2-023"],
    peer,
    lies: ["takes-the-first-proposal"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.tryCreateChild({ proposals: espProposals("aes192-sha512", "aes256ccm12") });
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectKept(
      session,
      "deletes the IKE SA after a failed Child SA, which it should not (section 1.3.1)",
    );
  });
}

type Spoil = (sa: SaPayload) => void;

/** Ways in which a choice holds what was not offered. */
const SPOILT_CHOICES: Record<string, Spoil> = {
  "a-shorter-key": (sa) => {
    for (const p of sa.proposals) {
      p.transforms = p.transforms.map((t) =>
        t.type === TRANSFORM.ENCR ? { ...t, attributes: t.attributes.map((a) => ({ ...a, value: 128 })) } : t,
      );
    }
  },
  "a-prf-it-never-offered": (sa) => {
    for (const p of sa.proposals) {
      p.transforms = p.transforms.map((t) => (t.type === TRANSFORM.PRF ? { ...t, id: 2 } : t));
    }
  },
  "two-prfs": (sa) => {
    for (const p of sa.proposals)
      p.transforms = [...p.transforms, { type: TRANSFORM.PRF, id: 2, attributes: [] }];
  },
};

/** Choices of what was offered, in a form that no responder may give them. */
const ODD_FORMS: Record<string, Spoil> = {
  "another-proposal-number": (sa) => {
    for (const p of sa.proposals) p.number += 7;
  },
  "two-proposals": (sa) => {
    const [first] = sa.proposals;
    if (first) sa.proposals = [first, { ...first, number: first.number + 1 }];
  },
};

/** Applies this to the SA payload of the message. */
const inSa =
  (spoil: Spoil) =>
  ({ payloads }: OutgoingMessage): void => {
    const sa = payload(payloads, "SA");
    require(sa !== undefined, "an SA payload of ours", "none");
    sa.proposals = sa.proposals.map((p) => ({ ...p }));
    spoil(sa);
  };

for (const [what, spoil] of Object.entries(SPOILT_CHOICES)) {
  /**
   * The peer initiates. The SA payload of the tester's IKE_SA_INIT response is no choice out of the peer's offer.
   * The peer must end the exchange: no IKE_AUTH follows. With an ordinary response it sets up both SAs.
   */
  test(`refuses-an-ike-sa-choice-with-${what}`, {
    requirements: ["IKEV2-249"],
    peer: "initiator",
    lies: ["accepts-any-choice"],
    config: { ikeProposals: ["aes256-sha256-modp2048"] },
  }, async (s) => {
    await expectInitRefused(s, inSa(spoil));
  });
}

for (const [what, spoil] of Object.entries(ODD_FORMS)) {
  /**
   * The peer initiates. The tester's IKE_SA_INIT response holds what the peer offered, but in a form that section
   * 2.7 or 3.3.1 forbids the responder. The peer ends the exchange, or goes on with just what the choice holds.
   * Note: the initiator must check that the choice is consistent with one of its proposals (section 3.3.6). That may
   * be read as its transforms alone; a peer that goes on is on that reading.
   */
  test(`refuses-an-ike-sa-choice-with-${what}`, {
    requirements: ["IKEV2-249"],
    peer: "initiator",
    lies: ["misreads-odd-choices"],
    config: { ikeProposals: ["aes256-sha256-modp2048"] },
  }, async (s) => {
    if (await refusesInit(s, inSa(spoil))) return;
    const [child] = s.trace.childSas();
    require(child !== undefined, "no IKE_AUTH, or one under the suite of the choice", s.lastReason());
    await new Session(s, child.ike).proveTraffic();
    throw new Ambiguous("goes on with the transforms of the choice, whatever its form");
  });
}

/** Has requests for a Child SA offer AES-GCM with keys of 128 bits, whatever the peer wrote. */
function shortenKeys({ header, isResponse, payloads }: IncomingMessage): undefined {
  if (header.exchangeType !== EXCHANGE.CREATE_CHILD_SA || isResponse) return;
  const sa = payload(payloads, "SA");
  if (sa)
    sa.proposals = espProposals("aes128gcm16").map((p) => ({ ...p, spi: sa.proposals[0]?.spi ?? p.spi }));
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer rekeys its Child SA on command, with keys of 256 bits alone. The tester's response chooses 128 bits and
   * the tester uses them. The peer must not: it makes no Child SA of that, or deletes it.
   * Note: the peer may delete the IKE SA to clean up (section 2.21), but it must say so.
   */
  test(`refuses-a-child-sa-choice-it-did-not-offer-as-${peer}`, {
    requirements: ["IKEV2-249"],
    peer,
    lies: ["accepts-any-choice"],
    config: { espProposals: ["aes256gcm16"] },
  }, async (s) => {
    const session = await s.establish(peer);
    s.policy.rekeyEsp = espProposals("aes128gcm16");
    s.extensions.push({ name: "shorter keys", incoming: shortenKeys });
    await expectUnused(session, await session.peerRekeysChild());
  });
}
