import { expect } from "chai";
import { configFor } from "../../harness/run/config.ts";
import { DriverUnsupported } from "../contract.ts";
import { ContractDriver } from "../contract-driver.ts";
import { type AnyAsk, type Channel, CONTRACT, DriverFault, type Reply } from "../verbs.ts";
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

describe("a peer at an address that can be told", () => {
  const other = told({ cookies: "always" });
  const isOwn = ({ config }: AnyAsk) => JSON.stringify(config) === JSON.stringify(told());
  const where = { ...at("192.0.2.1"), natPort: 4500 };

  /** A box, and what it was told: `own`, `other`, or the verb. `answer`: other than that it is done. */
  function box(answer: (ask: AnyAsk) => Reply | undefined = () => undefined) {
    const heard: string[] = [];
    const channel: Channel = {
      usable: true,
      async ask(ask) {
        heard.push(ask.verb !== "configure" ? ask.verb : isOwn(ask) ? "own" : "other");
        return answer(ask) ?? { ok: true };
      },
      close: async () => {},
    };
    const hello = { verb: "hello", contract: CONTRACT, tester: where, peer: where } as const;
    return {
      heard,
      driver: new AddressDriver(told(), new ContractDriver({ open: async () => channel, hello })),
    };
  }

  it("is told its own configuration first, as nobody knows what it was left with", async () => {
    const { heard, driver } = box();
    for (const config of [told(), told(), other, told(), told()]) await driver.configure(config);
    expect(heard).to.deep.equal(["hello", "own", "reset", "other", "own", "reset"]);
  });

  it("is told its own again where it may have taken another, whatever it answered", async () => {
    const { heard, driver } = box((ask) => {
      if (ask.verb !== "configure" || isOwn(ask)) return undefined;
      throw new DriverFault("did not answer configure in 20 s");
    });
    await driver.configure(told());
    const failed: unknown = await driver.configure(other).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(DriverFault);
    await driver.configure(told());
    expect(heard).to.deep.equal(["hello", "own", "other", "own"]);
  });

  it("is told its own again at the end", async () => {
    const { heard, driver } = box();
    await driver.configure(other);
    await driver.stop();
    expect(heard).to.deep.equal(["hello", "other", "own", "bye"]);
  });

  it("is taken for what its owner says where nobody can configure it", async () => {
    const { heard, driver } = box(({ verb }) =>
      verb === "configure" ? { unsupported: "no configure" } : undefined,
    );
    await driver.configure(told());
    expect(await refusal(driver.configure(other))).to.match(/: cookies \(no configure\)$/);
    await driver.configure(told());
    await driver.stop();
    expect(heard).to.deep.equal(["hello", "own", "reset", "other", "reset", "bye"]);
  });

  it("is not judged under another where it cannot be told its own again", async () => {
    const { driver } = box((ask) =>
      ask.verb === "configure" && isOwn(ask) ? { unsupported: "not that one" } : undefined,
    );
    await driver.configure(other);
    expect(await refusal(driver.configure(told()))).to.match(/its own configuration again: not that one$/);
  });
});
