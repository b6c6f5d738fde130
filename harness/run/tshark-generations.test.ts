import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { decodeWithTshark, tsharkVersion } from "../../pcaps/tshark.ts";
import { writePcap } from "../../pcaps/write.ts";
import { Script } from "../script/script.ts";
import { memoryArena } from "./arena-memory.ts";
import { captured, writeKeys } from "./evidence.ts";

const SPEC = "aes256-sha256-x25519-ke1_ecp256-ke2_mlkem768";

describe("tshark with the keys of every generation", () => {
  let folder: string | undefined;

  before(async function () {
    const version = await tsharkVersion();
    if (version === undefined && process.env.BAKEOFF_REQUIRE_PEERS !== "1") this.skip();
    folder = mkdtempSync(join(tmpdir(), "bakeoff-generations-"));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  /** Exchange type and Message ID of the messages that it opens with these keys. */
  async function opened(capture: string, keys: string): Promise<string[]> {
    const frames = await decodeWithTshark(capture, keys);
    if ("error" in frames) throw new Error(frames.reason);
    const inside = frames.flatMap(({ ike }) => (ike?.icv === "good" && ike.inner ? [ike] : []));
    return [...new Set(inside.map(({ exchangeType, messageId }) => `${exchangeType}/${messageId}`))];
  }

  it("opens an exchange with the keys that were there before it, and with no others", async () => {
    const at = folder ?? "";
    const s = new Script(await memoryArena({ config: { ikeProposals: [SPEC] } }, { seed: "generations" }));
    await s.dial();
    s.host.stop();
    const capture = join(at, "capture.pcap");
    writePcap(capture, captured(s.trace), 0);
    writeKeys(join(at, "keys"), s.trace.ikeSas(), s.trace.childSas());
    expect(await opened(capture, join(at, "keys", "generation-0"))).to.deep.equal(["43/1"]);
    expect(await opened(capture, join(at, "keys", "generation-1"))).to.deep.equal(["43/2"]);
    expect(await opened(capture, join(at, "keys"))).to.deep.equal(["35/3"]);
  }).timeout(60_000);
});
