import {
  type ChildSa,
  changeKe,
  concat,
  EXCHANGE,
  errorNotify,
  expectKept,
  expectRefusedRound,
  expectUnused,
  NOTIFY,
  ourFollowUp,
  type Payload,
  require,
  test,
  tryRekey,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { IKE_FOLLOWUP_KE } = EXCHANGE;

/** What the tester's KE payload in IKE_FOLLOWUP_KE is instead of what was negotiated. */
const SPOILT_KE: [name: string, change: (ke: Extract<Payload, { kind: "KE" }>) => Payload[], lie: string][] =
  [
    ["of-another-method", (ke) => [{ ...ke, group: 31 }], "takes-a-follow-up-of-another-method"],
    [
      "of-too-many-octets",
      (ke) => [{ ...ke, data: concat(ke.data, Uint8Array.of(0)) }],
      "cuts-ke-values-that-are-too-long",
    ],
    [
      "beside-one-of-another-method",
      (ke) => [ke, { ...ke, group: 31 }],
      "overlooks-a-second-ke-in-a-follow-up",
    ],
    ["left-out", () => [], "does-without-ke-in-a-follow-up"],
  ];

for (const [i, [name, spoil, lie]] of SPOILT_KE.entries())
  for (const peer of i === 0 ? ROLES : ROLES.slice(i % 2, (i % 2) + 1)) {
    /**
     * The tester rekeys the Child SA, and the KE payload of its IKE_FOLLOWUP_KE request is what the name says. The peer
     * refuses it with an error, and makes no Child SA. It may end the IKE SA by that, as INVALID_SYNTAX does.
     * Note: to delete the IKE SA after another error is tolerated.
     */
    test(`as-${peer}-refuses-a-follow-up-with-ke-${name}`, {
      requirements: name === "of-another-method" ? ["MKE-31"] : ["MKE-25", "MKE-31"],
      peer,
      lies: [lie],
      config: withFollowUps("child-sa", "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      s.change(IKE_FOLLOWUP_KE, changeKe(spoil));
      await tryRekey(session, "child-sa");
      const { response } = ourFollowUp(s);
      expectRefusedRound(response);
      if (errorNotify(response?.payloads ?? [])?.notifyType === NOTIFY.INVALID_SYNTAX)
        return require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
      await expectKept(session, "deletes the IKE SA after a bad IKE_FOLLOWUP_KE");
    });
  }

for (const [i, [name, spoil, lie]] of SPOILT_KE.slice(0, 3).entries())
  for (const peer of i === 0 ? ROLES : ROLES.slice(i % 2, (i % 2) + 1)) {
    /**
     * The peer rekeys the Child SA on command, and the KE payload of the tester's IKE_FOLLOWUP_KE response is what the name
     * says. The peer does not use the new Child SA.
     */
    test(`as-${peer}-takes-no-follow-up-response-with-ke-${name}`, {
      requirements: ["MKE-31"],
      peer,
      lies: [lie],
      config: withFollowUps("child-sa", "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      const { child: old } = session;
      s.change(IKE_FOLLOWUP_KE, changeKe(spoil), "response");
      await s.arena.driver.rekeyChild();
      const made = (): ChildSa | undefined => s.trace.childSas().find((c) => c.replaces === old);
      require(await s.until(() => made() !== undefined), "IKE_FOLLOWUP_KE", s.lastReason());
      const fresh = made();
      if (fresh) await expectUnused(session, fresh);
    });
  }
