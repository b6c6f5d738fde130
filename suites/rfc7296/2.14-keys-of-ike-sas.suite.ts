import { expectAlive, type KeyPair, require, SetupProblem, test } from "../../harness/script/index.ts";

/** A proposal for each PRF, each group and each cipher; what is not named is ordinary. */
const PRFS = ["aes256-sha1-modp2048", "aes256-sha256-x25519", "aes256-sha384-ecp384", "aes256-sha512-ecp256"];
/** Beside x25519, which stands among the PRFs. */
const GROUPS = ["ecp256", "ecp384", "ecp521", "modp2048", "modp3072", "modp4096"];
const CIPHERS = [
  "aes128-sha256",
  "aes192-sha256",
  "aes256ctr-sha256",
  "aes128gcm16-prfsha256",
  "aes256gcm16-prfsha384",
  "aes256ccm16-prfsha256",
  "chacha20poly1305-prfsha256",
];

interface Suite {
  proposal: string;
  peer: "initiator" | "responder";
  requirements: string[];
}

/** All PRFs in both roles, groups and ciphers in one. */
const SUITES: Suite[] = [
  ...PRFS.flatMap((proposal) =>
    (["initiator", "responder"] as const).map((peer) => ({
      ...{ proposal, peer },
      requirements: ["IKEV2-153", "IKEV2-154", "IKEV2-155"],
    })),
  ),
  ...GROUPS.map((group) => ({
    ...{ proposal: `aes256-sha256-${group}`, peer: "responder" as const },
    requirements: ["IKEV2-155", "IKEV2-253"],
  })),
  ...CIPHERS.map((cipher) => ({
    ...{ proposal: `${cipher}-x25519`, peer: "responder" as const },
    requirements: ["IKEV2-155", "IKEV2-283", "IKEV2-304", "IKEV2-305", "IKEV2-306"],
  })),
];

for (const { proposal, peer, requirements } of SUITES) {
  /**
   * The peer is configured for these transforms only. Both sides derive the same keys: IKE_AUTH and a liveness
   * check open and verify, then the IKE SA is rekeyed with the same transforms, and traffic passes.
   */
  test(`derives-the-keys-of-${proposal}-as-${peer}`, {
    requirements,
    peer,
    lies: ["swaps-ni-and-nr-in-skeyseed", "swaps-sk-ei-and-sk-er"],
    config: { ikeProposals: [proposal] },
  }, async (s) => {
    const session = await s.establish(peer);
    await expectAlive(session);
    const second = await session.rekeyIke();
    await expectAlive(second);
    await second.proveTraffic();
  });
}

/** Tries until the shared secret with the peer's public value begins with an octet of zero. */
function withLeadingZero(make: () => KeyPair, peerPublic: Uint8Array): KeyPair {
  for (let tries = 0; tries < 20_000; tries++) {
    const pair = make();
    const secret = pair.derive(peerPublic);
    if (secret instanceof Uint8Array && secret[0] === 0) return pair;
  }
  throw new SetupProblem("no shared secret with a leading zero in 20000 tries");
}

for (const group of ["modp2048", "ecp256", "x25519"]) {
  /**
   * The tester chooses its key pair so that the shared secret begins with an octet of zero. g^ir keeps its length
   * all the same, so that both sides derive the same keys.
   */
  test(`keeps-the-leading-zero-of-a-shared-secret-of-${group}`, {
    requirements: ["IKEV2-156"],
    peer: "initiator",
    lies: ["strips-leading-zeros-of-g-ir"],
    config: { ikeProposals: [`aes256-sha256-${group}`] },
  }, async (s) => {
    let used = false;
    s.extensions.push({
      name: "leading zero",
      keyPair: (make, peerPublic) => {
        if (!peerPublic) return make();
        used = true;
        return withLeadingZero(make, peerPublic);
      },
    });
    const session = await s.accept();
    require(used, "a key pair chosen for the peer's public value", "an ordinary one");
    await expectAlive(session);
  });
}
