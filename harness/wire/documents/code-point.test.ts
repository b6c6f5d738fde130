import { expect } from "chai";
import * as registries from "../registry/index.ts";
import { type CodePointName, codePointNames, codePointOf } from "./code-point.ts";
import { documentFacts } from "./index.ts";

describe("code points", () => {
  it("are found by name", () => {
    expect(codePointOf("ESP_ECHO_SUPPORTED")).to.equal(51101);
    expect(codePointOf("GSA_AUTH")).to.equal(39);
    expect(codePointOf("SN")).to.equal(5);
  });

  it("give way to what a peer uses instead", () => {
    const overrides = { ESP_ECHO_SUPPORTED: 41000, "RESERVED_SPI.ESP_ECHO_REQUEST": 9 };
    expect(codePointOf("ESP_ECHO_SUPPORTED", overrides)).to.equal(41000);
    expect(codePointOf("RESERVED_SPI.ESP_ECHO_REQUEST", overrides)).to.equal(9);
    expect(codePointOf("ENCRYPTED_PING_SUPPORTED", overrides)).to.equal(51100);
  });

  it("bear the name of their registry only where two registries have the name", () => {
    expect(codePointOf("AGGFRAG_SUB_TYPE.ESP_ECHO_REQUEST")).to.equal(2);
    expect(codePointOf("RESERVED_SPI.ESP_ECHO_REQUEST")).to.equal(7);
    const shared: string[] = codePointNames().filter((name) => name.includes("."));
    expect(shared.every((name) => /\.ESP_ECHO_(REQUEST|REPLY)$/.test(name))).to.equal(true);
    for (const name of ["ESP_ECHO_REQUEST", "NOTIFY.ESP_ECHO_SUPPORTED"] satisfies CodePointName[])
      expect(() => codePointOf(name)).to.throw(`no document has exactly one code point ${name}`);
  });

  it("are those of the registries, and state what they are", () => {
    const constants: Record<string, unknown> = { ...registries };
    for (const { name, codePoints } of documentFacts)
      for (const [registry, table] of Object.entries(codePoints).filter(([key]) => key !== "UDP_PORT"))
        for (const point of table) {
          expect(constants[registry], `${name} ${registry}`).to.have.property(point.name, point.value);
          const isPrivate = point.document?.startsWith("private") ?? false;
          expect(isPrivate, point.name).to.equal(point.state === "private use");
        }
  });
});
