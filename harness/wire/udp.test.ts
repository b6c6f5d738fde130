import { expect } from "chai";
import { fromHex } from "./bytes.ts";
import { addMarker, demultiplex, KEEPALIVE } from "./udp.ts";

describe("UDP port 4500", () => {
  it("tells keepalives, IKE and ESP apart", () => {
    expect(demultiplex(KEEPALIVE).kind).to.equal("keepalive");
    expect(demultiplex(fromHex("ffff")).kind).to.equal("short");
    expect(demultiplex(fromHex("00")).kind).to.equal("short");
    expect(demultiplex(fromHex("")).kind).to.equal("short");
    expect(demultiplex(fromHex("ffffffff")).kind).to.equal("esp");
    expect(demultiplex(fromHex("00000100 aa"))).to.deep.equal({ kind: "esp", data: fromHex("00000100 aa") });
    expect(demultiplex(fromHex("00000000 aa"))).to.deep.equal({ kind: "ike", data: fromHex("aa") });
  });

  it("marks IKE messages", () => {
    expect(demultiplex(addMarker(fromHex("a1a2")))).to.deep.equal({ kind: "ike", data: fromHex("a1a2") });
  });
});
