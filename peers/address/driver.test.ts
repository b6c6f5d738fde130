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
    for (const verb of ["initiate", "rekeyIke", "rekeyChild", "delete", "sendTraffic"] as const)
      expect(await refusal(driver[verb]())).to.match(/^a peer at an address cannot be made to /);
    expect(await driver.status()).to.deep.equal({ alive: true, ikeSas: [], childSas: [] });
  });
});
