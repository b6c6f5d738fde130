import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse, stringify } from "yaml";
import { said } from "./said.ts";

describe("bakeoff", () => {
  const wrong: [string, string, RegExp][] = [
    ["an unknown command", "rum", /^bakeoff: unknown command "rum", nearest: run\n$/],
    ["an unknown option", "run --pier x", /^bakeoff: unknown option "--pier", nearest: --peer\n$/],
    ["an unknown peer", "run --peer strongswam", /--peer strongswam: unknown peer name.*nearest: strongswan/],
    ["an unknown document", "run rfc7269", /unknown document "rfc7269", nearest: rfc7296/],
    ["an unknown revision", "run --revision esp-ping=E33", /unknown revision of esp-ping "E33", nearest: E3/],
    ["half a revision", "run --revision esp-ping", /--revision esp-ping: must be DOCUMENT=NAME/],
    ["an unknown lie", "run --lie omit-nonce", /unknown lie "omit-nonce", nearest: omits-nonce/],
    ["an unknown role", "run --role responer", /unknown role "responer", nearest: responder/],
    ["an unknown format", "run --format json,hmtl", /unknown report format "hmtl", nearest: html/],
    ["a number that is none", "run --jobs two", /--jobs two: must be a whole number/],
    ["a shard that is none", "run --shard 5/4", /--shard 5\/4: must be I\/N, as in 2\/4: part I of N/],
    ["an option without its value", "run --out", /option "--out <dir>" argument missing/],
    ["an unknown list", "list lie", /unknown list "lie", nearest: lies/],
    ["an unknown document to cover", "coverage rfc7269", /unknown document "rfc7269"/],
    ["an unknown grouping", "coverage --by levle", /unknown grouping "levle", nearest: level/],
    ["an unknown benchmark", "bench esq", /unknown benchmark "esq", nearest: esp/],
    ["a baseline that is not there", "run --baseline none.yaml", /--baseline none\.yaml: cannot be read/],
    ["a folder to draft from", "baseline none builtin@current", /journal\.jsonl/],
    ["a folder without journal", "report none", /journal\.jsonl/],
    ["no command", "", /a command is missing/],
    ["too much", "doctor now", /too many arguments/],
  ];
  for (const [what, line, message] of wrong) {
    it(`says in one line what is wrong with ${what}`, async () => {
      const { status, out, err } = await said(...line.split(" ").filter(Boolean));
      expect({ status, out }).to.deep.equal({ status: 2, out: "" });
      expect(err).to.match(message);
      expect(err).to.match(/^bakeoff: [^\n]+\n$/);
    });
  }

  it("prints JSON alone on standard output", async () => {
    for (const what of ["suites", "documents", "peers", "requirements", "lies", "tests"]) {
      const { status, out, err } = await said("list", what, "--json");
      expect({ status, err }).to.deep.equal({ status: 0, err: "" });
      expect(JSON.parse(out)).to.be.an("array").that.is.not.empty;
    }
    for (const options of [[], ["--by", "document"], ["--todo"]]) {
      const { status, out } = await said("coverage", "rfc7296", "--json", ...options);
      expect(status).to.equal(0);
      expect(JSON.parse(out)[0]).to.include({ document: "rfc7296" });
    }
  });

  it("lists documents with revisions, what is provisional, and code points with their state", async () => {
    const { out } = await said("list", "documents");
    expect(out).to.match(/^esp-ping +ESP Echo Protocol\n +revision M: .*\n +revision E3: /m);
    expect(out).to.match(/^ +RESERVED_SPI ESP_ECHO_REQUEST = 7, requested$/m);
    expect(out).to.match(/^ +EXCHANGE GSA_AUTH = 39, assigned$/m);
    expect(out).to.match(
      /^anti-replay-subspaces .*\n.*\n +provisional, our own definition: the notification/m,
    );
    const listed: { document: string; codePoints: unknown[] }[] = JSON.parse(
      (await said("list", "documents", "--json")).out,
    );
    const [notification] = listed.filter(({ document }) => document === "anti-replay-notification");
    expect(notification?.codePoints[0]).to.deep.equal({
      ...{ registry: "NOTIFY", name: "ANTI_REPLAY_STATUS", value: 51110, state: "private use" },
    });
  });

  it("has an example in the help of every command", async () => {
    const lines = [
      "",
      "run",
      "list",
      "doctor",
      "coverage",
      "report",
      "report compare",
      "report merge",
      "baseline",
      "pcap",
      ...["show", "ladder", "lint", "diff", "keys"].map((name) => `pcap ${name}`),
      "bench",
      "bench pcap",
      "peers",
      "peers install",
      "peers up",
    ];
    for (const line of lines) {
      const { status, out } = await said(...line.split(" ").filter(Boolean), "--help");
      expect(status, line).to.equal(0);
      expect(out, line).to.match(/Examples:\n {2}.*bakeoff/);
    }
  });

  it("exits with 1 for a lie, and prints the results as asked", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-cli-test-"));
    try {
      const line = ["run", "--lie", "omits-nonce", "--grep", "1.2/sends-a-nonce$", "--out", folder, "--json"];
      const { status, out, err } = await said(...line);
      expect(status).to.equal(1);
      expect(JSON.parse(out).tests[0]).to.include({ verdict: "fail", lie: "omits-nonce" });
      expect(err).to.match(
        /\[1\/1\] fail {2}builtin@current:memory {2}rfc7296\/1.2\/sends-a-nonce: expected NONCE/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says that nothing was compared, and shows inert what an error quotes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-cli-test-"));
    try {
      const [one, other, bad] = ["one", "other", "bad.json"].map((name) => join(folder, name));
      const line = ["run", "--grep", "1.2/sends-a-nonce$", "--format", "json", "--out"];
      await said(...line, one!);
      await said(...line, other!, "--lie", "omits-nonce");
      const { status, err } = await said("report", "compare", one!, other!);
      expect(`${status},${err}`).to.match(/^0,warning: nothing was compared, for no test is in both runs/);
      writeFileSync(bad!, "\u001b[31mred");
      const refused = await said("report", "compare", bad!, one!);
      expect([refused.status, refused.err.includes("\u001b")]).to.deep.equal([2, false]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("exits with 0 exactly when all is as the baseline says, and drafts what is missing in it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-cli-test-"));
    const file = join(folder, "baseline.yaml");
    const line = ["run", "--lie", "omits-nonce", "--grep", "1.2/sends-a-nonce$"];
    const run = () => said(...line, "--out", join(folder, "out"), "--baseline", file);
    try {
      writeFileSync(file, "[]");
      const odd = await run();
      expect(odd.status).to.equal(1);
      expect(odd.err)
        .to.match(/again: fail {2}builtin/)
        .and.to.match(/unexpected fail: the baseline has no/);
      const draft = await said("baseline", join(folder, "out"), "builtin@current");
      expect(draft).to.include({ status: 0, err: "" });
      writeFileSync(file, draft.out);
      expect((await run()).err).to.match(/^bakeoff: .*baseline.yaml: \[0\].why: is empty\n$/);
      writeFileSync(file, draft.out.replaceAll('""', "peer"));
      const known = await run();
      expect(known.status).to.equal(0);
      expect(known.err).to.match(/against the baselines: 1 known, 0 unstable, 0 not as they say/);
      const [{ tests, expires }] = parse(draft.out);
      writeFileSync(file, stringify([{ tests, expires, verdict: "withheld", why: "Held back." }]));
      const held = await run();
      expect(held.status).to.equal(0);
      expect(held.err)
        .to.match(/\n0 tests: none\n/)
        .and.to.match(/memory: 1 test withheld by .*baseline.yaml\n/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
