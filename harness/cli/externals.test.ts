import { expect } from "chai";
import { externalsOf } from "./externals.ts";

const flags = {
  ...{ psk: "secret", natPort: "4500", encap: "auto", mode: "tunnel", promptLimit: "60" },
  ...{ ike: [], esp: [], ppk: [], localTs: [], remoteTs: [] },
};

describe("options of a peer at an address", () => {
  it("take no password in the URL of a hook, and do not repeat it", async () => {
    const hook = "http://me:abc@127.0.0.1/hook";
    const refused: unknown = await externalsOf(["127.0.0.1"], { ...flags, hook }).catch(String);
    expect(refused)
      .to.match(/--hook: user and password cannot be in the URL/)
      .and.not.to.include("abc");
    const hooked = await externalsOf(["127.0.0.1"], { ...flags, hook: "http://127.0.0.1/hook?token=abc" });
    expect(hooked.get("127.0.0.1")?.way.box?.means).to.have.property("kind", "hook");
  });
});
