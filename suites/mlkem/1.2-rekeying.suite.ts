import {
  EXCHANGE,
  expectAlive,
  expectRounds,
  expectSizes,
  KEM_PLACES,
  methodNumber,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SETS = { "ml-kem-512": "mlkem512", "ml-kem-768": "mlkem768", "ml-kem-1024": "mlkem1024" };
const FORMATS = ["MLKEM-01", "MLKEM-02", "MLKEM-03", "MLKEM-04", "MLKEM-05"];
const REKEYING = ["MLKEM-21", ...FORMATS];
const LIES = ["leaves-kem-secrets-out-of-rekeyed-keys", "pads-the-secrets-of-kems"];
const FOLLOWUP = EXCHANGE.IKE_FOLLOWUP_KE;
const CREATE = EXCHANGE.CREATE_CHILD_SA;

for (const [index, [name, set]] of Object.entries(SETS).entries()) {
  const [peer, other] = index % 2 === 0 ? ROLES : ROLES.toReversed();
  /** The Child SA is rekeyed with ${name} alone in CREATE_CHILD_SA: by the tester, then by the peer. Both new ones carry traffic. */
  test(`rekeys-a-child-sa-with-${name}-alone-as-${peer}`, {
    requirements: REKEYING,
    peer,
    config: KEM_PLACES["create-child-sa"].config(set),
    lies: LIES,
  }, async (s) => {
    const session = await s.establish(peer);
    const ours = await session.rekeyChild();
    expectSizes(s, "us", set, CREATE);
    await session.proveTraffic(ours);
    const theirs = await session.peerRekeysChild(ours);
    expectSizes(s, "peer", set, CREATE);
    await session.proveTraffic(theirs);
  });

  /** The same with X25519 in CREATE_CHILD_SA and ${name} in the IKE_FOLLOWUP_KE behind it. */
  test(`rekeys-a-child-sa-with-${name}-beside-x25519-as-${other}`, {
    requirements: REKEYING,
    peer: other,
    config: KEM_PLACES["ike-followup-ke"].config(set),
    lies: LIES,
  }, async (s) => {
    const session = await s.establish(other);
    const ours = await session.rekeyChild();
    expectRounds(s, "us", [methodNumber(s, set)], FOLLOWUP);
    expectSizes(s, "us", set, FOLLOWUP);
    await session.proveTraffic(ours);
    const theirs = await session.peerRekeysChild(ours);
    expectSizes(s, "peer", set, FOLLOWUP);
    await session.proveTraffic(theirs);
  });

  /** The IKE SA is rekeyed with ${name} alone in CREATE_CHILD_SA: by the tester, then by the peer. The newest one answers. */
  test(`rekeys-an-ike-sa-with-${name}-alone-as-${other}`, {
    requirements: REKEYING,
    peer: other,
    config: KEM_PLACES["ike-sa-init"].config(set),
    lies: LIES,
  }, async (s) => {
    const ours = await (await s.establish(other)).rekeyIke();
    expectSizes(s, "us", set, CREATE);
    await expectAlive(ours);
    const theirs = await ours.peerRekeysIke();
    expectSizes(s, "peer", set, CREATE);
    await expectAlive(theirs);
    await theirs.proveTraffic();
  });

  /** The same with X25519 in CREATE_CHILD_SA and ${name} in the IKE_FOLLOWUP_KE behind it. */
  test(`rekeys-an-ike-sa-with-${name}-beside-x25519-as-${peer}`, {
    requirements: REKEYING,
    peer,
    config: KEM_PLACES["ike-intermediate"].config(set),
    lies: LIES,
  }, async (s) => {
    const ours = await (await s.establish(peer)).rekeyIke();
    expectSizes(s, "us", set, FOLLOWUP);
    await expectAlive(ours);
    const theirs = await ours.peerRekeysIke();
    expectSizes(s, "peer", set, FOLLOWUP);
    await expectAlive(theirs);
    await theirs.proveTraffic();
  });
}
