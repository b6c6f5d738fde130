import {
  EXCHANGE,
  expect,
  expectNoNotify,
  expectTraffic,
  NOTIFY,
  notifies,
  type SeenMessage,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const ANNOUNCEMENT = NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED;

/** The notify is there once, names no protocol and no SPI, and has no data. */
function expectAnnouncement(message: SeenMessage | undefined): void {
  const found = notifies(message?.payloads ?? [], ANNOUNCEMENT);
  if (found.length === 0) throw new Unsupported("the peer did not announce IKEV2_FRAGMENTATION_SUPPORTED");
  expect(found, "notifies IKEV2_FRAGMENTATION_SUPPORTED").to.have.length(1);
  const [{ protocolId, spi, data } = { protocolId: 0, spi: [], data: [] }] = found;
  expect(protocolId, "Protocol ID").to.equal(0);
  expect(spi.length, "SPI Size").to.equal(0);
  expect(data.length, "octets of notification data").to.equal(0);
}

/** The peer announces fragmentation in its IKE_SA_INIT response, with Protocol ID 0, no SPI and no data. */
test("responder-announces-fragmentation", {
  requirements: ["IKEFRAG-03", "IKEFRAG-04", "IKEFRAG-50"],
  peer: "responder",
  lies: ["announces-fragmentation-with-data", "announces-fragmentation-for-esp"],
  config: { fragmentation: true },
}, async (s) => {
  await s.init();
  expectAnnouncement(s.exchange(EXCHANGE.IKE_SA_INIT).response);
});

/** The peer announces fragmentation in its IKE_SA_INIT request, with Protocol ID 0, no SPI and no data. */
test("initiator-announces-fragmentation", {
  requirements: ["IKEFRAG-02", "IKEFRAG-04", "IKEFRAG-50"],
  peer: "initiator",
  lies: ["announces-fragmentation-with-data", "announces-fragmentation-for-esp"],
  config: { fragmentation: true },
}, async (s) => {
  await s.accept();
  expectAnnouncement(s.exchange(EXCHANGE.IKE_SA_INIT, "peer").request);
});

/** The tester does not announce fragmentation, so the peer's response must not either. The SA comes up without. */
test("announces-nothing-to-whom-did-not", {
  requirements: ["IKEFRAG-03"],
  peer: "responder",
  lies: ["announces-fragmentation-unasked"],
}, async (s) => {
  s.fragmentation();
  const session = await s.dial();
  expectNoNotify(s.exchange(EXCHANGE.IKE_SA_INIT).response, ANNOUNCEMENT);
  await expectTraffic(session, "IKE_AUTH without fragmentation");
});

/**
 * A peer that is told not to use fragmentation behaves like one that does not know RFC 7383: it ignores the
 * tester's notify and does not repeat it. The SA comes up in plain SK payloads.
 */
test("announces-nothing-when-switched-off", {
  requirements: ["IKEFRAG-52", "IKEFRAG-03"],
  peer: "responder",
  lies: ["announces-fragmentation-unasked"],
  config: { fragmentation: false },
}, async (s) => {
  const session = await s.dial();
  expectNoNotify(s.exchange(EXCHANGE.IKE_SA_INIT).response, ANNOUNCEMENT);
  await expectTraffic(session, "IKE_AUTH without fragmentation");
});
