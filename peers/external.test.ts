import { expect } from "chai";
import { FileError } from "../harness/run/yaml-file.ts";
import { peerName } from "./definition.ts";
import { chosenExternal, parseExternal } from "./external.ts";

const read = (text: string) => parseExternal(text, "peers/mine.yaml");

function failure(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof FileError) return error.message;
  }
  return "none";
}

describe("a definition file of a user's", () => {
  it("names a program, an image or an address, seen from its folder", () => {
    const program = read("name: mine\nprogram: [python3, driver.py]\n");
    expect(program).to.deep.include({
      kind: "program",
      program: ["python3", "driver.py"],
      version: "unknown",
    });
    expect(program.folder).to.match(/\/peers$/);
    expect(read("name: mine\nprogram: ./driver\n").program).to.deep.equal(["./driver"]);
    expect(read("name: mine\nimage: mine:latest\n").kind).to.equal("image");
    expect(read('name: box\naddress: 192.0.2.7\npsk: "x"\nprompt: true\n').kind).to.equal("address");
  });

  it("is a peer by its name, whatever the way to it", () => {
    const runtimes = [
      "name: mine\nprogram: d\n",
      "name: mine\nprogram: d\nnetwork: loopback\n",
      "name: mine\nimage: i\n",
      "name: mine\naddress: 192.0.2.7\n",
    ].map((text) => chosenExternal(read(text)));
    expect(runtimes.map(({ runtime }) => runtime)).to.deep.equal(["netns", "process", "docker", "address"]);
    expect(runtimes.map(peerName)).to.deep.equal(["mine", "mine", "mine", "mine"]);
  });

  const wrong: [text: string, message: RegExp][] = [
    ["name: mine\n", /document: needs one of program, image, address$/],
    ["name: mine\nprogram: d\nimage: i\n", /image: needs one of program, image, address$/],
    ["name: mine\nprogram: d\npsk: x\n", /psk: is for a peer with address$/],
    ["name: mine\naddress: 192.0.2.7\nnetwork: loopback\n", /network: is for a peer with program$/],
    ["name: Mine\nprogram: d\n", /name: must be lower-case letters, digits and hyphens$/],
    ["name: mine\nprogramm: d\n", /programm: unknown field, nearest: program$/],
    ["name: mine\naddress: 192.0.2.7\nport: 70000\n", /port: /],
    ["name: [\n", /document: not YAML/],
  ];
  for (const [text, message] of wrong)
    it(`is refused in one line: ${JSON.stringify(text)}`, () => {
      expect(failure(text))
        .to.match(/^peers\/mine.yaml: [^\n]*$/)
        .and.to.match(message);
    });
});
