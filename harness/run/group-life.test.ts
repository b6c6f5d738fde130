import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { type DecodedFrame, decodeWithTshark, tsharkVersion } from "../../pcaps/tshark.ts";
import { type GroupLife, liveGroup, writeGroupLife } from "./group-life.ts";

const KEPT = resolve(import.meta.dirname, "../../docs/group-life");

/** Exchange types of RFC 9838. */
const [GSA_AUTH, GSA_REGISTRATION, GSA_REKEY] = [39, 40, 41];
const [GSA, KD, AUTH] = [51, 52, 39];

describe("the life of a group", () => {
  let life: GroupLife;
  before(async () => {
    life = await liveGroup();
  });

  it("gives data to who is in, and none to who was excluded", () => {
    expect(Object.fromEntries(life.received)).to.deep.equal({
      "alice.example": [],
      "bob.example": ["Everybody reads this.", "Everybody reads this too.", "Carol does not read this."],
      "carol.example": ["Everybody reads this.", "Everybody reads this too."],
    });
  });

  it("tells on the ladder who got what", () => {
    const multicasts = life.ladder.flatMap((event) =>
      "group" in event
        ? [`${event.text.split(" ")[0]} ${event.taken.join(" ")} / ${event.dropped.join(" ")}`]
        : [],
    );
    expect(multicasts).to.deep.equal([
      "ESP Bob Carol / ",
      "GSA_REKEY Alice Bob Carol / ",
      "GSA_REKEY  / ",
      "ESP Bob Carol / ",
      "GSA_REKEY Alice Bob / Carol",
      "GSA_REKEY Alice Bob / Carol",
      "GSA_REKEY  / ",
      "GSA_REKEY  / ",
      "ESP Bob / Carol",
    ]);
  });

  it("is in docs/group-life, octet by octet (made anew by scripts/group-life.ts)", async () => {
    const folder = mkdtempSync(join(tmpdir(), "group-life-"));
    try {
      await writeGroupLife(folder);
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
      expect(files).to.have.length(6);
      for (const { parentPath, name } of files) {
        const path = join(parentPath, name);
        const kept = readFileSync(join(KEPT, path.slice(folder.length)));
        expect(readFileSync(path).equals(kept), name).to.equal(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe("as tshark reads it", () => {
    let frames: DecodedFrame[];
    before(async function () {
      if ((await tsharkVersion()) === undefined) return this.skip();
      const decoded = await decodeWithTshark(join(KEPT, "capture.pcap"), join(KEPT, "keys"));
      if ("error" in decoded) throw new Error(decoded.reason);
      frames = decoded;
    });

    const ofExchange = (type: number) => frames.filter(({ ike }) => ike?.exchangeType === type);

    it("decrypts every message and finds every ICV right", () => {
      expect(frames).to.have.length(life.captured.length);
      for (const { ike, esp, number } of frames) {
        expect(ike ?? esp, String(number)).to.not.equal(undefined);
        if (ike && ike.exchangeType !== 34) expect(ike.icv, String(number)).to.equal("good");
        if (esp) expect([esp.icv, esp.nextHeader], String(number)).to.deep.equal(["good", 4]);
      }
    });

    it("finds the payloads that the exchanges of RFC 9838 have", () => {
      const types = (type: number) =>
        ofExchange(type).map(({ ike }) => ike?.inner?.map((payload) => payload.type));
      expect(types(GSA_AUTH).filter((_, at) => at % 2 === 1)).to.deep.equal(
        [1, 2, 3].map(() => [36, AUTH, GSA, KD]),
      );
      expect(types(GSA_REGISTRATION)).to.deep.equal([[50, 33], [41]]);
      const exclusion = [GSA, KD, AUTH];
      const data = [GSA, KD, 42, AUTH];
      expect(types(GSA_REKEY)).to.deep.equal([data, data, exclusion, data, exclusion, data]);
    });
  });
});
