import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { expect } from "chai";

const ROOT = resolve(import.meta.dirname, "../..");
const NEEDED = ["harness", "suites", "fuzz", "peers", "pcaps", "reports", "baselines", "package.json"];

const PUBLIC_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`;

type Damage = (path: string) => void;

const holding =
  (text: string): Damage =>
  (path) =>
    writeFileSync(path, text);
const gone: Damage = (path) => rmSync(path);
const folder: Damage = (path) => {
  rmSync(path);
  mkdirSync(path);
};

/** Which file, how it is damaged, and what the command says behind its name. */
const DAMAGES: [file: string, how: string, damage: Damage, says: RegExp][] = [
  ["harness/pki/keys/ca.pem", "gone", gone, /^cannot be read: ENOENT/],
  [
    "harness/pki/keys/tester-ecdsa256.pem",
    "a public key",
    holding(PUBLIC_KEY),
    /^holds no private key in PEM: /,
  ],
  [
    "harness/pki/keys/peer-rsa2048.pem",
    "no PEM",
    holding("no key at all\n"),
    /^holds no private key in PEM: /,
  ],
  ["suites/rfc7296/requirements.yaml", "a folder", folder, /^document: cannot be read: EISDIR/],
  ["peers/strongswan/peer.yaml", "a folder", folder, /^document: cannot be read: EISDIR/],
];

describe("a file that cannot be used", function () {
  this.timeout(60_000);
  let copy: string;

  before(() => {
    copy = mkdtempSync(join(tmpdir(), "bakeoff-bad-files-"));
    for (const name of NEEDED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  });

  after(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  const bakeoff = (...args: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "harness/cli/main.ts", ...args], {
      ...{ cwd: copy, encoding: "utf8" },
    });

  for (const [file, how, damage, says] of DAMAGES) {
    it(`ends a run with status 2, its name and the reason: ${basename(file)} that is ${how}`, () => {
      const path = join(copy, file);
      damage(path);
      try {
        const { status, stderr } = bakeoff("run", "rfc7296/1.2", "--grep", "sends-a-nonce", "--out", "out");
        const start = `bakeoff: ${file}: `;
        expect(stderr.startsWith(start), stderr).to.equal(true);
        expect(stderr.slice(start.length)).to.match(says);
        expect(stderr.trim().split("\n")).to.have.length(1);
        expect(status).to.equal(2);
      } finally {
        rmSync(path, { recursive: true, force: true });
        cpSync(join(ROOT, file), path);
      }
    });
  }

  it("is all that was wrong: without it the same run passes", () => {
    const { status, stderr } = bakeoff("run", "rfc7296/1.2", "--grep", "sends-a-nonce", "--out", "out");
    expect(status, stderr).to.equal(0);
  });
});
