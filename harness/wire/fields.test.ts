import { expect } from "chai";
import { fromHex } from "./bytes.ts";
import { fieldsOfTree } from "./fields.ts";
import { decodeMessage } from "./index.ts";
import { messageToTree, payloadToTree } from "./text.ts";
import type { Payload, Transform } from "./types.ts";

const encr = (id: number, bits: number): Transform => ({
  type: 1,
  id,
  attributes: [{ type: 14, value: bits }],
});

const sa = (...transforms: Transform[]): Payload => ({
  kind: "SA",
  type: 33,
  proposals: [{ number: 1, protocolId: 1, spi: new Uint8Array(0), transforms }],
});

const paths = (payload: Payload): string[] => fieldsOfTree(payloadToTree(payload)).map((field) => field.path);
const lines = (payload: Payload): string[] =>
  fieldsOfTree(payloadToTree(payload)).map(({ path, value }) => `${path} = ${value}`);

describe("labelled fields", () => {
  it("call a transform by its type while it is the only one", () => {
    expect(lines(sa(encr(12, 256), { type: 2, id: 5, attributes: [] }))).to.deep.equal([
      "SA > proposal 1 > number = 1",
      "SA > proposal 1 > protocol ID = IKE",
      "SA > proposal 1 > SPI = empty",
      "SA > proposal 1 > transform ENCR > id = AES_CBC",
      "SA > proposal 1 > transform ENCR > key length = 256",
      "SA > proposal 1 > transform PRF > id = HMAC_SHA2_256",
    ]);
  });

  it("tell transforms of a type apart by id, then by key length, so that one more shifts none", () => {
    const two = paths(sa(encr(12, 256), encr(20, 128))).filter((path) => path.endsWith("key length"));
    const three = paths(sa(encr(20, 256), encr(12, 256), encr(20, 128))).filter((path) =>
      path.endsWith("key length"),
    );
    expect(two).to.deep.equal([
      "SA > proposal 1 > transform ENCR AES_CBC > key length",
      "SA > proposal 1 > transform ENCR AES_GCM_16 > key length",
    ]);
    expect(three).to.deep.equal([
      "SA > proposal 1 > transform ENCR AES_GCM_16 256 > key length",
      "SA > proposal 1 > transform ENCR AES_CBC > key length",
      "SA > proposal 1 > transform ENCR AES_GCM_16 128 > key length",
    ]);
  });

  it("say what is odd, and nothing of what is ordinary", () => {
    const cookie: Payload = {
      ...{ kind: "Notify", type: 41, critical: true, reserved: 1, protocolId: 0 },
      ...{ spi: new Uint8Array(0), notifyType: 16390, data: fromHex("c0ffee") },
    };
    expect(lines(cookie)).to.deep.equal([
      "N(COOKIE) > critical bit = set",
      "N(COOKIE) > reserved bits = 1",
      "N(COOKIE) > protocol ID = NONE",
      "N(COOKIE) > SPI = empty",
      "N(COOKIE) > data = 0xc0ffee",
    ]);
  });

  it("write identities, addresses and EAP methods as people do", () => {
    const id: Payload = { kind: "ID", type: 35, idType: 2, data: Buffer.from("left.example") };
    expect(lines(id)).to.deep.equal(["IDi > ID type = ID_FQDN", "IDi > data = left.example"]);
    const attributes = [
      { type: 1, data: fromHex("c0000207") },
      { type: 14, data: fromHex("0001") },
      { type: 8, data: fromHex("20010db800000000000000000000000140") },
    ];
    expect(lines({ kind: "CP", type: 47, cfgType: 2, attributes })).to.deep.equal([
      "CP > CFG type = REPLY",
      "CP > INTERNAL_IP4_ADDRESS > value = 192.0.2.7",
      "CP > SUPPORTED_ATTRIBUTES > value = 0x0001",
      "CP > INTERNAL_IP6_ADDRESS > value = 2001:db8::1/64",
    ]);
    const data = Buffer.from("\x01guest");
    expect(lines({ kind: "EAP", type: 48, code: 2, identifier: 7, data })).to.deep.equal([
      "EAP > code = RESPONSE",
      "EAP > identifier = 7",
      "EAP > type = IDENTITY",
      "EAP > identity = 0x6775657374",
    ]);
  });

  it("number payloads of a name from the second on", () => {
    const ke = { kind: "KE", type: "KE", group: "ECP256", data: "00" };
    const fields = fieldsOfTree({ payloads: [ke, { kind: "Nonce", type: "NONCE", data: "" }, ke] });
    expect(fields.map((field) => field.path)).to.deep.equal([
      ...["KE > group", "KE > data", "Nonce > data", "KE 2 > group", "KE 2 > data"],
    ]);
  });

  it("take any tree, and a message with payloads we do not read", () => {
    expect(fieldsOfTree({ kind: "SA", proposals: [null, 1, { transforms: "x" }] })).to.deep.equal([
      { path: "SA > proposal 1 > transforms", value: "x" },
    ]);
    const message = decodeMessage(
      fromHex("00112233445566770000000000000000c820220800000000000000240080000841424344"),
    );
    if ("error" in message) throw new Error(message.error);
    expect(fieldsOfTree(messageToTree(message)).map((f) => f.path)).to.deep.equal([
      "COMPRESSED_PAYLOADS(raw) > data",
      "COMPRESSED_PAYLOADS(raw) > critical bit",
    ]);
  });
});
