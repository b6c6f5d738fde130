import { hex, payload, require, test } from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /** The Child SA is rekeyed by the peer and by the tester: no two messages of the peer have the same nonce. */
  test(`never-repeats-a-nonce-as-${peer}`, {
    requirements: ["IKEV2-267"],
    peer,
    lies: ["repeats-its-nonce-in-create-child-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.peerRekeysChild();
    await session.rekeyChild();
    const messages = s.trace.exchanges.flatMap((e) => (e.by === "peer" ? e.request : e.response) ?? []);
    // An IKE_SA_INIT request that is asked for a cookie or another group comes again with the nonce that it had.
    const last = new Map(
      messages.map((m) => [`${m.header.flags} ${hex(m.header.spiI)} ${m.header.messageId}`, m]),
    );
    const nonces = [...last.values()].flatMap((m) => payload(m.payloads, "Nonce")?.data ?? []).map(hex);
    require(nonces.length >= 3, "three messages with a nonce", `${nonces.length}`);
    require(new Set(nonces).size === nonces.length, "no nonce twice", nonces.join(" "));
  });
}
