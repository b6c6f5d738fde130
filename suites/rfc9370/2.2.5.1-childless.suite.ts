import {
  EXCHANGE,
  expectSeries,
  hasNotify,
  hybrid,
  ikeProposals,
  NOTIFY,
  payload,
  require,
  type Script,
  Session,
  TRANSFORM,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const CLASSICAL = "aes256-sha256-x25519";
const HYBRID = hybrid("ke1_ecp256-ke2_ecp384");
const [ECP256, ECP384] = [19, 20];
/** A Child SA has additional key exchanges of its own. */
const espProposals = ["aes256gcm16-x25519-ke1_ecp384", "aes256gcm16"];

/** Fails if the newest IKE_SA_INIT choice has additional key exchanges. */
function expectClassical(s: Script, by: "us" | "peer"): void {
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT, by);
  const chosen = payload(response?.payloads ?? [], "SA")?.proposals[0]?.transforms ?? [];
  const additional = chosen.some(({ type }) => type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7);
  require(!additional, "an IKE SA without additional key exchanges", "one with some");
}

/**
 * The tester sets up a childless IKE SA without additional key exchanges. It rekeys that at once, with two of them, and makes the
 * first Child SA on the new IKE SA, with one more. Traffic passes.
 */
test("is-rekeyed-with-additional-key-exchanges-before-its-first-child-sa", {
  requirements: ["MKE-42"],
  peer: "responder",
  lies: ["leaves-follow-ups-out-of-the-keys"],
  config: { ikeProposals: [HYBRID, CLASSICAL], espProposals },
}, async (s) => {
  s.policy.ike = ikeProposals(CLASSICAL);
  const { sa } = await s.init();
  const { payloads = [] } = s.exchange(EXCHANGE.IKE_SA_INIT).response ?? {};
  if (!hasNotify(payloads, NOTIFY.CHILDLESS_IKEV2_SUPPORTED))
    throw new Unsupported("the peer does not announce CHILDLESS_IKEV2_SUPPORTED");
  const { failure } = await s.tryAuth(sa, { childless: true });
  require(!failure, "a childless IKE SA", failure ?? "");
  expectClassical(s, "us");
  const next = await new Session(s, sa).rekeyIke({ proposals: ikeProposals(HYBRID) });
  expectSeries(s, "us", [ECP256, ECP384]);
  await next.proveTraffic(await next.createChild());
  expectSeries(s, "us", [ECP384]);
});

/**
 * The peer begins without a Child SA, and the tester chooses a proposal without additional key exchanges. The peer makes its Child SA
 * by CREATE_CHILD_SA. Then the tester rekeys the IKE SA with two additional key exchanges, and the Child SA with one: traffic
 * passes under the new keys.
 */
test("is-rekeyed-with-additional-key-exchanges-after-a-childless-beginning", {
  requirements: ["MKE-42"],
  peer: "initiator",
  lies: ["leaves-follow-ups-out-of-the-keys"],
  config: { ikeProposals: [CLASSICAL, HYBRID], espProposals, childless: "force" },
}, async (s) => {
  s.policy.ike = ikeProposals(CLASSICAL);
  const session = await s.accept();
  expectClassical(s, "peer");
  const next = await session.rekeyIke({ proposals: ikeProposals(HYBRID) });
  expectSeries(s, "us", [ECP256, ECP384]);
  await next.rekeyChild();
  expectSeries(s, "us", [ECP384]);
  await next.proveTraffic();
});
