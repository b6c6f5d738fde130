import { expect } from "chai";
import { showFields, showJson, showLine } from "./show.ts";
import type { View } from "./view.ts";

const VIEW: View = {
  ...{ at: 12, timeMs: 1500, source: "192.0.2.1:500", destination: "192.0.2.2:500", from: "left" },
  ...{ kind: "ike", text: "IKE_AUTH request 1: N(COOKIE) SK { AUTH }", note: "2 fragments" },
  header: { messageId: 1 },
  clear: [{ kind: "Notify", notifyType: "COOKIE", data: "c0de" }],
  inner: [{ kind: "AUTH", method: "NULL" }, { kind: "VendorID" }],
  findings: [{ offset: 33, field: "AUTH > length", reason: "\u001b[31m", inside: true }],
};

describe("pcap show", () => {
  it("has a line for a message", () => {
    const line =
      "    12    0.500000  192.0.2.1:500 > 192.0.2.2:500  IKE_AUTH request 1: N(COOKIE) SK { AUTH } (2 fragments)\n";
    expect(showLine(VIEW, 1000)).to.equal(line);
  });

  it("has a line for each field, and one for a payload without any", () => {
    const lines = showFields(VIEW)
      .split("\n")
      .map((line) => line.trim());
    expect(lines).to.deep.equal([
      ...["header > messageId: 1", "N(COOKIE) > data: 0xc0de", "SK > AUTH > method: NULL", "SK > V"],
      ...["! octet 33 inside: AUTH > length: \\u{1b}[31m", ""],
    ]);
  });

  it("has a line of JSON", () => {
    expect(JSON.parse(showJson(VIEW))).to.deep.equal(VIEW);
  });
});
