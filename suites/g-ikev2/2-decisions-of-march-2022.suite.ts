import {
  controllerOf,
  controllerWithMember,
  damageGrants,
  EXCHANGE,
  expect,
  expectNoFindings,
  expectServesMember,
  expectUnread,
  feignNat,
  GROUP,
  GroupMember,
  group,
  inPlaceOf,
  joined,
  leavingOut,
  NOTIFY,
  notify,
  onlySa,
  PAYLOAD,
  type Payload,
  PROTOCOL,
  require,
  Script,
  Session,
  SN,
  TRANSFORM,
  test,
  Unsupported,
  withMember,
  withSaKey,
} from "../../harness/script/index.ts";

const kinds = (payloads: Payload[] = []): string => payloads.map(({ type }) => type).join(" ");

/** Registers twice from this port, and tells what kinds of payloads went to and fro. */
async function transcriptOn(s: Script, port: number, nat: boolean): Promise<string[]> {
  const { local, remote } = s.arena;
  const other = new Script({ ...s.arena, local: { ...local, port }, remote: { ...remote, port } }, s.trace);
  if (nat) feignNat(other, "request");
  const member = new GroupMember(other);
  const { sa } = port === local.port ? await member.register() : await registerOn(other, member);
  await member.registerMore();
  other.host.endpoint.core.closeIke(sa, "the transcript is written");
  return other.trace.exchanges
    .filter(({ by, exchangeType }) => by === "us" && exchangeType !== EXCHANGE.INFORMATIONAL)
    .map(({ exchangeType, request, response }) =>
      [exchangeType, kinds(request.payloads), kinds(response?.payloads)].join(": "),
    );
}

async function registerOn(other: Script, member: GroupMember) {
  const { sa, failure } = await other.tryInit();
  if (failure) throw new Unsupported("no answer on this port, which a controller may leave alone");
  other.host.endpoint.core.closeIke(sa, "the port is served");
  other.trace.exchanges.length = 0;
  return member.register();
}

for (const [where, nat] of Object.entries({ "without-a-nat": false, "behind-a-nat": true })) {
  /**
   * Decision S1. The tester registers by GSA_AUTH and again by GSA_REGISTRATION, first from port 500, then from port
   * 848, each time ${where}. Behaviour must not depend on the port of IKE_SA_INIT: message by message the same kinds
   * of payloads come. Note: a controller need not listen on port 848.
   */
  test(`says-the-same-to-who-begins-on-500-and-on-848-${where}`, {
    requirements: ["G-IKEV2-04"],
    peer: "responder",
    config: group(),
    lies: ["says-more-to-who-begins-on-848"],
  }, async (s) => {
    const ordinary = await transcriptOn(s, s.arena.local.port, nat);
    const gdoi = await transcriptOn(s, 848, nat);
    expect(gdoi, "messages on port 848").to.deep.equal(ordinary);
  });
}

const REFUSALS = {
  "an-unknown-group": NOTIFY.INVALID_GROUP_ID,
  "trouble-with-the-member": NOTIFY.AUTHORIZATION_FAILED,
  "trouble-with-the-group": NOTIFY.REGISTRATION_FAILED,
};

for (const [why, notifyType] of Object.entries(REFUSALS)) {
  /**
   * Decision S2. The controller refuses a registration with the notify that tells of ${why}, and with no policy and no
   * keys. Nothing is delivered to the member. Once the trouble is over, it registers as ever.
   */
  test(`is-no-member-after-a-refusal-for-${why}`, {
    requirements: ["G-IKEV2-103"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-group-errors"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const over = damageGrants(s, (payloads) => [
      ...leavingOut(PAYLOAD.KD)(leavingOut(PAYLOAD.GSA)(payloads)),
      notify(notifyType),
    ]);
    await gc.registers();
    await expectUnread(gc, "a refusal");
    over();
    await expectServesMember(gc);
  });
}

/**
 * Decision S4, superseded since: who fears quantum computers may rekey the IKE SA at once. The answer to GSA_AUTH has
 * policy and keys all the same (there is no notify that asks for the rekey any more). The tester rekeys the IKE SA and
 * registers again by GSA_REGISTRATION: those keys come under GSK_w of the new IKE SA.
 */
test("wraps-keys-by-the-new-ike-sa-when-it-is-rekeyed-at-once", {
  requirements: ["G-IKEV2-65"],
  peer: "responder",
  config: group(),
  lies: ["keeps-the-first-gsk-w"],
}, async (s) => {
  const { member, granted, log } = await joined(s);
  const { sa } = await new Session(s, granted.sa).rekeyIke();
  member.sa = sa;
  await member.registerMore();
  expectNoFindings(member);
  await log.afterRekey("data");
});

/** So that data cannot be read. */
const withoutDataKeys = withSaKey(new Uint8Array(16));

/**
 * Decision S4, superseded since: the controller rekeys the IKE SA right after GSA_AUTH, whose keys of the data SA were of
 * no use. The member registers by GSA_REGISTRATION, and unwraps the keys with GSK_w of the new IKE SA: data are
 * delivered.
 */
