import { expect } from "chai";
import { parseSources } from "./sources.ts";

describe("apt sources", () => {
  it("reads the deb822 form, with comments, continued lines and disabled stanzas", () => {
    const text = [
      "Types: deb deb-src",
      "# a remark",
      "URIs: http://mirror.example/debian",
      "Suites: bookworm",
      "  bookworm-updates",
      "Components: main contrib",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
      "Types: deb",
      "URIs: http://mirror.example/debian-security",
      "Suites: bookworm-security",
      "Components: main",
      "",
      "Enabled: no",
      "Types: deb",
      "URIs: http://off.example/debian",
      "Suites: trixie",
      "Components: main",
    ].join("\n");
    expect(parseSources("debian.sources", text)).to.deep.equal([
      {
        uri: "http://mirror.example/debian",
        suites: ["bookworm", "bookworm-updates"],
        signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
      },
    ]);
  });

  it("reads the one-line form and leaves other archives alone", () => {
    const text = [
      "# deb http://old.example/debian bookworm main",
      "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ trixie main contrib # remark",
      "deb http://security.example/debian-security trixie-security main",
      "deb https://packages.example/apt cloud-sdk-bookworm main",
      "deb-src http://mirror.example/debian trixie main",
    ].join("\n");
    expect(parseSources("sources.list", text)).to.deep.equal([
      { uri: "http://mirror.example/debian/", suites: ["trixie"], signedBy: "/k.gpg" },
    ]);
  });

  it("finds nothing in noise", () => {
    expect(parseSources("a.sources", "\n\n: x\nTypes deb\n")).to.deep.equal([]);
    expect(parseSources("a.list", "deb\ndeb [\n")).to.deep.equal([]);
  });
});
