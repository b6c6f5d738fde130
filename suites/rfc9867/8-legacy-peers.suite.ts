import {
  EXCHANGE,
  expectAlive,
  expectIgnored,
  fromHex,
  hasNotify,
  listPayloads,
  NOTIFY,
  notify,
  oursTo,
  type PeerRole,
  require,
  type Script,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** The number of the document, and those that implementations of its drafts chose for themselves. */
const ANNOUNCEMENTS = { "use-ppk-int": [NOTIFY.USE_PPK_INT], "use-ppk-int-of-a-draft": [50208, 50209] };

for (const peer of ROLES) {
  for (const [what, types] of Object.entries(ANNOUNCEMENTS)) {
    /**
     * The peer has no PPK. The tester's half of IKE_SA_INIT has ${what}, beside INTERMEDIATE_EXCHANGE_SUPPORTED and USE_PPK as
     * section 3.1 has them. The peer ignores it (RFC 7296 section 3.10.1), and as responder does not return it; IKE_AUTH
     * follows, both SAs come up and carry traffic.
     */
    test(`as-${peer}-ignores-${what}`, {
      requirements: ["PPKINT-L1", ...(peer === "responder" ? ["PPKINT-05"] : [])],
      peer,
      lies: [
        "drops-messages-with-notifies-of-early-ppks",
        ...(peer === "responder" ? ["announces-early-ppks-that-it-does-not-have"] : []),
      ],
    }, async (s) => {
      announce(s, peer, types);
      const session = await s.establish(peer);
      const { response } = s.exchange(EXCHANGE.IKE_SA_INIT, peer === "responder" ? "us" : "peer");
      const returned = types.some((type) => hasNotify(response?.payloads ?? [], type));
      const expected = "no USE_PPK_INT of a peer without a PPK";
      if (peer === "responder") require(!returned, expected, listPayloads(response));
      await session.proveTraffic();
    });
  }
}

/** PPK_ID and PPK Confirmation, whole and cut short, under the document's number and under those of drafts. */
const OFFERS = {
  "a-ppk-identity-key": [notify(NOTIFY.PPK_IDENTITY_KEY, fromHex("0270706b31" + "b0d0f945249601e8"))],
  "several-of-ppk-identity-key": Array.from({ length: 8 }, (_, i) =>
    notify(NOTIFY.PPK_IDENTITY_KEY, fromHex(`0270706b${(0x30 + i).toString(16)}` + "b0d0f945249601e8")),
  ),
  "a-short-ppk-identity-key": ["", "02", "02b0d0f945249601"].map((data) =>
    notify(NOTIFY.PPK_IDENTITY_KEY, fromHex(data)),
  ),
  "ppk-identity-key-of-a-draft": [50208, 50209].map((type) =>
    notify(type, fromHex("0270706b31" + "b0d0f945249601e8")),
  ),
};

for (const peer of ROLES) {
  for (const [what, added] of Object.entries(OFFERS)) {
    /**
     * The peer has no PPK. The tester's half of IKE_AUTH and of CREATE_CHILD_SA has ${what}. In a request of CREATE_CHILD_SA
     * that needs no negotiation before; elsewhere it has no meaning. The peer ignores it: the Child SAs come up without a PPK
     * and carry traffic, and no response has PPK_IDENTITY. A peer that knows the notify may refuse one that is too short with
     * INVALID_SYNTAX.
     */
    test(`as-${peer}-ignores-${what}`, {
      requirements: ["PPKINT-L1", "PPKINT-29"],
      peer,
      lies: [
        "drops-messages-with-notifies-of-early-ppks",
        ...(peer === "responder" ? ["refuses-who-offers-a-ppk", "confirms-a-ppk-that-it-does-not-have"] : []),
      ],
    }, async (s) => {
      try {
        await expectIgnored(s, peer, ...added);
      } catch (failure) {
        if (what !== "a-short-ppk-identity-key" || !calledMalformed(s)) throw failure;
        return s.tolerate("knows PPK_IDENTITY_KEY without having a PPK, and refuses a malformed one");
      }
      if (peer === "responder") expectNoPpk(s);
    });
  }
}

/** The same when the tester rekeys the IKE SA: the peer makes the new one without a PPK, and it answers. */
test("rekeys-an-ike-sa-without-the-ppk-on-offer", {
  requirements: ["PPKINT-L1", "PPKINT-29"],
  peer: "responder",
  lies: ["refuses-who-offers-a-ppk", "confirms-a-ppk-that-it-does-not-have"],
}, async (s) => {
  const session = await s.dial();
  s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => payloads.push(...OFFERS["a-ppk-identity-key"]));
  const rekeyed = await session.rekeyIke();
  expectNoPpk(s);
  await expectAlive(rekeyed);
});

/** What a responder returns that has chosen a PPK, or something of its kind. */
const CHOICES = { "a-ppk-identity": fromHex("0270706b31"), "an-empty-ppk-identity": fromHex("") };

for (const [what, data] of Object.entries(CHOICES)) {
  /**
   * The peer rekeys a Child SA and offers no PPK. The tester's response has ${what} all the same, which the peer ignores (RFC
   * 7296 section 3.10.1): both ends make the new SA without a PPK, and it carries traffic.
   */
  test(`rekeys-a-child-sa-as-ever-in-spite-of-${what}`, {
    requirements: ["PPKINT-L2"],
    peer: "initiator",
    lies: ["mixes-in-a-ppk-that-it-did-not-offer"],
  }, async (s) => {
    const session = await s.accept();
    const added = notify(NOTIFY.PPK_IDENTITY, data);
    s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => payloads.push(added), "response");
    await session.peerRekeysChild();
    await session.proveTraffic();
  });
}

function announce(s: Script, peer: PeerRole, types: readonly number[]): void {
  const all = [NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, NOTIFY.USE_PPK, ...types];
  // A responder that returns what was not offered says nothing of RFC 9242, which has its own tests.
  const ours = peer === "responder" ? all : types;
  s.change(
    EXCHANGE.IKE_SA_INIT,
    ({ payloads }) => payloads.push(...ours.map((type) => notify(type))),
    oursTo(peer),
  );
}

/** True if the last response is INVALID_SYNTAX. */
const calledMalformed = (s: Script): boolean =>
  hasNotify(s.trace.exchanges.at(-1)?.response?.payloads ?? [], NOTIFY.INVALID_SYNTAX);

/** Fails if the response of the last CREATE_CHILD_SA names a PPK. */
function expectNoPpk(s: Script): void {
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  const named = hasNotify(response?.payloads ?? [], NOTIFY.PPK_IDENTITY);
  require(!named, "no PPK_IDENTITY of a peer without a PPK", listPayloads(response));
}
