import { expect } from "chai";
import { ContractDriver } from "../../peers/contract-driver.ts";
import { type Channel, CONTRACT, type Reply } from "../../peers/verbs.ts";
import { Script } from "../script/script.ts";
import { Failure } from "../script/verdicts.ts";
import { deeper, judgeError } from "./judge.ts";
import { memoryPeer } from "./live-peer.ts";

const where = { host: "192.0.2.2", port: 500, natPort: 4500 };
const hello = { verb: "hello", contract: CONTRACT, tester: where, peer: where } as const;
const failure = judgeError(new Failure("an answer", "none"));

/** Says this of its state. */
function driver(status: Reply): ContractDriver {
  const channel: Channel = {
    ask: async ({ verb }) => (verb === "status" ? status : { ok: true }),
    usable: true,
    close: async () => {},
  };
  return new ContractDriver({ open: async () => channel, hello });
}

describe("the deeper cause of a failure", () => {
  /** The verdict where the peer answers nobody. */
  async function verdictOf(status: Reply, listens: boolean): Promise<string> {
    const order = { peer: "builtin:memory", id: "builtin", seed: "1" };
    const arena = await memoryPeer(order, "").arena("a/1/test", {});
    const script = new Script({ ...arena, link: { ...arena.link, send: () => {} } });
    try {
      return (await deeper(failure, script, driver(status), listens)).verdict;
    } finally {
      script.host.stop();
    }
  }

  it("is a hang where nobody answers, though its driver cannot tell its state", async () => {
    expect(await verdictOf({ ok: true }, true)).to.equal("hang");
    expect(await verdictOf({ error: "the daemon does not answer" }, true)).to.equal("hang");
  });

  it("is not looked for where nobody need answer", async () => {
    expect(await verdictOf({ ok: true }, false)).to.equal("fail");
  });

  it("is a crash where the driver says so", async () => {
    expect(await verdictOf({ ok: true, alive: false, exit: "SIGSEGV" }, false)).to.equal("crash");
  });
});
