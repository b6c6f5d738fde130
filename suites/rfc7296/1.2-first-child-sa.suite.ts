import {
  EXCHANGE,
  espProposals,
  expect,
  expectKept,
  expectNotify,
  expectPayload,
  listPayloads,
  NOTIFY,
  PAYLOAD,
  payload,
  peerDeletedIke,
  require,
  type Script,
  Session,
  selector,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

/** Why the first Child SA cannot be. */
const REASONS: [name: string, notifyType: number, spoil: (s: Script) => void][] = [
  [
    "no-proposal-chosen",
    NOTIFY.NO_PROPOSAL_CHOSEN,
    (s) => {
      s.policy.esp = espProposals("aes256-sha512");
    },
  ],
  [
    "ts-unacceptable",
    NOTIFY.TS_UNACCEPTABLE,
    (s) => {
      s.policy.localTs = [selector("198.51.100.0/28")];
      s.policy.remoteTs = [selector("198.51.100.16/28")];
    },
  ],
];

for (const [reason, notifyType, spoil] of REASONS) {
  /**
   * Our IKE_AUTH request is right but for its Child SA, which the peer cannot accept. The IKE SA is created as
   * usual: the response holds IDr, AUTH and the notify, and the peer answers under this IKE SA afterwards.
   * Note: NO_PROPOSAL_CHOSEN may stand for any reason (section 3.10.1). That the peer then deletes the IKE SA, in
   * order, is tolerated.
   */
  test(`keeps-the-ike-sa-without-child-for-${reason}`, {
    requirements: ["IKEV2-007"],
    peer: "responder",
    lies: ["fails-ike-with-its-child"],
  }, async (s) => {
    spoil(s);
    const { sa } = await s.tryDial();
    const { response } = s.exchange(EXCHANGE.IKE_AUTH);
    expectNotify(response, notifyType, NOTIFY.NO_PROPOSAL_CHOSEN);
    expectPayload(response, PAYLOAD.IDr);
    expectPayload(response, PAYLOAD.AUTH);
    await expectKept(new Session(s, sa), "deletes the IKE SA that has no Child SA");
  });

  /**
   * The peer initiates; our IKE_AUTH response authenticates us and refuses only the Child SA. The peer must take
   * the IKE SA for established: it answers under it, or ends it with a Delete as only an established one is ended.
   */
  test(`as-initiator-keeps-the-ike-sa-after-${reason}`, {
    requirements: ["IKEV2-008", "IKEV2-191"],
    peer: "initiator",
    lies: ["fails-ike-with-its-child"],
  }, async (s) => {
    spoil(s);
    const answer = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer")[0]?.response;
    await s.provoke(() => answer() !== undefined);
    const sa = answer()?.sa;
    require(sa !== undefined, "an IKE_AUTH request of the peer", s.lastReason());
    const kept = (await new Session(s, sa).alive()) || peerDeletedIke(s);
    require(kept, "the IKE SA alive, or its Delete", sa.closedBecause ?? "silence");
  });
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Both ends are set to a key exchange for Child SAs. The first Child SA has none: the peer's part of IKE_AUTH
   * holds no KE and no Nonce, and its SA payload no key exchange transform other than NONE, which it had better
   * leave out as well.
   */
  test(`as-${peer}-has-no-key-exchange-in-ike-auth`, {
    requirements: ["IKEV2-009", "IKEV2-010", "IKEV2-012"],
    peer,
    lies: ["names-a-group-in-ike-auth", "sends-a-nonce-in-ike-auth"],
    config: { espProposals: ["aes256gcm16-ecp256"] },
  }, async (s) => {
    await (peer === "responder"
      ? s.tryDial()
      : s.provoke(() => s.trace.exchangesOf(EXCHANGE.IKE_AUTH).length > 0));
    const exchange = s.exchange(EXCHANGE.IKE_AUTH, peer === "responder" ? "us" : "peer");
    const message = peer === "responder" ? exchange.response : exchange.request;
    expectPayload(message, PAYLOAD.SA);
    const kinds = message?.payloads.map((p) => p.kind);
    require(!kinds?.includes("KE") && !kinds?.includes("Nonce"), "no KE and no Nonce", listPayloads(message));
    const offers = payload(message?.payloads ?? [], "SA")?.proposals ?? [];
    const groups = offers.flatMap((o) => o.transforms.filter((t) => t.type === TRANSFORM.KE));
    expect(
      groups.filter((g) => g.id !== 0),
      "groups in IKE_AUTH",
    ).to.deep.equal([]);
    if (groups.length > 0) s.tolerate("names the group NONE, which section 1.2 recommends to leave out");
  });
}
