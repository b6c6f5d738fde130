import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Externals } from "../run/external.ts";
import { loadTests } from "../run/suites.ts";
import { UsageError } from "../run/usage-error.ts";
import { cellsOf } from "./cells.ts";
import { parseCampaign } from "./file.ts";

const namesOf = async (yaml: string, externals?: Externals) =>
  cellsOf(parseCampaign(yaml, "c.yaml"), await loadTests(), externals).map(({ name }) => name);

async function refusal(yaml: string): Promise<string> {
  try {
    await namesOf(yaml);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "";
}

describe("cells of a campaign", () => {
  before(() => loadTests());

  it("are peers x documents x roles x parameters, without what is excluded and what has no test", async () => {
    const names = await namesOf(`
peers: [builtin, strongswan@6.1:netns]
documents: [rfc6023, { name: esp-ping, sections: ["5"], revisions: [E3, M] }]
roles: [initiator, responder]
parameters: [{ name: plain }, { name: rekeys, grep: rekey, seed: 7 }]
exclude: [{ peer: strongswan, role: initiator }, { parameters: rekeys, peer: builtin@current:memory }]
`);
    expect(names).to.deep.equal([
      "builtin@current-memory_rfc6023_initiator_plain",
      "builtin@current-memory_rfc6023_responder_plain",
      "builtin@current-memory_esp-ping@E3-5-esp-ping@M-5_initiator_plain",
      "builtin@current-memory_esp-ping@E3-5-esp-ping@M-5_responder_plain",
      "strongswan@6.1-netns_rfc6023_responder_plain",
      "strongswan@6.1-netns_esp-ping@E3-5-esp-ping@M-5_responder_plain",
      "strongswan@6.1-netns_rfc6023_responder_rekeys",
    ]);
  });

  it("are of every document where none is named, each test once", async () => {
    const tests = await loadTests();
    const cells = cellsOf(parseCampaign("roles: [initiator, responder]", "c.yaml"), tests);
    const newest = tests.filter(({ id }) => !id.split("/")[0]?.includes("@"));
    expect(cells.reduce((sum, cell) => sum + cell.tests, 0)).to.equal(newest.length);
    for (const { name } of cells) expect(name).to.match(/^[A-Za-z0-9.@+_-]+$/);
  });

  it("have folders that any file system takes, however many sections they are of", async () => {
    const sections = JSON.stringify([
      ...new Set((await loadTests()).flatMap((one) => (one.document === "rfc7296" ? one.section : []))),
    ]);
    const [name = ""] = await namesOf(`documents: [{ name: rfc7296, sections: ${sections} }]`);
    expect(name.length).to.be.below(120);
  });

  for (const [wrong, yaml, message] of [
    ["an unknown field", "peer: [builtin]", "c.yaml: peer: unknown field, nearest: peers"],
    [
      "one of parameters",
      "parameters: [{ lei: x }]",
      "c.yaml: parameters[0].lei: unknown field, nearest: lie",
    ],
    [
      "one of documents",
      "documents: [{ name: rfc7296, section: [2.8] }]",
      "c.yaml: documents[0].section: unknown field, nearest: sections",
    ],
    ["an unknown peer", "peers: [builtn]", /^c\.yaml: peers\[0\]: --peer builtn: .*nearest: builtin/],
    [
      "an unknown document",
      "documents: [rfc7297]",
      'c.yaml: documents[0]: unknown document "rfc7297", nearest: rfc7296',
    ],
    [
      "a document and a part of it",
      "documents: [rfc6023, rfc6023/3]",
      /^c\.yaml: documents\[1\]: rfc6023\/3\/\S+ is in documents\[0\], too$/,
    ],
    [
      "one peer by two names",
      "peers: [builtin, builtin:memory]",
      "c.yaml: peers[1]: is builtin@current:memory, as peers[0] is",
    ],
    ["parameters without names", "parameters: [{}, { lie: omits-nonce }]", /parameters\[1\]: is plain, as/],
    ["a role twice", "roles: [both, initiator]", "c.yaml: roles: both is the two others together"],
    ["an unknown role", "roles: [server]", /^c\.yaml: roles\[0\]: /],
    [
      "an unknown lie",
      "{ documents: [rfc6023], parameters: [{ name: x, lie: omits-nonc }] }",
      /c\.yaml: builtin\S+_x: unknown lie "omits-nonc", nearest: omits-nonce/,
    ],
    [
      "a lie of a real peer",
      "{ peers: [strongswan], parameters: [{ lie: omits-nonce }] }",
      /only the builtin/,
    ],
    ["a pattern that is none", 'parameters: [{ grep: "(" }]', /^c\.yaml: plain: grep: Invalid regular/],
    ["a pattern for nothing", "parameters: [{ grep: no-such }]", "c.yaml: document: no test is selected"],
    ["an exclusion of nothing", "exclude: [{}]", "c.yaml: exclude[0]: names nothing"],
    [
      "an exclusion of nobody",
      "exclude: [{ document: rfc7269 }]",
      "c.yaml: exclude[0].document: there is no rfc7269, nearest: rfc7296",
    ],
    ["a name that leads elsewhere", "parameters: [{ name: ../x }]", /parameters\[0\]\.name: must be letters/],
  ] as const) {
    it(`refuse ${wrong}, naming the place`, async () => {
      const said = await refusal(yaml);
      if (typeof message === "string") expect(said).to.equal(message);
      else expect(said).to.match(message);
    });
  }

  it("are those of the guide's campaign", async () => {
    const guide = readFileSync(join(import.meta.dirname, "../../docs/campaigns.md"), "utf8");
    const [, yaml = ""] = /^```yaml nightly\.yaml\n([\s\S]*?)^```/m.exec(guide) ?? [];
    const externals: Externals = new Map();
    expect(await namesOf(yaml, externals)).to.have.length.above(4);
  });
});
