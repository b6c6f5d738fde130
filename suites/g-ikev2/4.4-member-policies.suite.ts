import {
  changeGrants,
  controllerWithMember,
  ENCR,
  EXCHANGE,
  expect,
  expectServesMember,
  expectUnread,
  GCAUTH,
  GROUP,
  type GroupController,
  type GsaPolicy,
  group,
  hasNotify,
  identity,
  listPayloads,
  NOTIFY,
  onlySa,
  PAYLOAD,
  PROTOCOL,
  payload,
  require,
  type SeenMessage,
  saPolicies,
  selector,
  TRANSFORM,
  type Transform,
  test,
} from "../../harness/script/index.ts";

type Change = (policy: GsaPolicy) => void;

const NOBODY_KNOWS = 65_000;

const without =
  (type: number): Change =>
  (policy) => {
    policy.transforms = policy.transforms.filter((transform) => transform.type !== type);
  };

const adding =
  (more: Transform): Change =>
  (policy) => {
    policy.transforms = [...policy.transforms, more];
  };

/** Another id in the transforms of a type. */
const instead =
  (type: number, id: number): Change =>
  (policy) => {
    policy.transforms = policy.transforms.map((t) => (t.type === type ? { ...t, id } : t));
  };

const plainGcauth: Change = (policy) => {
  policy.transforms = policy.transforms.map((t) =>
    t.type === TRANSFORM.GCAUTH ? { ...t, attributes: [] } : t,
  );
};

/** What nobody can follow in the policy of a data SA, or should not. */
const DATA: Record<string, Change> = {
  "a-cipher-that-nobody-knows": instead(TRANSFORM.ENCR, NOBODY_KNOWS),
  "an-implicit-iv-for-several-senders": instead(TRANSFORM.ENCR, ENCR.AES_GCM_16_IIV),
  "no-sequence-numbers": without(TRANSFORM.SN),
  "two-kinds-of-sequence-numbers": adding({ type: TRANSFORM.SN, id: 0, attributes: [] }),
  "integrity-beside-an-aead-cipher": adding({ type: TRANSFORM.INTEG, id: 12, attributes: [] }),
  "sequence-numbers-that-nobody-knows": instead(TRANSFORM.SN, NOBODY_KNOWS),
};

/** The same for the Rekey SA. */
const REKEY: Record<string, Change> = {
  "a-rekey-sa-to-one-host": (policy) => {
    policy.destination = { ...policy.destination, ...hostRange("192.0.2.1/32") };
  },
  "a-rekey-sa-to-a-range-of-ports": (policy) => {
    policy.destination = { ...policy.destination, endPort: 900 };
  },
  "a-rekey-sa-over-tcp": (policy) => {
    policy.destination = { ...policy.destination, ipProtocol: 6 };
  },
  "a-rekey-sa-without-key-wrap": without(TRANSFORM.KWA),
  "a-rekey-sa-without-authentication": without(TRANSFORM.GCAUTH),
  "a-rekey-sa-with-a-signature-of-no-algorithm": plainGcauth,
  "a-rekey-sa-of-an-authentication-that-nobody-knows": instead(TRANSFORM.GCAUTH, NOBODY_KNOWS),
  "a-rekey-sa-with-an-implicit-iv": instead(TRANSFORM.ENCR, ENCR.AES_GCM_16_IIV),
  "a-rekey-sa-of-implicit-authentication-with-an-algorithm": instead(TRANSFORM.GCAUTH, GCAUTH.IMPLICIT),
};

function hostRange(prefix: string) {
  const { startAddress, endAddress } = selector(prefix);
  return { startAddress, endAddress };
}

/** By which the peer leaves the group: GSA_REGISTRATION with one of two errors (section 2.3.2). */
function farewellOf({ script }: GroupController): SeenMessage | undefined {
  const errors = [NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.REGISTRATION_FAILED];
  return script.trace
    .exchangesOf(EXCHANGE.GSA_REGISTRATION, "peer")
    .map(({ request }) => request)
    .find(({ payloads }) => errors.some((type) => hasNotify(payloads, type)));
}

/**
 * The peer has got a policy that it should refuse. If it says so it names the group, and takes no data; if it says nothing
 * that is tolerated, and so is following the policy.
 */
async function expectRefusal(gc: GroupController): Promise<void> {
  const { script } = gc;
  const farewell = farewellOf(gc);
  if (!farewell) {
    const follows = await gc.reads(onlySa(gc));
    return script.tolerate(follows ? "follows the policy all the same" : "does not tell that it refuses");
  }
  const IDg = payload(farewell.payloads, "ID", PAYLOAD.IDg);
  require(IDg !== undefined, "IDg beside the error", listPayloads(farewell));
  expect({ type: IDg.idType, data: IDg.data }, "IDg").to.deep.equal(identity(GROUP));
  await expectUnread(gc, "a policy that the peer has refused");
}

const CASES = [
  ...Object.entries(DATA).map(([what, change]) => ({ what, change, protocolId: PROTOCOL.ESP })),
  ...Object.entries(REKEY).map(([what, change]) => ({ what, change, protocolId: PROTOCOL.GIKE_UPDATE })),
];

for (const { what, change, protocolId } of CASES) {
  /**
   * The controller's policy has ${what}, which the member did not offer or which section 4.4.2 forbids. The peer should
   * tell by GSA_REGISTRATION with IDg and NO_PROPOSAL_CHOSEN that it does not take part (section 2.3.1). Once the
   * policy is good it is a member. Note: the text asks no more than SHOULD of it, so silence is tolerated.
   */
  test(`leaves-a-group-with-${what}`, {
    requirements: ["G-IKEV2-11"],
    peer: "initiator",
    config: group(),
    lies: ["leaves-without-naming-the-group"],
  }, async (s) => {
    const over = changeGrants(s, ({ payloads }) => saPolicies(payloads, protocolId).forEach(change));
    const gc = await controllerWithMember(s);
    await expectRefusal(gc);
    over();
    await expectServesMember(gc);
  });
}
