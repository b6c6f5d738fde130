import { expect } from "chai";
import {
  concat,
  decodeChain,
  decodeMessage,
  EMPTY,
  encodeChain,
  encodeMessage,
  FLAG,
  fromHex,
  hex,
  isFrameError,
  type Message,
  type Payload,
  u32,
} from "./index.ts";
import { PAYLOAD } from "./registry/payload-types.ts";

/** A header in front of payload octets, with the right Length unless another is given. */
function frame(firstType: number, body: string, length?: number): Uint8Array {
  const payloads = fromHex(body);
  const head = fromHex("0102030405060708 1112131415161718");
  const middle = Uint8Array.of(firstType, 0x20, 37, FLAG.initiator, 0, 0, 0, 7);
  return concat(head, middle, u32(length ?? 28 + payloads.length), payloads);
}

/** Decodes, checks that nothing was lost, and gives the message. */
function decoded(bytes: Uint8Array): Message {
  const message = decodeMessage(bytes);
  if (isFrameError(message)) throw new Error(message.error);
  expect(hex(encodeMessage(message))).to.equal(hex(bytes));
  return message;
}

function only(bytes: Uint8Array): Payload {
  const { payloads } = decoded(bytes);
  expect(payloads).to.have.length(1);
  return payloads[0]!;
}

const reasons = (message: Message): string[] => (message.findings ?? []).map((f) => `${f.offset} ${f.field}`);

describe("decodeMessage", () => {
  it("gives a frame error below 28 octets", () => {
    for (let size = 0; size < 28; size++) {
      const result = decodeMessage(new Uint8Array(size));
      expect(isFrameError(result)).to.equal(true);
      if (isFrameError(result)) expect(result.findings).to.have.length(1);
    }
    expect(isFrameError(decodeMessage(new Uint8Array(28)))).to.equal(false);
  });

  it("reads a Buffer as plain octets", () => {
    const message = decoded(Buffer.from(frame(PAYLOAD.NONCE, "00000008 0a0b0c0d")));
    expect(message.header.spiI.constructor).to.equal(Uint8Array);
    expect(message.payloads).to.deep.equal([{ kind: "Nonce", type: 40, data: fromHex("0a0b0c0d") }]);
  });

  it("keeps a Length that is not that of the datagram, and looks no further than it", () => {
    const long = decoded(frame(PAYLOAD.NONCE, "00000008 0a0b0c0d", 500));
    expect(long.header.length).to.equal(500);
    expect(long.payloads).to.have.length(1);
    const short = decoded(frame(PAYLOAD.NONCE, "28000008 0a0b0c0d 00000005 ff", 36));
    expect(short.header.length).to.equal(36);
    expect(short.payloads).to.have.length(1);
    expect(short.payloads[0]?.next).to.equal(PAYLOAD.NONCE);
    expect(short.trailing).to.deep.equal(fromHex("00000005 ff"));
  });

  it("names odd bits of the header", () => {
    const bytes = frame(0, "");
    bytes[17] = 0x31;
    bytes[19] = 0xff;
    expect(reasons(decoded(bytes))).to.deep.equal(["17 header > version", "19 header > flags"]);
  });

  it("keeps Next Payload where no payload follows", () => {
    const none = decoded(frame(PAYLOAD.SA, ""));
    expect(none.header.nextPayload).to.equal(PAYLOAD.SA);
    expect(none.payloads).to.deep.equal([]);
    const short = decoded(frame(PAYLOAD.SA, "aabbcc"));
    expect(short.trailing).to.deep.equal(fromHex("aabbcc"));
    expect(reasons(short)).to.deep.equal(["28 next payload"]);
  });
});

describe("the generic payload header", () => {
  it("keeps the critical bit, reserved bits and unknown types", () => {
    const message = decoded(frame(250, "fb 85 0006 beef 00 80 0004"));
    expect(message.payloads).to.deep.equal([
      { kind: "raw", type: 250, data: fromHex("beef"), critical: true, reserved: 5 },
      { kind: "raw", type: 251, data: EMPTY, critical: true },
    ]);
    expect(reasons(message)).to.deep.equal([
      "28 payload type",
      "29 private(250) > reserved",
      "34 payload type",
    ]);
  });

  it("makes a payload raw whose length is below 4 or leads past the end", () => {
    for (const [length, body] of [
      ["0000", "2900 0000 00004000"],
      ["0003", "2900 0003 00004000"],
      ["0009", "2900 0009 00004000"],
      ["ffff", "2900 ffff 00004000"],
    ] as const) {
      const message = decoded(frame(PAYLOAD.NOTIFY, body));
      expect(message.payloads).to.deep.equal([
        { kind: "raw", type: 41, data: fromHex("00004000"), next: 41, length: Number.parseInt(length, 16) },
      ]);
      expect(reasons(message)).to.deep.equal(["30 NOTIFY > length"]);
    }
  });

  it("ends the chain at SK and SKF, whose Next Payload is the inner type", () => {
    const sk = decoded(frame(PAYLOAD.SK, "23 00 0006 aabb cc"));
    expect(sk.payloads).to.deep.equal([{ kind: "SK", type: 46, innerType: 35, data: fromHex("aabb") }]);
    expect(sk.trailing).to.deep.equal(fromHex("cc"));
    const skf = only(frame(PAYLOAD.SKF, "23 00 000a 00010003 aabb"));
    expect(skf).to.deep.equal({
      kind: "SKF",
      type: 53,
      innerType: 35,
      fragmentNumber: 1,
      totalFragments: 3,
      data: fromHex("aabb"),
    });
    const short = only(frame(PAYLOAD.SKF, "23 00 0006 0001"));
    expect(short).to.deep.equal({ kind: "raw", type: 53, data: fromHex("0001"), next: 35 });
  });
});