test("unwraps-keys-by-the-new-ike-sa-when-it-is-rekeyed-at-once", {
  requirements: ["G-IKEV2-65"],
  peer: "initiator",
  config: group(),
  lies: ["keeps-the-first-gsk-w"],
}, async (s) => {
  const gc = await controllerOf(s);
  const over = damageGrants(s, withoutDataKeys);
  const { request } = await gc.registers();
  over();
  require(request.sa !== undefined, "an IKE SA", "none");
  await new Session(s, request.sa).rekeyIke();
  await expectServesMember(gc);
  require(gc.registrations().at(-1)?.exchangeType ===
    EXCHANGE.GSA_REGISTRATION, "GSA_REGISTRATION on the new IKE SA", "GSA_AUTH");
});

const OTHER = { tunnel: "transport", transport: "tunnel" } as const;

for (const mode of ["tunnel", "transport"] as const) {
  /**
   * Decision S5: one registration is for ${mode} mode or for ${OTHER[mode]} mode, never for both. Both data SAs of the
   * group deliver what comes in ${mode} mode; what comes in ${OTHER[mode]} mode is not delivered on either.
   */
  test(`reads-both-data-sas-in-${mode}-mode-alone`, {
    requirements: ["G-IKEV2-W5"],
    peer: "initiator",
    config: group({ mode, data: ["aes128gcm16-unspec32", "aes128-sha256-unspec32"] }),
    lies: [mode === "tunnel" ? "takes-every-group-for-transport-mode" : "takes-every-group-for-tunnel-mode"],
  }, async (s) => {
    const gc = await withMember(s);
    const [first, second] = gc.dataSas();
    require(first !== undefined && second !== undefined, "two data SAs", "fewer");
    require(await gc.reads(second), `data in ${mode} mode on the second SA, too`, "nothing");
    gc.mode = OTHER[mode];
    for (const sa of [first, second]) await expectUnread(gc, `a group in ${mode} mode`, sa);
  });
}

/**
 * Decision S6: whether multicast ESP is encapsulated in UDP cannot be told, and it is not. The tester feigns a NAT, so
 * that the messages of the IKE SA go to port 4500. What the member sends to the group is IP protocol 50 nevertheless,
 * and what comes to it as IP protocol 50 is delivered.
 */
test("sends-multicast-esp-without-udp-behind-a-nat", {
  requirements: ["G-IKEV2-W6"],
  peer: "initiator",
  config: group(),
  lies: ["sends-multicast-esp-in-udp"],
}, async (s) => {
  feignNat(s, "response");
  const gc = await controllerWithMember(s, { sender: true });
  const since = s.mark();
  await s.arena.driver.groups?.send(GROUP, new TextEncoder().encode("from the member"));
  await s.until(() => gc.espOfPeer(since).length > 0, s.arena.quiet);
  require(gc.espOfPeer(since).length > 0, "ESP to the group as IP protocol 50", "none");
  require(await gc.reads(onlySa(gc)), "the peer to read multicast ESP", "nothing");
});

/** Gives the data SAs another Sequence Numbers transform. */
const withNumbers = (id: number) =>
  inPlaceOf(PAYLOAD.GSA, (gsa) => {
    if (gsa.kind !== "GSA") return [gsa];
    const policies = gsa.policies.map((policy) =>
      policy.kind === "SA" && policy.protocolId === PROTOCOL.ESP
        ? {
            ...policy,
            transforms: policy.transforms.map((t) => (t.type === TRANSFORM.SN ? { ...t, id } : t)),
          }
        : policy,
    );
    return [{ ...gsa, policies }];
  });

/**
 * Decision S7: 64-bit numbers (Sequence Numbers id 1) have no place in multicast SAs. The policy of a registration has
 * them; the member makes no SA of that, and may leave the group. Once the policy is right, data are delivered.
 */
test("takes-no-data-sa-with-64-bit-numbers", {
  requirements: ["G-IKEV2-B2"],
  peer: "initiator",
  config: group(),
  lies: ["takes-any-policy-of-a-group"],
}, async (s) => {
  const gc = await controllerOf(s);
  const over = damageGrants(s, withNumbers(SN.PARTIAL_64));
  await gc.registers();
  await expectUnread(gc, "a policy with 64-bit numbers");
  over();
  await expectServesMember(gc);
});

/**
 * Decision S7: an SA of several senders has Sequence Numbers id 2, as their numbers come in no order. The tester sends
 * three packets with the number 1, as three senders may: all are delivered.
 */
test("delivers-equal-numbers-of-several-senders", {
  requirements: ["G-IKEV2-W7"],
  peer: "initiator",
  config: group(),
  lies: ["drops-equal-numbers-of-several-senders"],
}, async (s) => {
  const gc = await withMember(s);
  for (const sender of ["second", "third"])
    require(await gc.reads(onlySa(gc)), `the packet of a ${sender} sender with the same number`, "nothing");
});
