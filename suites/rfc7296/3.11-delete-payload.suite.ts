import {
  type DeletePayload,
  EXCHANGE,
  equal,
  hex,
  listPayloads,
  PROTOCOL,
  payload,
  require,
  type SeenMessage,
  test,
} from "../../harness/script/index.ts";

function deleteOf(message: SeenMessage): DeletePayload {
  const found = payload(message.payloads, "Delete");
  require(found !== undefined, "a Delete payload", listPayloads(message));
  return found;
}

const text = (d: DeletePayload): string =>
  `protocol ${d.protocolId}, SPI size ${d.spiSize}, SPIs [${d.spis.map(hex).join(" ")}]`;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer deletes its Child SA and then the IKE SA on command. The first Delete is of ESP and has its SPI of 4
   * octets; the second is of IKE, with SPI size 0 and no SPI.
   */
  test(`sends-well-formed-deletes-as-${peer}`, {
    requirements: ["IKEV2-273", "IKEV2-274", "IKEV2-040"],
    peer,
    lies: ["names-both-spis-of-a-pair", "names-the-spi-of-the-ike-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { driver } = s.arena;
    const { spiOut } = session.child;
    const deletes = () =>
      s.trace
        .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
        .filter((e) => e.response && payload(e.request.payloads, "Delete"));
    const first = await session.provoke(
      () => driver.delete("child"),
      () => deletes()[0],
      "a Delete of the Child SA",
    );
    const ofChild = deleteOf(first.request);
    const right = ofChild.protocolId === PROTOCOL.ESP && ofChild.spiSize === 4 && ofChild.spis.length === 1;
    require(right && equal(ofChild.spis[0] ?? spiOut, spiOut), `ESP, SPI ${hex(spiOut)} alone`, text(
      ofChild,
    ));
    const second = await session.provoke(
      () => driver.delete("ike"),
      () => deletes()[1],
      "a Delete of the IKE SA",
    );
    const ofIke = deleteOf(second.request);
    const empty = ofIke.protocolId === PROTOCOL.IKE && ofIke.spiSize === 0 && ofIke.spis.length === 0;
    require(empty, "IKE, SPI size 0, no SPI", text(ofIke));
  });
}
