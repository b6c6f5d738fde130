import { expect } from "chai";
import {
  decodeChain,
  decodeMessage,
  describeIdentity,
  describeMessage,
  EMPTY,
  fromHex,
  isFrameError,
  type Message,
  messageToTree,
  type Payload,
  payloadToTree,
} from "./index.ts";
import { REAL_CHAINS, REAL_MESSAGES } from "./vectors.ts";

function real(name: string): Message {
  const message = decodeMessage(fromHex(REAL_MESSAGES[name] ?? ""));
  if (isFrameError(message)) throw new Error(message.error);
  return message;
}

function realChain(name: string): Payload[] {
  const { first, octets } = REAL_CHAINS[name]!;
  return decodeChain(first, fromHex(octets)).payloads;
}

describe("describeMessage", () => {
  it("puts a message on one line", () => {
    expect(describeMessage(real("IKE_SA_INIT request"))).to.equal(
      "IKE_SA_INIT request 0 [ SA KE No N(NATD_S_IP) N(NATD_D_IP) ]",
    );
    expect(describeMessage(real("IKE_AUTH fragment 1 of 2"))).to.equal("IKE_AUTH request 1 [ SKF(1/2) ]");
  });

  it("shows what was encrypted", () => {
    expect(describeMessage(real("IKE_AUTH request"), realChain("IKE_AUTH request"))).to.equal(
      "IKE_AUTH request 1 [ SK ] { IDi AUTH SA TSi TSr }",
    );
    expect(describeMessage(real("INFORMATIONAL request"), [])).to.equal("INFORMATIONAL request 2 [ SK ] { }");
  });

  it("shows odd things and cuts long chains", () => {
    const { header } = real("IKE_SA_INIT response");
    const payloads: Payload[] = [
      { kind: "raw", type: 99, data: EMPTY, critical: true },
      { kind: "Delete", type: 42, protocolId: 3, spiSize: 4, spis: [fromHex("c0ffee01")] },
    ];
    expect(describeMessage({ header, payloads, trailing: fromHex("00") })).to.equal(
      "IKE_SA_INIT response 0 [ unknown(99)(raw 0)! D(ESP c0ffee01) ] + 1 octets",
    );
    const many = Array.from({ length: 10000 }, (): Payload => ({ kind: "VendorID", type: 43, data: EMPTY }));
    expect(
      describeMessage({ header: { ...header, version: 0x10, exchangeType: 2 }, payloads: many }),
    ).to.match(/^IKEv1 MAIN response 0 \[ (V ){40}\.\.\. 9960 more \]$/);
  });
});

describe("describeIdentity", () => {
  it("writes addresses, names and octets, and no control characters", () => {
    const id = (idType: number, data: string): string =>
      describeIdentity({ kind: "ID", type: 35, idType, data: fromHex(data) });
    expect(id(1, "c0000201")).to.equal("192.0.2.1");
    expect(id(2, "692e6578616d706c65")).to.equal("i.example");
    expect(id(2, "1b5b33316d9b")).to.equal("\\x1b[31m\\x9b");
    expect(id(11, "0102")).to.equal("0x0102");
  });
});

describe("messageToTree", () => {
  it("names numbers and writes octets as hex", () => {
    const tree = messageToTree(real("IKE_SA_INIT request"));
    expect(tree.header).to.deep.equal({
      spiI: "a1a2a3a4a5a6a7a8",
      spiR: "0000000000000000",
      version: 32,
      exchangeType: "IKE_SA_INIT",
      flags: 8,
      messageId: 0,
    });
    expect(payloadToTree(real("IKE_SA_INIT request").payloads[0]!)).to.deep.equal({
      kind: "SA",
      type: "SA",
      proposals: [
        {
          number: 1,
          protocolId: "IKE",
          spi: "",
          transforms: [
            { type: "ENCR", id: "AES_CBC", attributes: [{ type: "KEY_LENGTH", value: 256 }] },
            { type: "PRF", id: "HMAC_SHA2_256", attributes: [] },
            { type: "INTEG", id: "HMAC_SHA2_256_128", attributes: [] },
            { type: "KE", id: "CURVE25519", attributes: [] },
          ],
        },
      ],
    });
  });

  it("survives JSON for every kind of payload", () => {
    for (const name of Object.keys(REAL_CHAINS)) {
      for (const payload of realChain(name)) {
        const tree = payloadToTree(payload);
        expect(JSON.parse(JSON.stringify(tree))).to.deep.equal(tree);
      }
    }
    const selectors = payloadToTree(realChain("IKE_AUTH request")[3]!).selectors;
    expect(selectors).to.deep.equal([
      {
        tsType: "TS_IPV4_ADDR_RANGE",
        ipProtocol: 0,
        startPort: 0,
        endPort: 65535,
        startAddress: "10.1.0.0",
        endAddress: "10.1.0.255",
      },
    ]);
  });

  it("carries findings and trailing octets", () => {
    const bytes = fromHex(`${REAL_MESSAGES["INFORMATIONAL request"]}aabb`);
    const message = decodeMessage(bytes);
    if (isFrameError(message)) throw new Error(message.error);
    const tree = messageToTree(message);
    expect(tree.trailing).to.equal("aabb");
    expect(tree.findings).to.have.length(1);
  });
});
