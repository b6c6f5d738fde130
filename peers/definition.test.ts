import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { FileError } from "../harness/run/yaml-file.ts";
import { findPeer, loadDefinitions, PeerNameError, parseDefinition, peerName } from "./definition.ts";

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
    const text = "name: x\nversions: [{ version: '1' }]\nruntimes: [docker]\n";
    expect(failure(FileError, () => parseDefinition(text, "f")).field).to.equal("runtimes[0]");
    expect(failure(FileError, () => parseDefinition("[", "f")).field).to.equal("document");
    expect(failure(FileError, () => parseDefinition("7", "f")).field).to.equal("document");
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
