import { expect } from "chai";
import { ContractDriver } from "./contract-driver.ts";
import { type Channel, CONTRACT, DriverFault, type Reply } from "./verbs.ts";

const where = { host: "192.0.2.2", port: 500, natPort: 4500 };
const hello = { verb: "hello", contract: CONTRACT, tester: where, peer: where } as const;

/** A driver that never answers one of the verbs, until it is closed. */
function driverWithout(unanswered: string) {
  const asked: string[] = [];
  let fault: DriverFault | undefined;
  let closed = () => {};
  const never = new Promise<Reply>((_, reject) => {
    closed = () => reject(new DriverFault("ended"));
  });
  never.catch(() => {});
  const channel: Channel = {
    async ask({ verb }) {
      asked.push(verb);
      if (fault) throw fault;
      return verb === unanswered ? never : { ok: true };
    },
    get usable() {
      return fault === undefined;
    },
    async close() {
      fault = new DriverFault("ended");
      closed();
    },
  };
  return { asked, channel, driver: new ContractDriver({ open: async () => channel, hello }) };
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.catch((failed: unknown) => failed);
  expect(error).to.be.instanceOf(DriverFault);
  return String(error);
};
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a driver of the contract", () => {
  it("is ended with a bye, and not opened again by a verb that comes late", async () => {
    const { asked, driver } = driverWithout("");
    await driver.start();
    await driver.stop();
    expect(await refusal(driver.status())).to.match(/has been stopped/);
    expect(asked).to.deep.equal(["hello", "bye"]);
  });

  it("is stopped in the middle of a verb, which no bye waits for", async () => {
    const { asked, driver } = driverWithout("initiate");
    await driver.start();
    const refused = refusal(driver.initiate());
    await turn();
    await driver.stop();
    await refused;
    expect(asked).to.deep.equal(["hello", "initiate"]);
  });

  it("is stopped in the middle of hello when the signal comes", async () => {
    const { driver } = driverWithout("hello");
    const stop = new AbortController();
    const refused = refusal(driver.start(stop.signal));
    await turn();
    stop.abort();
    await refused;
  });

  it("is told no hello where it was stopped while it was opened", async () => {
    const { asked, channel } = driverWithout("");
    let opened = (_: Channel) => {};
    const opening = new Promise<Channel>((resolve) => {
      opened = resolve;
    });
    const driver = new ContractDriver({ open: () => opening, hello });
    const refused = refusal(driver.start());
    await turn();
    await driver.stop();
    opened(channel);
    expect(await refused).to.match(/has been stopped/);
    expect(asked).to.deep.equal([]);
    expect(channel.usable).to.equal(false);
  });

  it("has ended once its channel is of no use any more", async () => {
    const { channel, driver } = driverWithout("");
    await driver.start();
    expect(driver.ended()).to.equal(false);
    await channel.close();
    expect(driver.ended()).to.equal(true);
  });

  it("ends by itself at bye where it has no process of its own", async () => {
    const { driver } = driverWithout("");
    await driver.tell({ verb: "bye" });
    expect(await driver.hasEnded(5)).to.equal(true);
  });
});
