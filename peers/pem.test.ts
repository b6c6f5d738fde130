import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import { pki } from "../harness/pki/pki.ts";
import { certificatePem } from "./pem.ts";

describe("PEM", () => {
  it("holds the same certificate, in lines of 64", async () => {
    const { ca } = await pki();
    const pem = certificatePem(ca);
    expect(new Uint8Array(new X509Certificate(pem).raw)).to.deep.equal(ca);
    expect(Math.max(...pem.split("\n").map((line) => line.length))).to.equal(64);
  });
});
