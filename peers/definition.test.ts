import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { FileError } from "../harness/run/yaml-file.ts";
import {
  codePointsOf,
  findPeer,
  loadDefinitions,
  PeerNameError,
  parseDefinition,
  peerName,
} from "./definition.ts";

function failure<T extends Error>(kind: new (...args: never[]) => T, action: () => unknown): T {
  try {
    action();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("peer definitions", () => {
  it("are all valid and in the folder of their name", () => {
    const names = loadDefinitions().map((definition) => definition.name);
    expect(names).to.include.members(["builtin", "libreswan", "strongswan"]);
  });

  it("take 15 lines at most", () => {
    for (const { name } of loadDefinitions()) {
      const text = readFileSync(join(import.meta.dirname, name, "peer.yaml"), "utf8");
      expect(text.trimEnd().split("\n"), name).to.have.length.at.most(15);
    }
  });

  it("name an unknown field and the nearest valid one", () => {
    const text = "name: x\nversions: [{ version: '1', suit: forky }]\nruntimes: [netns]\n";
    const error = failure(FileError, () => parseDefinition(text, "peers/x/peer.yaml"));
    expect(error.field).to.equal("versions[0].suit");
    expect(error.nearest).to.equal("suite");
    const top = failure(FileError, () => parseDefinition("nam: x", "f"));
    expect(top.message).to.match(/^f: /);
  });

  it("name the place of a wrong value", () => {
    const text = "name: x\nversions: [{ version: '1' }]\nruntimes: [cloud]\n";
    expect(failure(FileError, () => parseDefinition(text, "f")).field).to.equal("runtimes[0]");
    expect(failure(FileError, () => parseDefinition("[", "f")).field).to.equal("document");
    expect(failure(FileError, () => parseDefinition("7", "f")).field).to.equal("document");
  });
});

describe("code points of a peer", () => {
  const read = (codePoints: string) =>
    parseDefinition(
      `name: x\ncodePoints: { ${codePoints} }\nversions: [{ version: "1", codePoints: { GSA_AUTH: 240 } }]\nruntimes: [uml]\n`,
      "peers/x/peer.yaml",
    );

  it("are those of its definition, under those of the version", () => {
    const definition = read('GSA_AUTH: 239, "RESERVED_SPI.ESP_ECHO_REQUEST": 9');
    const [version] = definition.versions;
    expect(version && codePointsOf({ definition, version, runtime: "uml" })).to.deep.equal({
      GSA_AUTH: 240,
      "RESERVED_SPI.ESP_ECHO_REQUEST": 9,
    });
    expect(codePointsOf(findPeer("strongswan"))).to.deep.equal({});
  });

  it("must have the name of one, and a number", () => {
    const unknown = failure(FileError, () => read("ESP_ECHO_SUPORTED: 41000"));
    expect(unknown.field).to.equal("codePoints.ESP_ECHO_SUPORTED");
    expect(unknown.message).to.match(/no document has this code point, nearest: ESP_ECHO_SUPPORTED$/);
    expect(failure(FileError, () => read("GSA_AUTH: -1")).field).to.equal("codePoints.GSA_AUTH");
  });
});

describe("findPeer", () => {
  it("fills in the newest version and the best runtime", () => {
    expect(peerName(findPeer("strongswan"))).to.equal("strongswan@6.1:netns");
    expect(peerName(findPeer("strongswan@5.9"))).to.equal("strongswan@5.9:netns");
    expect(peerName(findPeer("strongswan@6.1.0:uml"))).to.equal("strongswan@6.1:uml");
    expect(peerName(findPeer("strongswan:uml"))).to.equal("strongswan@6.1:uml");
    expect(peerName(findPeer("libreswan@5.2"))).to.equal("libreswan@5.2:uml");
  });

  it("says which part is wrong and what is nearest", () => {
    const name = failure(PeerNameError, () => findPeer("strongswam@6.1"));
    expect([name.part, name.nearest]).to.deep.equal(["name", "strongswan"]);
    const version = failure(PeerNameError, () => findPeer("strongswan@6.2"));
    expect([version.part, version.nearest]).to.deep.equal(["version", "6.1"]);
    const runtime = failure(PeerNameError, () => findPeer("strongswan@6.1:netn"));
    expect([runtime.part, runtime.nearest]).to.deep.equal(["runtime", "netns"]);
    for (const odd of ["", "@", ":", "a\nb", "strongswan@", "strongswan:"]) {
      failure(PeerNameError, () => findPeer(odd));
    }
  });
});