describe("bodies that do not fit their grammar", () => {
  /** Payload type, body, and the field of the finding. */
  const cases: [number, string, string][] = [
    [PAYLOAD.SA, "00000007 01010000", "SA > proposal 1 > length"],
    [PAYLOAD.SA, "00000009 01010000", "SA > proposal 1 > length"],
    [PAYLOAD.SA, "00000008 0101ff00", "SA > proposal 1 > SPI size"],
    [PAYLOAD.SA, "00000010 01010001 00000009 01000014", "SA > proposal 1 > transform 1 > length"],
    [
      PAYLOAD.SA,
      "00000014 01010001 0000000c 01000014 000e0001",
      "SA > proposal 1 > transform 1 > attribute 1 > length",
    ],
    [PAYLOAD.KE, "001f00", "KE"],
    [PAYLOAD.IDr, "020000", "ID"],
    [PAYLOAD.IDg, "", "ID"],
    [PAYLOAD.CERT, "", "CERT"],
    [PAYLOAD.CERTREQ, "", "CERTREQ"],
    [PAYLOAD.AUTH, "02", "AUTH"],
    [PAYLOAD.NOTIFY, "000040", "Notify"],
    [PAYLOAD.NOTIFY, "03054000 01020304", "Notify > SPI size"],
    [PAYLOAD.DELETE, "0304", "Delete"],
    [PAYLOAD.TSi, "0100", "TS"],
    [PAYLOAD.TSr, "01000000 07000003", "TS > selector 1 > length"],
    [PAYLOAD.TSi, "01000000 07000011 00000000 00000000", "TS > selector 1 > length"],
    [PAYLOAD.CP, "01", "CP"],
    [PAYLOAD.CP, "01000000 00010001", "CP > attribute 1 > length"],
    [PAYLOAD.EAP, "010203", "EAP"],
  ];
  for (const [type, body, field] of cases) {
    it(`become raw with a finding: type ${type}, ${body || "empty"}`, () => {
      const octets = fromHex(body);
      const size = (octets.length + 4).toString(16).padStart(4, "0");
      const message = decoded(frame(type, `0000${size}${body}`));
      expect(message.payloads).to.deep.equal([{ kind: "raw", type, data: octets }]);
      expect(message.findings?.map((finding) => finding.field)).to.deep.equal([field]);
    });
  }
});

describe("odd but readable bodies", () => {
  /** Payload type, body, and the fields of the findings. */
  const cases: [string, number, string, string[]][] = [
    ["Last Substruc", PAYLOAD.SA, "02000008 01010000", ["SA > proposal 1 > last"]],
    [
      "a proposal behind the last",
      PAYLOAD.SA,
      "00000008 01010000 00000008 02010000",
      ["SA > proposal 1 > last"],
    ],
    ["octets behind the last", PAYLOAD.SA, "00000008 01010000 00000001 02010000", ["SA > trailing"]],
    ["a few octets behind", PAYLOAD.SA, "00000008 01010000 aa", ["SA > trailing"]],
    ["transform count", PAYLOAD.SA, "00000008 01010007", ["SA > proposal 1 > transform count"]],
    ["reserved in a proposal", PAYLOAD.SA, "00ff0008 01010000", ["SA > proposal 1 > reserved"]],
    [
      "reserved in a transform",
      PAYLOAD.SA,
      "00000010 01010001 00010008 01020014",
      ["SA > proposal 1 > transform 1 > reserved1", "SA > proposal 1 > transform 1 > reserved2"],
    ],
    [
      "octets behind the attributes",
      PAYLOAD.SA,
      "00000012 01010001 0000000a 01000014 aabb",
      ["SA > proposal 1 > transform 1 > trailing"],
    ],
    ["KE reserved", PAYLOAD.KE, "001f0001 00", ["KE > reserved"]],
    ["ID reserved", PAYLOAD.IDi, "02000001 61", ["ID > reserved"]],
    ["AUTH reserved", PAYLOAD.AUTH, "02010000 61", ["AUTH > reserved"]],
    ["too many SPIs announced", PAYLOAD.DELETE, "0304ffff 01020304", ["Delete > SPI count"]],
    ["too few SPIs announced", PAYLOAD.DELETE, "03040001 01020304 05060708", ["Delete > trailing"]],
    ["SPIs of no octets", PAYLOAD.DELETE, "0100ffff", ["Delete > SPI count"]],
    ["TS count", PAYLOAD.TSi, "02000000 0a000006 6162", ["TS > count"]],
    ["an IPv4 range of another size", PAYLOAD.TSi, "01000000 07000006 6162", ["TS > selector 1 > length"]],
    ["octets behind the selectors", PAYLOAD.TSr, "00000000 07", ["TS > trailing"]],
    ["CP reserved bits", PAYLOAD.CP, "01000001 80010000", ["CP > reserved", "CP > attribute 1 > reserved"]],
    ["octets behind the attributes", PAYLOAD.CP, "01000000 0001", ["CP > trailing"]],
    ["EAP length", PAYLOAD.EAP, "03010009", ["EAP > length"]],
  ];
  for (const [name, type, body, fields] of cases) {
    it(`keep their kind: ${name}, type ${type}`, () => {
      const size = (fromHex(body).length + 4).toString(16).padStart(4, "0");
      const message = decoded(frame(type, `0000${size}${body}`));
      expect(message.payloads[0]?.kind).to.not.equal("raw");
      expect(message.findings?.map((finding) => finding.field)).to.include.members(fields);
    });
  }
});

