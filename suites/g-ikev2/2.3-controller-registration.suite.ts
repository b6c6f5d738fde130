import {
  EXCHANGE,
  everything,
  expect,
  expectAlive,
  expectNoFindings,
  expectNotify,
  GROUP,
  group,
  joined,
  KWA,
  listPayloads,
  NOTIFY,
  notify,
  PROTOCOL,
  type Proposal,
  payload,
  peerDeletedIke,
  require,
  type Script,
  Session,
  saPolicies,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const without = (type: number) => (proposal: Proposal) => ({
  ...proposal,
  transforms: proposal.transforms.filter((t) => t.type !== type),
});

/** The proposals of SAg with these changes to each. */
const offer = (change: (proposal: Proposal) => Proposal): Proposal[] => everything().map(change);

/** Adds payloads to our registrations. */
function adding(s: Script, ...payloads: Parameters<typeof notify>[]): void {
  for (const exchangeType of [EXCHANGE.GSA_AUTH, EXCHANGE.GSA_REGISTRATION])
    s.change(exchangeType, (message) => void message.payloads.push(...payloads.map((p) => notify(...p))));
}

/**
 * All proposals of the tester's IKE_SA_INIT have a key wrap algorithm. So has the controller's choice, one, that the
 * tester offered (section 4.5.4).
 */
test("negotiates-a-key-wrap-algorithm", {
  requirements: ["G-IKEV2-05"],
  peer: "responder",
  config: group(),
  lies: ["leaves-the-key-wrap-algorithm-out"],
}, async (s) => {
  await joined(s);
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  const transforms = payload(response?.payloads ?? [], "SA")?.proposals[0]?.transforms ?? [];
  const chosen = transforms.filter(({ type }) => type === TRANSFORM.KWA).map(({ id }) => id);
  expect(chosen, "key wrap algorithms in the choice").to.deep.equal([KWA.KW_5649_256]);
});

/**
 * Once it knows that the peer is a controller, the tester begins another IKE SA without a key wrap algorithm. The
 * controller refuses it with NO_PROPOSAL_CHOSEN; one that also serves others takes it, and then lets nobody register
 * on it.
 */
test("lets-nobody-register-without-key-wrap-algorithm", {
  requirements: ["G-IKEV2-05"],
  peer: "responder",
  config: group(),
  lies: ["chooses-a-key-wrap-algorithm-unasked"],
}, async (s) => {
  const { member } = await joined(s);
  s.policy.ike = s.policy.ike.map(without(TRANSFORM.KWA));
  s.decide("unprotected error notify", "give up");
  const { sa, failure } = await s.tryInit();
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  if (failure) return expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
  const application = member.member.application(member.membership().group, { sender: false });
  await s.tryAuth(sa, { application });
  const answer = s.exchange(EXCHANGE.GSA_AUTH).response;
  require(!answer || !payload(answer.payloads, "KD"), "no keys without key wrap algorithm", listPayloads(
    answer,
  ));
});

/**
 * The tester asks for a Child SA on the IKE SA of its registration, where unicast Child SAs are not recommended. The
 * controller refuses it, or makes it all the same; it answers, and the IKE SA stands.
 */
test("makes-no-child-sa-on-the-ike-sa-of-a-registration", {
  requirements: ["G-IKEV2-06"],
  peer: "responder",
  config: group(),
  lies: ["is-silent-to-members-that-want-child-sas"],
}, async (s) => {
  const { granted } = await joined(s);
  const session = new Session(s, granted.sa);
  const child = await session.tryCreateChild();
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  require(response !== undefined, "an answer to CREATE_CHILD_SA", "silence");
  if (typeof child !== "string") s.tolerate("makes a Child SA on the IKE SA of a registration");
  await expectAlive(session);
});

/** Names of the kinds that every controller must know, and of those that it should. */
const NAMES = {
  "key-id": { id: "keyid:67727031", requirement: "G-IKEV2-71", lie: "refuses-groups-named-by-key-ids" },
  fqdn: { id: "group.example", requirement: "G-IKEV2-72", lie: "knows-no-group-names-but-key-ids" },
  "mail-address": {
    id: "group@example.org",
    requirement: "G-IKEV2-72",
    lie: "knows-no-group-names-but-key-ids",
  },
  "ipv4-address": { id: "192.0.2.77", requirement: "G-IKEV2-72", lie: "knows-no-group-names-but-key-ids" },
  "ipv6-address": { id: "2001:db8::77", requirement: "G-IKEV2-72", lie: "knows-no-group-names-but-key-ids" },
};

for (const [kind, { id, requirement, lie }] of Object.entries(NAMES)) {
  /** The name of the group is an identity of kind ${kind}. The tester registers with the group under that name. */
  test(`knows-a-group-whose-name-is-of-kind-${kind}`, {
    requirements: [requirement],
    peer: "responder",
    config: group({ id }),
    lies: [lie],
  }, async (s) => {
    const { member } = await joined(s, {}, id);
    expectNoFindings(member);
  });
}

/**
 * The tester's SAg has no algorithm that the group uses, in GSA_AUTH and then in GSA_REGISTRATION. The controller
 * refuses each with NO_PROPOSAL_CHOSEN.
 */
test("refuses-a-member-that-cannot-do-what-the-group-does", {
  requirements: ["G-IKEV2-10"],
  peer: "responder",
  config: group(),
  lies: ["overlooks-sag"],
}, async (s) => {
  const { member } = await joined(s);
  const SAg = offer((proposal) => ({
    ...proposal,
    transforms: proposal.transforms.map((t) => (t.type === TRANSFORM.ENCR ? { ...t, id: 23 } : t)),
  }));
  expectNotify({ payloads: (await member.tryRegisterMore({ SAg })).response }, NOTIFY.NO_PROPOSAL_CHOSEN);
  expectNotify({ payloads: (await member.tryRegister({ SAg })).response }, NOTIFY.NO_PROPOSAL_CHOSEN);
});

/** The proposals of SAg have SPIs, which must not be there. The SPIs of the controller's policy are its own. */
test("takes-no-spi-from-sag", {
  requirements: ["G-IKEV2-15"],
  peer: "responder",
  config: group(),
  lies: ["takes-spis-from-sag"],
}, async (s) => {
  const spi = Uint8Array.of(0xca, 0xfe, 0xba, 0xbe);
  const SAg = offer((p) => (p.protocolId === PROTOCOL.ESP ? { ...p, spi } : p));
  const { granted } = await joined(s, { SAg });
  const spis = saPolicies(granted.response, PROTOCOL.ESP).map((policy) => policy.spi);
  expect(spis, "SPIs of data SAs").to.not.deep.include(spi);
});

/** The proposals of SAg have a transform of a type that no group has, which says nothing. The tester is admitted. */
test("ignores-other-transform-types-in-sag", {
  requirements: ["G-IKEV2-17"],
  peer: "responder",
  config: group(),
  lies: ["refuses-unknown-transform-types-in-sag"],
}, async (s) => {
  const extra = { type: 240, id: 1, attributes: [] };
  const { member } = await joined(s, { SAg: offer((p) => ({ ...p, transforms: [...p.transforms, extra] })) });
  expectNoFindings(member);
});

const unable = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.map((t) => (t.type === TRANSFORM.ENCR ? { ...t, id: 23 } : t)),
});

