import { expect } from "chai";
import fc from "fast-check";
import { decodeMessage, isFrameError } from "../wire/index.ts";
import { Linter } from "./linter.ts";
import { whole } from "./rules/planted/rfc7296/conversations.ts";
import { message } from "./rules/planted/rfc7296/rows.ts";
import { seenOf } from "./rules/planted/rfc7296/said.ts";
import type { SeenIke } from "./seen.ts";

/** Octets behind four of zero on port 4500, as a decoder gives them. */
function behindMarker(octets: Uint8Array, port = 4500): SeenIke | undefined {
  const decoded = decodeMessage(octets);
  if (isFrameError(decoded)) return undefined;
  return {
    ...{ kind: "ike", transport: "udp", packets: [1], timeMs: 0, octets, message: decoded },
    ...{ source: { host: "192.0.2.1", port }, destination: { host: "192.0.2.2", port } },
  };
}

const found = (seen: SeenIke | undefined): string[] =>
  seen ? new Linter().see(seen).map(({ requirement, rule }) => `${requirement} ${rule}`) : [];

/** ESP with SPI 0 behind its SPI: a number, then what looks random. */
const packet = (sequence: number, rest: Uint8Array): Uint8Array =>
  Uint8Array.from([...new Uint8Array([0, 0, sequence >> 8, sequence & 0xff]), ...rest]);

describe("what looks like IKE", () => {
  it("is told from ESP with an SPI of zero, which is accused of just that", () => {
    const octets = packet(
      7,
      Uint8Array.from({ length: 60 }, (_, at) => (at * 89 + 200) & 0xff),
    );
    expect(found(behindMarker(octets))).to.deep.equal(["ESP-NAT-01 esp-with-spi-zero"]);
    expect(found(behindMarker(octets, 500))).to.deep.equal([]);
    octets[1] = 9;
    expect(found(behindMarker(octets))).to.deep.equal([]);
  });

  it("has no more than one odd field in its header: else nobody is accused under rules of IKE", () => {
    const noise = fc.uint8Array({ minLength: 24, maxLength: 80 });
    fc.assert(
      fc.property(noise, fc.nat(65_535), (rest, sequence) => {
        const octets = packet(sequence, rest);
        // Neither the version of IKE nor a flag that IKE has.
        octets[17] = 0xa5;
        octets[19] = 0xc3;
        expect(
          found(behindMarker(octets)).filter((one) => one !== "ESP-NAT-01 esp-with-spi-zero"),
        ).to.deep.equal([]);
      }),
      { numRuns: 50 },
    );
    const said = whole();
    message(said, 3).header = { version: 0x30, length: 9 };
    const linter = new Linter();
    const rules = seenOf(said)
      .flatMap((seen) => linter.see(seen))
      .map(({ rule }) => rule);
    expect(rules).to.deep.equal([]);
  });
});