describe("encodeMessage", () => {
  it("never throws on values no field can hold", () => {
    const odd: Message = {
      header: {
        spiI: EMPTY,
        spiR: new Uint8Array(20),
        version: -1,
        exchangeType: 1e9,
        flags: Number.NaN,
        messageId: 2 ** 40,
      },
      payloads: [
        { kind: "KE", type: 999, group: -5, data: new Uint8Array(70000), next: 1.5, length: -1 },
        { kind: "Delete", type: 42, protocolId: 300, spiSize: 400, spis: [EMPTY, new Uint8Array(5)] },
        {
          kind: "Notify",
          type: 41,
          protocolId: 0,
          spi: new Uint8Array(300),
          notifyType: Infinity,
          data: EMPTY,
        },
      ],
    };
    const bytes = encodeMessage(odd);
    decoded(bytes);
    expect(bytes.length).to.equal(28 + 70008 + 13 + 308);
  });

  it("computes next, last, length and counts, and lets each be overridden", () => {
    const transform = { type: 1, id: 20, attributes: [{ type: 14, value: 256 }] };
    const proposal = {
      number: 1,
      protocolId: 3,
      spi: fromHex("c1c2c3c4"),
      transforms: [transform, transform],
    };
    const sa: Payload = { kind: "SA", type: PAYLOAD.SA, proposals: [proposal, proposal] };
    const nonce: Payload = { kind: "Nonce", type: PAYLOAD.NONCE, data: fromHex("aa") };
    expect(hex(encodeChain([sa, nonce]))).to.equal(
      "2800004c" +
        "02000024 01030402 c1c2c3c4 0300000c 01000014 800e0100 0000000c 01000014 800e0100".replace(/ /g, "") +
        "00000024 01030402 c1c2c3c4 0300000c 01000014 800e0100 0000000c 01000014 800e0100".replace(/ /g, "") +
        "00000005aa",
    );
    const lie = { ...proposal, last: 9, length: 5, spiSize: 6, transformCount: 7, transforms: [] };
    expect(hex(encodeChain([{ ...sa, proposals: [lie], next: 1, length: 2 }]))).to.equal(
      "0100000209000005" + "01030607c1c2c3c4",
    );
  });
});

describe("great and hostile chains", () => {
  it("reads 10,000 empty payloads", () => {
    const bytes = new Uint8Array(40000);
    for (let at = 0; at < bytes.length; at += 4) bytes.set([43, 0, 0, 4], at);
    const chain = decodeChain(43, bytes);
    expect(chain.payloads).to.have.length(10000);
    expect(chain.findings).to.have.length(1);
    expect(chain.payloads[9999]?.next).to.equal(43);
    expect(hex(encodeChain(chain.payloads, chain.trailing))).to.equal(hex(bytes));
  });

  it("writes 255 proposals of 255 transforms and reads what comes of it", () => {
    const transforms = Array.from({ length: 255 }, () => ({ type: 1, id: 12, attributes: [] }));
    const proposals = Array.from({ length: 255 }, () => ({
      number: 1,
      protocolId: 1,
      spi: EMPTY,
      transforms,
    }));
    const bytes = encodeChain([{ kind: "SA", type: 33, proposals }]);
    const chain = decodeChain(33, bytes);
    expect(hex(encodeChain(chain.payloads, chain.trailing))).to.equal(hex(bytes));
  });

  it("stops counting faults", () => {
    const bytes = new Uint8Array(40000);
    for (let at = 0; at < bytes.length; at += 4) bytes.set([250, 1, 0, 4], at);
    const chain = decodeChain(250, bytes);
    expect(chain.payloads).to.have.length(10000);
    expect(chain.findings).to.have.length(257);
    expect(hex(encodeChain(chain.payloads, chain.trailing))).to.equal(hex(bytes));
  });

  it("adds the base offset to findings", () => {
    const chain = decodeChain(41, fromHex("00000005 01"), 1000);
    expect(chain.findings[0]?.offset).to.equal(1004);
  });
});
