import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type DecodedFrame, type DecodedIke, eachFrame, tsharkVersion } from "../../pcaps/tshark.ts";
import { agreementOf, sourcesIn } from "./tshark-agreement.ts";
import { Comparison } from "./tshark-comparison.ts";
import { load, Merged, type Source } from "./tshark-merged.ts";
import { RULES } from "./tshark-rules.ts";

const GOLDEN = join(import.meta.dirname, "../../pcaps/golden");
const ONE = join(GOLDEN, "strongswan@6.0_netns/rfc7296");

describe("our decoding and tshark's, over captures of real daemons", () => {
  before(async function () {
    const version = await tsharkVersion();
    if (version === undefined && process.env.BAKEOFF_REQUIRE_PEERS !== "1") this.skip();
    expect(version, "tshark").to.be.a("string");
  });

  it("agree on all golden captures, but for what tshark cannot tell", async () => {
    const agreement = await agreementOf(sourcesIn(GOLDEN));
    expect(agreement.unexplained).to.deep.equal([]);
    expect(agreement.captures).to.be.least(80);
    expect(agreement.messages, "IKE messages").to.be.least(500);
    expect(agreement.inner, "messages both opened").to.be.least(300);
    expect(agreement.fragmented, "messages put together").to.be.least(20);
    expect(agreement.esp, "ESP packets").to.be.least(500);
    expect(agreement.fields).to.be.least(50_000);
  }).timeout(60_000);

  it("differ in any value that is changed, and no rule explains it", async () => {
    const { readings, frames } = await bothOf({
      capture: join(ONE, "capture.pcap"),
      keys: join(ONE, "keys"),
    });
    for (const [name, change] of Object.entries(CHANGES)) {
      const comparison = new Comparison();
      for (const frame of frames) {
        const ike = frame.parts.flatMap((part) => (part.kind === "ike" ? [change(part.ike)] : []));
        const parts =
          ike.length > 0 ? ike.map((changed) => ({ kind: "ike" as const, ike: changed })) : frame.parts;
        comparison.frame(readings.get(frame.number) ?? [], { ...frame, parts });
      }
      const { differences } = comparison;
      if (name === UNCHANGED) expect(differences).to.deep.equal([]);
      else expect(differences, name).to.not.deep.equal([]);
      const explained = differences.filter((difference) =>
        RULES.some(({ explains }) => explains(difference)),
      );
      expect(explained, name).to.deep.equal([]);
    }
  }).timeout(60_000);
});

/** What the two make of a capture. */
async function bothOf(source: Source) {
  const folder = mkdtempSync(join(tmpdir(), "bakeoff-agreement-test-"));
  const [capture, keys] = [join(folder, "merged.pcapng"), join(folder, "keys")];
  const [loaded, merged] = [load(source), new Merged()];
  merged.add(loaded);
  merged.write(capture);
  merged.writeKeys(keys, 0);
  const frames: DecodedFrame[] = [];
  const error = await eachFrame(capture, keys, (frame) => void frames.push(frame));
  rmSync(folder, { recursive: true });
  expect(error).to.equal(undefined);
  return { readings: loaded.readings, frames };
}

const UNCHANGED = "nothing";

/** What tshark could say otherwise. */
const CHANGES: Record<string, (ike: DecodedIke) => DecodedIke> = {
  [UNCHANGED]: (ike) => ike,
  "Message ID": (ike) => ({ ...ike, messageId: ike.messageId + 1 }),
  "a payload less": (ike) => ({ ...ike, payloads: ike.payloads.slice(1) }),
  "an inner payload less": (ike) => ({ ...ike, ...(ike.inner && { inner: ike.inner.slice(0, -1) }) }),
  "not opened": ({ inner, ...ike }) => ike,
  "bad ICV": (ike) => ({ ...ike, ...(ike.icv && { icv: "bad" }) }),
  "octets of a payload": (ike) => ({
    ...ike,
    payloads: ike.payloads.map((payload) => ({ ...payload, octets: `${payload.octets}00` })),
  }),
  "a field of a payload": (ike) => ({
    ...ike,
    payloads: ike.payloads.map((payload) => ({ ...payload, fields: payload.fields.slice(0, -1) })),
  }),
  "a field of an inner payload": (ike) => ({
    ...ike,
    ...(ike.inner && { inner: ike.inner.map((payload) => ({ ...payload, critical: !payload.critical })) }),
  }),
};
