import {
  expectNoAnswer,
  expectTraffic,
  replies,
  require,
  sendEcho,
  test,
} from "../../harness/script/index.ts";
import { readU32 } from "../../harness/wire/bytes.ts";

for (const peer of ["responder", "initiator"] as const) {
  /** The SPI the peer chooses for its own inbound SA is none of 0 to 255, which are reserved. */
  test(`${peer}-chooses-no-reserved-spi`, {
    requirements: ["ESP-02", "ESP-03"],
    peer,
    lies: ["chooses-a-reserved-spi"],
  }, async (s) => {
    const session = await s.establish(peer);
    const spi = readU32(session.child.spiOut, 0);
    require(spi >= 256, "an SPI of 256 or more", String(spi));
    await expectTraffic(session, "the Child SA came up");
  });

  /**
   * Two echo requests, well sealed, under SPIs that no SA has: a reserved one and a neighbour of the right one. They
   * must not be delivered, and nobody is told: whoever sent them is not known. A notify INVALID_SPI inside of the
   * IKE SA (RFC 7296 section 1.5) is allowed. The Child SA goes on.
   */
  test(`as-${peer}-drops-packets-with-unknown-spi-silently`, {
    requirements: ["ESP-31", "ESP-46"],
    peer,
    lies: ["reflects-strays"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const since = s.mark();
    const unknown = [255, (readU32(session.child.spiOut, 0) ^ 0x10000) >>> 0];
    const echoes = unknown.map((spi) => sendEcho(session, { spi }));
    await s.wait();
    const delivered = echoes.some((echo) => replies(session, echo, false) > 0);
    require(!delivered, "packets with an unknown SPI dropped", "an echo reply");
    expectNoAnswer(s, since, "silence, or INVALID_SPI inside of the IKE SA");
    await expectTraffic(session, "packets with an unknown SPI");
  });
}
