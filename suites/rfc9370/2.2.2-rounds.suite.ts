import { expectRounds, test } from "../../harness/script/index.ts";

for (const [name, spec, expected] of [
  ["one-more-key-exchange", "ke1_ecp256", [19]],
  ["ml-kem-768", "ke1_mlkem768", [36]],
  ["three-more-key-exchanges", "ke1_ecp256-ke3_mlkem1024-ke7_ecp384", [19, 37, 20]],
] as const)
  /**
   * Both ends do the additional key exchanges one after the other in IKE_INTERMEDIATE, and then have keys that depend
   * on all of them: IKE_AUTH and ESP can be read with ours.
   */
  for (const peer of ["responder", "initiator"] as const)
    test(`does-${name}-as-${peer}`, {
      requirements: ["MKE-03", "MKE-19", "MKE-21"],
      peer,
      lies: [],
      config: { ikeProposals: [`aes256-sha256-x25519-${spec}`] },
    }, async (s) => {
      const session = await s.establish(peer);
      expectRounds(s, peer === "responder" ? "us" : "peer", expected);
      await session.proveTraffic();
    });