/**
 * SAg has two pairs of proposals, for the Rekey SA and for data SAs, under two numbers: in the first the group's data
 * SA is missing, in the second its Rekey SA. No pair is enough, so the controller refuses with NO_PROPOSAL_CHOSEN.
 * With a third pair that has both the tester is admitted.
 */
test("takes-linked-proposals-of-sag-together", {
  requirements: ["G-IKEV2-18"],
  peer: "responder",
  config: group(),
  lies: ["parts-linked-proposals"],
}, async (s) => {
  const [rekey, data] = [PROTOCOL.GIKE_UPDATE, PROTOCOL.ESP].map(
    (id) => everything().find((p) => p.protocolId === id)!,
  );
  const pair = (number: number, ...proposals: Proposal[]) => proposals.map((p) => ({ ...p, number }));
  const halves = [...pair(1, rekey!, unable(data!)), ...pair(2, unable(rekey!), data!)];
  const { member } = await joined(s, { SAg: [...halves, ...pair(3, rekey!, data!)] });
  const { response } = await member.tryRegisterMore({ SAg: halves });
  expectNotify({ payloads: response }, NOTIFY.NO_PROPOSAL_CHOSEN);
});

/** The tester announces IPComp with a CPI in its registration. The CPI means nothing: it is admitted as ever. */
test("ignores-the-cpi-of-a-member", {
  requirements: ["G-IKEV2-20"],
  peer: "responder",
  config: group(),
  lies: ["minds-the-cpi-of-members"],
}, async (s) => {
  adding(s, [NOTIFY.IPCOMP_SUPPORTED, Uint8Array.of(0x12, 0x34, 2)]);
  const { member } = await joined(s);
  expectNoFindings(member);
});

