import { expect } from "chai";
import { ordinaryConfig } from "../../harness/run/config.ts";
import { endOf, environmentOf } from "./told.ts";

describe("a container that is told by its environment", () => {
  it("is told everything that an ordinary configuration has", () => {
    const config = ordinaryConfig({ host: "192.0.2.2", port: 500 }, { host: "192.0.2.1", port: 500 });
    const hosts = { tester: "203.0.113.1", peer: "203.0.113.17" };
    const told = environmentOf({ verb: "configure", config, hosts, test: "rfc7296/1.2/x" }, "initiator");
    expect(told).to.deep.include({
      ...{ ROLE: "initiator", TESTCASE: "rfc7296/1.2/x", MODE: "tunnel", HOST: "203.0.113.17" },
      ...{ LOCAL_ADDRESS: "192.0.2.2", REMOTE_ADDRESS: "192.0.2.1" },
      ...{ LOCAL_ID: "peer.example", REMOTE_ID: "tester.example" },
      ...{ LOCAL_TS: "203.0.113.16/28", REMOTE_TS: "203.0.113.0/28" },
      IKE_PROPOSALS: "aes256-sha256-x25519-ecp256-modp2048 aes256gcm16-prfsha256-x25519-ecp256",
    });
  });

  it("says by 127 that it does not support a test, and by any other early end that it could not begin", () => {
    expect(endOf(127, "no transport mode")).to.deep.equal({ unsupported: "no transport mode" });
    expect(endOf(127, "")).to.deep.equal({ unsupported: "the container ended with 127" });
    expect(endOf(0, "")).to.deep.equal({ error: "the container ended: exit 0" });
    expect(endOf(1, "no such file")).to.deep.equal({ error: "the container ended: exit 1: no such file" });
  });

  it("is no implementation that lacks something where the engine finds no program in it", () => {
    const said = 'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown';
    expect(endOf(127, said))
      .to.have.property("error")
      .that.matches(/^the engine could not start/);
    expect(endOf(125, "x")).to.deep.equal({ error: "the engine could not start the container: exit 125: x" });
  });
});
