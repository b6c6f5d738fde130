import {
  EXCHANGE,
  espFromPeer,
  expectEcho,
  expectTraffic,
  NOTIFY,
  notify,
  require,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * 1, 255 and 1000 octets behind the inner packet, which its own length does not count, hide how long it is. The peer
   * must cut them off by the inner length and deliver. Unsupported where the peer sent ESP_TFC_PADDING_NOT_SUPPORTED.
   */
  test(`as-${peer}-trims-tfc-padding`, {
    requirements: ["ESP-23"],
    peer,
    lies: ["drops-tfc-padding"],
  }, async (s) => {
    const session = await s.establish(peer);
    if (session.child.noTfc) throw new Unsupported("the peer sent ESP_TFC_PADDING_NOT_SUPPORTED");
    for (const tfc of [1, 255, 1000])
      await expectEcho(session, `a packet with ${tfc} octets of TFC padding`, { tfc });
    await expectTraffic(session, "TFC padding");
  });
}

for (const peer of ["responder", "initiator"] as const) {
  /** The tester sends ESP_TFC_PADDING_NOT_SUPPORTED when the Child SA is made: the peer's packets have no TFC padding. */
  test(`${peer}-sends-no-tfc-padding-to-whom-it-is-not-supported`, {
    requirements: ["ESP-21"],
    peer,
    lies: ["adds-tfc-padding-unasked"],
  }, async (s) => {
    const which = peer === "responder" ? "request" : "response";
    s.change(EXCHANGE.IKE_AUTH, (m) => m.payloads.push(notify(NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED)), which);
    const session = await s.establish(peer);
    const { child } = session;
    for (let i = 0; i < 4; i++) await expectTraffic(session, "ESP_TFC_PADDING_NOT_SUPPORTED");
    for (const { result } of espFromPeer(session, child)) {
      const octets = result.ok ? result.tfcLength : 0;
      require(octets === 0, "no TFC padding", `${octets} octets`);
    }
  });
}
