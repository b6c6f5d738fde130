import { expect } from "chai";
import * as registries from "./index.ts";
import type { Registry } from "./registry.ts";

const isRegistry = (value: unknown): value is Registry =>
  typeof value === "object" && value !== null && "entries" in value && "nameOf" in value;

const all: Registry[] = Object.values(registries).filter(isRegistry);

describe("registries", () => {
  it("are all there", () => {
    expect(all.length).to.be.greaterThan(40);
  });

  for (const registry of all) {
    it(`${registry.title}: names and keywords are unique, values too but for private use`, () => {
      const names = registry.entries.map((entry) => entry.name);
      expect(new Set(names).size).to.equal(names.length);
      const shorts = registry.entries.flatMap((entry) => entry.short ?? []);
      expect(new Set(shorts).size).to.equal(shorts.length);
      const assigned = registry.entries.filter((entry) => !entry.document?.startsWith("private"));
      expect(new Set(assigned.map((entry) => entry.value)).size).to.equal(assigned.length);
      for (const entry of registry.entries) {
        expect(entry.document, entry.name).to.not.equal(undefined);
        expect(registry.byName(entry.name)).to.equal(entry);
      }
    });
  }

  it("name what they list, and say of the rest whether it is private", () => {
    expect(registries.notifyTypes.nameOf(17)).to.equal("INVALID_KE_PAYLOAD");
    expect(registries.notifyTypes.nameOf(8200)).to.equal("private(8200)");
    expect(registries.notifyTypes.nameOf(60000)).to.equal("private(60000)");
    expect(registries.notifyTypes.nameOf(20000)).to.equal("unknown(20000)");
    expect(registries.payloadTypes.nameOf(99)).to.equal("unknown(99)");
    expect(registries.transformName(9, 36)).to.equal("ML_KEM_768");
    expect(registries.transformName(99, 1)).to.equal("unknown(1)");
  });

  it("give typed constants", () => {
    const group: 31 = registries.KE.CURVE25519;
    expect(group).to.equal(31);
    expect(registries.NOTIFY.INVALID_KE_PAYLOAD).to.equal(17);
    expect(registries.ENCR.AES_GCM_16).to.equal(20);
    expect(registries.EXCHANGE.IKE_SA_INIT).to.equal(34);
    expect(registries.PROTOCOL.ESP).to.equal(3);
    expect(registries.isErrorType(registries.NOTIFY.COOKIE)).to.equal(false);
  });
});
