import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { PeerDefinition } from "../contract.ts";
import { LabError } from "../runtime/errors.ts";
import { cacheFolder, isInstalled, readStamp, rootfsPath, STAMP } from "./cache.ts";
import { installPeer, packageVersions } from "./install.ts";

const status = [
  "Package: charon-systemd\nStatus: install ok installed\nVersion: 6.1.0-2\n",
  "Package: libc6\nVersion: 2.41\n",
].join("\n");

/** Plays mmdebstrap: writes a root, or fails half-way, as `FAKE_RESULT` says. */
const FAKE = `#!/bin/sh
for word in "$@"; do case $word in */.building-*) folder=$word ;; esac; done
echo "I: running apt-get update..." >&2
mkdir -p "$folder/var/lib/dpkg"
[ "$FAKE_RESULT" = fail ] && { echo "E: NO_PUBKEY 0123" >&2; exit 25; }
cat "$FAKE_STATUS" > "$folder/var/lib/dpkg/status"
`;

const definition: PeerDefinition = {
  name: "example",
  versions: [{ version: "1.0", suite: "trixie" }],
  runtimes: ["netns"],
  packages: ["charon-systemd"],
};

describe("install", () => {
  let folder: string;
  const before = { ...process.env };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "install-test-"));
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/mmdebstrap"), FAKE, { mode: 0o755 });
    writeFileSync(join(folder, "status"), status);
    process.env.PATH = `${join(folder, "bin")}:${before.PATH}`;
    process.env.BAKEOFF_CACHE = join(folder, "cache");
    process.env.FAKE_STATUS = join(folder, "status");
  });

  afterEach(() => {
    for (const name of ["PATH", "BAKEOFF_CACHE", "FAKE_STATUS", "FAKE_RESULT"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    rmSync(folder, { recursive: true });
  });

  const install = (progress: string[] = [], again = false) =>
    installPeer(definition, definition.versions[0]!, { progress: (line) => progress.push(line), again });

  it("builds aside, stamps, renames, and does nothing the second time", async function () {
    if (process.geteuid?.() !== 0) this.skip();
    const progress: string[] = [];
    mkdirSync(join(folder, "cache/rootfs/.building-1-1-left"), { recursive: true });
    const stamp = await install(progress);
    expect(stamp?.packages).to.deep.equal({ "charon-systemd": "6.1.0-2" });
    expect(readdirSync(join(folder, "cache/rootfs"))).to.deep.equal(["example-1.0"]);
    expect(isInstalled("example", "1.0")).to.equal(true);
    expect(progress[0]).to.equal("example 1.0: running apt-get update...");
    process.env.FAKE_RESULT = "fail";
    expect(await install(progress)).to.deep.equal(stamp);
    expect(progress.at(-1)).to.equal("example 1.0: already installed");
  });

  it("leaves nothing, and what was there, after a failure", async function () {
    if (process.geteuid?.() !== 0) this.skip();
    process.env.FAKE_RESULT = "fail";
    const failure = await install().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(LabError);
    expect(String(failure)).to.match(/NO_PUBKEY.*debian-archive-keyring/);
    expect(readdirSync(join(folder, "cache/rootfs"))).to.deep.equal([]);
  });

  it("takes a root without a readable stamp for none", () => {
    const root = rootfsPath("example", "1.0");
    mkdirSync(root, { recursive: true });
    expect(readStamp(root)).to.equal(undefined);
    writeFileSync(join(root, STAMP), '{"format": 2');
    expect(isInstalled("example", "1.0")).to.equal(false);
  });

  it("finds its cache folder as the desktop rules say", () => {
    expect(cacheFolder({ BAKEOFF_CACHE: "/c", XDG_CACHE_HOME: "/x" })).to.equal("/c");
    expect(cacheFolder({ XDG_CACHE_HOME: "/x" })).to.equal("/x/ipsec-bakeoff");
    expect(cacheFolder({})).to.match(/\/\.cache\/ipsec-bakeoff$/);
  });

  it("reads versions out of dpkg's list", () => {
    expect(packageVersions(status, ["libc6", "absent"])).to.deep.equal({ libc6: "2.41" });
  });
});
