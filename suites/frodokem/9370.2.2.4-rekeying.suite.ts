import {
  EXCHANGE,
  expectAlive,
  expectKeysOfItsOwn,
  expectSizes,
  KEM_PLACES,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const LIES = ["leaves-kem-secrets-out-of-rekeyed-keys", "pads-the-secrets-of-kems"];
const REKEYING = ["FRODO-01", "FRODO-07", "FRODO-12"];

for (const peer of ROLES) {
  /**
   * The Child SA is rekeyed with FrodoKEM-640-AES alone in CREATE_CHILD_SA: by the tester, then by the peer. Both new ones carry
   * traffic, and the keys differ.
   */
  test(`rekeys-a-child-sa-with-frodokem-alone-as-${peer}`, {
    requirements: [...REKEYING, "FRODO-03", "FRODO-04"],
    peer,
    config: KEM_PLACES["create-child-sa"].config("frodoa1"),
    lies: [...LIES, "puts-a-length-behind-its-kem-values"],
  }, async (s) => {
    const session = await s.establish(peer);
    const ours = await session.rekeyChild();
    expectSizes(s, "us", "frodoa1", EXCHANGE.CREATE_CHILD_SA);
    await session.proveTraffic(ours);
    const theirs = await session.peerRekeysChild(ours);
    expectSizes(s, "peer", "frodoa1", EXCHANGE.CREATE_CHILD_SA);
    await session.proveTraffic(theirs);
  });

  /** The IKE SA has FrodoKEM-640-AES behind X25519, and so have those that replace it, in IKE_FOLLOWUP_KE. The newest one answers. */
  test(`rekeys-an-ike-sa-with-frodokem-beside-x25519-as-${peer}`, {
    requirements: REKEYING,
    peer,
    config: KEM_PLACES["ike-intermediate"].config("frodoa1"),
    lies: LIES,
  }, async (s) => {
    const ours = await (await s.establish(peer)).rekeyIke();
    expectSizes(s, "us", "frodoa1", EXCHANGE.IKE_FOLLOWUP_KE);
    await expectAlive(ours);
    const theirs = await ours.peerRekeysIke();
    expectSizes(s, "peer", "frodoa1", EXCHANGE.IKE_FOLLOWUP_KE);
    await expectAlive(theirs);
    await theirs.proveTraffic();
  });

  /** The peer rekeys its Child SA twice with FrodoKEM-640-AES alone: its keys differ. */
  test(
    `has-a-key-of-its-own-for-each-child-sa-as-${peer}`,
    {
      requirements: ["FRODO-14"],
      peer,
      config: KEM_PLACES["create-child-sa"].config("frodoa1"),
      lies: ["keeps-its-kem-key"],
    },
    (s) => expectKeysOfItsOwn(s, peer, "frodoa1", "public keys"),
  );
}
