import { expect } from "chai";
import { fragmentation } from "../extensions/fragmentation.ts";
import { postQuantum } from "../extensions/post-quantum.ts";
import type { GroupSpec } from "../group/spec.ts";
import type { Policy } from "../ike/policy.ts";
import { pki } from "../pki/pki.ts";
import { ikeProposals } from "../script/policy.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { GroupHosts } from "./group-hosts.ts";

const SPEC: GroupSpec = { id: "keyid:67727031", rekey: "ed25519", data: ["aes128gcm16-unspec32"] };
const MEMBERS = ["a.example", "b.example"];
const { IKE_SA_INIT, IKE_INTERMEDIATE, GSA_AUTH } = EXCHANGE;

/** A group whose IKE SAs take two additional key exchanges and a PPK, and what its members sent. */
async function group() {
  const policy: Partial<Policy> = {
    ike: ikeProposals("aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_x448-kw256"),
    ppks: [{ id: Uint8Array.of(2, 1), secret: new Uint8Array(32).fill(7) }],
    ...{ ppkRequired: true, ppkIn: ["IKE_INTERMEDIATE"] },
  };
  const exchanges: number[] = [];
  const data: string[] = [];
  const hosts = new GroupHosts({
    ...{ seed: "hybrid", spec: SPEC, members: MEMBERS, policy },
    credential: await (await pki()).credential("gcks.example", "ed25519"),
    extensions: () => [fragmentation(), ...postQuantum()],
    hostEvent: (_host, event) => {
      if (event.type === "sent" && !event.message.isResponse)
        exchanges.push(event.message.header.exchangeType);
    },
    memberEvent: (host, { type }) => {
      if (type === "data") data.push(host);
    },
  });
  return { hosts, exchanges, data };
}

describe("a group behind additional key exchanges and a PPK", () => {
  it("is joined in GSA_AUTH, which comes after them, and has its keys wrapped under the last ones", async () => {
    const { hosts, exchanges, data } = await group();
    const sas = MEMBERS.map((name) => hosts.register(name, true));
    const joined = [IKE_SA_INIT, IKE_INTERMEDIATE, IKE_INTERMEDIATE, GSA_AUTH];
    expect(exchanges).to.deep.equal([...joined, ...joined]);
    expect(sas.map(({ state }) => state)).to.deep.equal(["established", "established"]);
    expect(sas.map(({ earlierKeys }) => earlierKeys.length)).to.deep.equal([3, 3]);
    hosts.send("a.example", "hello");
    hosts.send("b.example", "hello");
    expect(data).to.deep.equal(["b.example", "a.example"]);
  });

  it("is closed to who sends GSA_AUTH without any of them", async () => {
    const { hosts, exchanges, data } = await group();
    const { extensions } = hosts.member("b.example").host.options;
    const begun = extensions.find(({ beforeAuth }) => beforeAuth !== undefined);
    if (begun) begun.beforeAuth = () => false;
    hosts.register("a.example", true);
    exchanges.length = 0;
    const sa = hosts.register("b.example", false);
    expect(exchanges).to.deep.equal([IKE_SA_INIT, GSA_AUTH]);
    hosts.send("a.example", "hello");
    expect(data).to.deep.equal([]);
    expect(sa.state).to.equal("closed");
    expect(hosts.server.endpoint.core.sas.size).to.equal(1);
  });
});
