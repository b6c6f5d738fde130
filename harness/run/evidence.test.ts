import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { readSeen } from "../../pcaps/decode/index.ts";
import { keysJson } from "../../pcaps/key-files/json.ts";
import { charonLog, xfrmState } from "../../pcaps/key-files/testing.ts";
import { type EspSaKeys, type IkeSaKeys, wiresharkKnows } from "../../pcaps/keys.ts";
import { writePcap } from "../../pcaps/write.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import type { Seen } from "../lint/seen.ts";
import { Script } from "../script/script.ts";
import { memoryArena } from "./arena-memory.ts";
import { captured, espSaKeys, ikeSaKeys, writeKeys } from "./evidence.ts";

/** A test's conversation, as its evidence keeps it. */
interface Evidence {
  capture: string;
  /** The folder of keys as it is written. */
  keys: string;
  ike: IkeSaKeys[];
  esp: EspSaKeys[];
}

const IKE_SUITES = [
  "aes256-sha256-x25519",
  "aes128gcm16-prfsha256-x25519",
  "chacha20poly1305-prfsha256-x25519",
  "aes128ctr-aesxcbc-prfsha256-x25519",
  "aes256-sha256-x25519-ke1_ecp256",
];
const ESP_SUITES = [
  "aes128-sha256",
  "aes256gcm16",
  "chacha20poly1305",
  "aes128gcm8-esn",
  "aes256ccm16",
  "aes128-sha1-esn",
];

const conversation = fc.record({
  ike: fc.constantFrom(...IKE_SUITES),
  esp: fc.constantFrom(...ESP_SUITES),
  transport: fc.constantFrom("udp" as const, "tcp" as const),
  rekeys: fc.array(fc.constantFrom("child", "ike"), { maxLength: 3 }),
  peerRekeys: fc.boolean(),
  fragments: fc.boolean(),
});
type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

describe("evidence", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-evidence-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function play({
    ike,
    esp,
    transport,
    rekeys,
    peerRekeys,
    fragments,
  }: Conversation): Promise<Evidence> {
    const config: Partial<PeerConfig> = { ikeProposals: [ike], espProposals: [esp] };
    if (transport === "tcp") config.transport = "tcp";
    const variant = fragments ? "talkative" : undefined;
    const s = new Script(await memoryArena({ config }, { seed: "evidence", variant }));
    let session = await s.dial();
    await session.proveTraffic();
    for (const rekey of rekeys) {
      if (rekey === "child") await session.rekeyChild();
      else session = await session.rekeyIke();
    }
    if (peerRekeys) await session.peerRekeysChild();
    await session.proveTraffic();
    s.host.stop();
    const [capture, keys] = [join(folder, "capture.pcap"), join(folder, "keys")];
    expect(writePcap(capture, captured(s.trace), 0)).to.equal(undefined);
    rmSync(keys, { recursive: true, force: true });
    writeKeys(keys, s.trace.ikeSas(), s.trace.childSas());
    const sets = s.trace
      .ikeSas()
      .flatMap((sa) => [...sa.earlierKeys, sa.keys].flatMap((set) => ikeSaKeys(sa, set)));
    return { capture, keys, ike: sets, esp: s.trace.childSas().flatMap(espSaKeys) };
  }

  /** How often each kind of thing was seen, and how far it opened. */
  function openings(capture: string, ...keys: string[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const seen of readSeen(capture, keys)) {
      if (seen.kind === "fault" || seen.kind === "key-fault") throw new Error(seen.reason);
      const name = nameOf(seen);
      if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  function opensWithAllForms({ capture, keys, ike, esp }: Evidence): void {
    const whole = openings(capture, keys);
    expect(Object.keys(whole), "keys.json").to.deep.equal(["ike opened", "esp opened"]);
    const log = file("charon.log", charonLog(ike, esp));
    expect(openings(capture, log), "a log of strongSwan").to.deep.equal(whole);
    const xfrm = openings(capture, file("xfrm.txt", xfrmState(esp)));
    expect(xfrm["esp opened"], "ip xfrm state").to.equal(whole["esp opened"]);
    expect(xfrm["ike opened"], "ip xfrm state").to.equal(undefined);
  }

  /** Wireshark has no names for some transforms. */
  function opensWithTables({ capture, keys, ike, esp }: Evidence): void {
    rmSync(join(keys, "keys.json"));
    const counts = openings(capture, keys);
    for (const [what, sets] of [["ike", ike] as const, ["esp", esp] as const]) {
      const known = sets.every((sa) => wiresharkKnows(what, sa.encrId, sa.integId));
      expect(counts[`${what} ${known ? "no-keys" : "opened"}`], `tables, ${what}`).to.equal(undefined);
    }
  }

  function staysClosedWithOthers({ capture, ike, esp }: Evidence): void {
    const other = (key: Uint8Array) => key.map((octet) => octet ^ 0x55);
    const otherIke = ike.map((sa) => ({
      ...sa,
      ...{ SK_ai: other(sa.SK_ai), SK_ar: other(sa.SK_ar), SK_ei: other(sa.SK_ei), SK_er: other(sa.SK_er) },
    }));
    const otherEsp = esp.map((sa) => ({ ...sa, encrKey: other(sa.encrKey), integKey: other(sa.integKey) }));
    const path = file("keys.json", keysJson({ ike: otherIke, esp: otherEsp }));
    expect(Object.keys(openings(capture, path)), "other keys").to.deep.equal(["ike icv", "esp icv"]);
  }

  it("opens with the keys in every form, and with no others", async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (wanted) => {
        const evidence = await play(wanted);
        opensWithAllForms(evidence);
        opensWithTables(evidence);
        staysClosedWithOthers(evidence);
      }),
      { numRuns: 6 },
    );
  }).timeout(60_000);
});

function nameOf(seen: Seen): string | undefined {
  if (seen.kind === "ike") return seen.opening && `ike ${seen.opening}`;
  return seen.kind === "esp" ? `esp ${seen.opening}` : seen.kind;
}