const MODES = {
  transport: ["conceals-transport-mode", "says-transport-mode-for-each-sa"],
  tunnel: ["says-transport-mode-in-tunnels"],
} as const;

for (const [mode, lies] of Object.entries(MODES)) {
  /**
   * The group has two data SAs in ${mode} mode. One notify USE_TRANSPORT_MODE, or none in tunnel mode, speaks for all of them:
   * modes cannot be mixed in a group (a decision of the working group of March 2022).
   */
  test(`says-once-that-all-data-sas-are-in-${mode}-mode`, {
    requirements: ["G-IKEV2-30"],
    peer: "responder",
    config: group({
      mode: mode === "transport" ? "transport" : "tunnel",
      data: ["aes128gcm16-unspec32", "aes256gcm16-unspec32"],
    }),
    lies: [...lies],
  }, async (s) => {
    const { granted } = await joined(s);
    const said = granted.response.filter(
      (p) => p.kind === "Notify" && p.notifyType === NOTIFY.USE_TRANSPORT_MODE,
    );
    expect(said.length, "USE_TRANSPORT_MODE").to.equal(mode === "transport" ? 1 : 0);
  });
}

/**
 * The controller is told to close the IKE SAs of members that have a Rekey SA after two seconds. Its Delete comes, and
 * the tester still is a member.
 */
test("closes-an-ike-sa-that-a-member-needs-no-more", {
  requirements: ["G-IKEV2-31"],
  peer: "responder",
  config: group({ closesIkeAfter: 2 }),
  lies: ["keeps-idle-ike-sas-of-members"],
}, async (s) => {
  const { log } = await joined(s);
  require(await s.until(() => peerDeletedIke(s)), "a Delete of the IKE SA", "none");
  await log.afterRekey("data", GROUP);
});

/** The group has several senders. The controller says nothing of AGGFRAG, which is for a single one (section 6.3). */
test("speaks-of-no-aggfrag-where-there-are-several-senders", {
  requirements: ["G-IKEV2-106"],
  peer: "responder",
  config: group(),
  lies: ["offers-aggfrag-to-several-senders", "notifies-aggfrag-in-rekeys"],
}, async (s) => {
  const { log, granted } = await joined(s);
  const { payloads } = await log.afterRekey("data");
  for (const message of [granted.response, payloads])
    require(!message.some(
      (p) => p.kind === "Notify" && p.notifyType === NOTIFY.USE_AGGFRAG,
    ), "no USE_AGGFRAG", listPayloads({ payloads: message }));
});
