import { expect } from "chai";
import { configFor } from "../../harness/run/config.ts";
import { DriverUnsupported } from "../contract.ts";
import { AddressDriver } from "./driver.ts";

const at = (host: string) => ({ host, port: 500 });
const told = (config = {}) => configFor(at("192.0.2.2"), at("192.0.2.1"), { config });

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((failed: unknown) => failed);
  expect(error).to.be.instanceOf(DriverUnsupported);
  return error instanceof Error ? error.message : "";
}

describe("a peer at an address", () => {
  const driver = new AddressDriver(told());

  it("is as its owner says, and cannot be told otherwise", async () => {
    await driver.configure(told());
    const other = told({ cookies: "always", ikeProposals: ["aes256-sha256-x25519"] });
    expect(await refusal(driver.configure(other))).to.equal(
      "nobody can tell a peer at an address: ikeProposals, cookies",
    );
  });

  it("begins nothing", async () => {
    const traffic = { from: "203.0.113.17", to: "203.0.113.1", count: 1 };
    for (const work of [
      driver.initiate(),
      driver.rekeyIke(),
      driver.rekeyChild(),
      driver.delete("ike"),
      driver.sendTraffic(traffic),
    ])
      expect(await refusal(work)).to.match(/^nobody can make a peer at an address /);
    expect(await driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
  });
});
