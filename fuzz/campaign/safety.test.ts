import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { allowedTarget, isAddress } from "./safety.ts";

const TODAY = new Date("2026-06-15T12:00:00Z");

describe("targets", () => {
  let folder = "";
  let file = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-targets-"));
    file = join(folder, "targets.yaml");
  });
  after(() => rmSync(folder, { recursive: true }));

  const listed = (text: string, mode = 0o644) => {
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  const refusal = (address: string, from: string | undefined = file) => {
    try {
      return allowedTarget(address, from, TODAY);
    } catch (error) {
      return (error instanceof Error ? error.message : String(error)).replace(file, "FILE");
    }
  };

  it("tells addresses from peers of the lab", () => {
    expect(["192.0.2.7", "2001:db8::7"].every(isAddress)).to.equal(true);
    expect(["builtin", "strongswan@6.1", "192.0.2", ""].some(isAddress)).to.equal(false);
  });

  it("allows what is listed, in whatever way it is written", () => {
    listed(
      '- { address: 192.0.2.7, owner: me }\n- { address: "2001:DB8:0::7", owner: me, until: 2026-06-15 }\n',
    );
    expect(refusal("192.0.2.7")).to.deep.equal({ address: "192.0.2.7", owner: "me" });
    expect(refusal("2001:db8::7")).to.include({ until: "2026-06-15" });
  });

  it("refuses what is not listed, or no longer", () => {
    listed("- { address: 192.0.2.7, owner: me, until: 2026-06-14 }\n");
    expect(refusal("192.0.2.7")).to.equal("--peer 192.0.2.7: was a target until 2026-06-14 only, says FILE");
    expect(refusal("192.0.2.8")).to.equal("--peer 192.0.2.8: FILE does not list it as a target");
    expect(() => allowedTarget("192.0.2.8", undefined)).to.throw("only where --targets FILE lists it");
  });

  it("refuses addresses of nobody and of many, listed or not", () => {
    const addresses = ["0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.2.3", "240.0.0.1", "0.1.2.3"];
    const all = [...addresses, "::", "ff02::1", "::ffff:224.0.0.1", "::ffff:255.255.255.255"];
    listed(all.map((address) => `- { address: "${address}", owner: me }\n`).join(""));
    for (const address of all) expect(refusal(address), address).to.match(/is no target$/);
  });

  it("refuses files that anybody may write, that are missing, or that are wrong", () => {
    listed("- { address: 192.0.2.7, owner: me }\n", 0o646);
    expect(refusal("192.0.2.7")).to.equal("--targets FILE: everybody may write it; run: chmod o-w on it");
    expect(refusal("192.0.2.7", join(folder, "none"))).to.match(/^--targets .*none: ENOENT/);
    expect(refusal("192.0.2.7", folder)).to.match(/is no file$/);
    for (const [text, words] of [
      ["- { address: example.net, owner: me }", "must be an IPv4 or IPv6 address"],
      ["- { address: 192.0.2.7 }", "owner"],
      ['- { address: 192.0.2.7, owner: " " }', "must name who answers for it"],
      ["- { address: 192.0.2.7, owner: me, until: soon }", "until"],
      ["- { address: 192.0.2.7, owner: me, untill: 2027-01-01 }", "untill"],
      ["address: 192.0.2.7", "document"],
      ["- [", "not YAML"],
      ["", "document"],
    ] as const) {
      listed(text);
      expect(refusal("192.0.2.7"), text).to.include(words);
    }
  });
});
