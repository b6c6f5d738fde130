import { expect } from "chai";
import fc from "fast-check";
import { equal, fromHex, hex } from "./bytes.ts";
import {
  asksForPath,
  decodeEcho,
  type Echo,
  type EchoRevision,
  echoForms,
  encodeEcho,
  isEchoError,
  isEchoRevision,
  type ReadEcho,
} from "./esp-echo.ts";
import { decodeCongestion, encodeCongestion } from "./esp-echo-congestion.ts";
import { decodePlain, encodePlain, type ReadPlainEcho } from "./esp-echo-plain.ts";

const REVISIONS = Object.keys(echoForms).filter(isEchoRevision);
const data = new TextEncoder().encode("abcdefgh");
const numbers = { identifier: 0x1234, sequence: 1, data };

/** Reads what must be readable. */
function read(octets: Uint8Array, revision: EchoRevision): ReadEcho {
  const echo = decodeEcho(octets, revision);
  if (isEchoError(echo)) throw new Error(echo.error);
  return echo;
}

function readPlain(octets: Uint8Array, revision: EchoRevision): ReadPlainEcho {
  const packet = decodePlain(octets, revision);
  if (isEchoError(packet)) throw new Error(packet.error);
  return packet;
}

/** The vectors of the digest of the drafts, computed there by hand. */
const PLAIN: [
  name: string,
  revision: EchoRevision,
  spi: number,
  espSequence: number,
  echo: Echo,
  octets: string,
][] = [
  [
    ...(["request", "M", 7, 0] as const),
    { subType: 2, flags: 0x80, replySpi: 8, ...numbers },
    "0000000700000000028000081234000100000008616263646566676801020290",
  ],
  [
    ...(["reply, flags cleared", "M", 8, 0] as const),
    { subType: 3, flags: 0, replySpi: 0, ...numbers },
    "0000000800000000030000081234000100000000616263646566676801020290",
  ],
  [
    ...(["reply, straight copy", "M", 8, 0] as const),
    { subType: 3, flags: 0x80, replySpi: 8, ...numbers },
    "0000000800000000038000081234000100000008616263646566676801020290",
  ],
  [
    ...(["request without trailer", "K", 7, 1] as const),
    { subType: 2, flags: 0, ...numbers },
    "000000070000000102000008123400016162636465666768",
  ],
  [
    ...(["request", "C", 7, 0] as const),
    { subType: 0, flags: 0, ...numbers },
    "000000070000000012340001616263646566676801 02023b",
  ],
  [
    ...(["reply", "C", 8, 0] as const),
    { subType: 0, flags: 0, ...numbers },
    "000000080000000012340001616263646566676801 02023b",
  ],
];

describe("ESP echo", () => {
  it("writes and reads the payloads of the digest", () => {
    const cases: [revision: EchoRevision, echo: Echo, octets: string][] = [
      [
        "M",
        { subType: 2, flags: 0x80, replySpi: 0xc0ffee02, ...numbers },
        "0280000812340001c0ffee026162636465666768",
      ],
      ["M", { subType: 2, flags: 0, ...numbers }, "0200000812340001000000006162636465666768"],
      ["K", { subType: 2, flags: 0, ...numbers }, "02000008123400016162636465666768"],
    ];
    for (const [revision, echo, octets] of cases) {
      expect(hex(encodeEcho(echo, revision)), revision).to.equal(octets);
      const { findings, ...back } = read(fromHex(octets), revision);
      expect(back).to.deep.include(echo);
      expect(findings).to.deep.equal([]);
    }
  });

  for (const [name, revision, spi, espSequence, echo, octets] of PLAIN) {
    it(`writes and reads the plain packet of revision ${revision}: ${name}`, () => {
      expect(hex(encodePlain({ spi, espSequence, echo }, revision))).to.equal(hex(fromHex(octets)));
      const packet = readPlain(fromHex(octets), revision);
      expect(packet.findings).to.deep.equal([]);
      expect(packet.echo.data).to.deep.equal(data);
    });
  }

  it("has nothing in a packet of revision C0", () => {
    const packet = encodePlain(
      { spi: 7, espSequence: 0, echo: { subType: 0, flags: 0, identifier: 1, sequence: 1, data } },
      "C0",
    );
    expect(hex(packet)).to.equal("00000007000000000102023b");
  });

  it("tells the headers of 8 and 12 octets apart by Data Length", () => {
    const long = fromHex("0280000812340001c0ffee026162636465666768");
    expect(read(long, "K").replySpi).to.equal(0xc0ffee02);
    const short = read(fromHex("02000008123400016162636465666768"), "M");
    expect(short.findings).to.deep.equal([
      { offset: 2, field: "Data Length", reason: "8, 4 octets stand behind the header" },
    ]);
  });

  it("reads R where each revision has it", () => {
    const echo = read(fromHex("020100001234000100000000"), "E2");
    expect(asksForPath(echo, "E2")).to.equal(true);
    expect(asksForPath(echo, "M")).to.equal(false);
    expect(read(fromHex("020100001234000100000000"), "M").findings[0]?.field).to.equal("Reserved");
  });

  it("finds what is wrong with a plain packet", () => {
    const fields = (octets: string) => readPlain(fromHex(octets), "M").findings.map(({ field }) => field);
    expect(fields("00000007 00000000 02800000 12340001 00000008 01020304 0506 06 3b")).to.deep.equal([
      ...["Pad Length", "Next Header"],
    ]);
    expect(fields("00000008 00000000 02800000 12340001 00000008 0000 02 90")).to.deep.equal([
      "Sub-Type",
      "Padding",
    ]);
    expect(fields("00000007 00000000 02800001 12340001 00000008 0090")).to.deep.equal([
      "Data Length",
      "packet",
    ]);
  });

  it("says why octets are no echo", () => {
    const short = decodeEcho(new Uint8Array(11), "M");
    expect(isEchoError(short) && short.error).to.equal("echo header: 11 octets, 12 are needed");
    const lie = decodePlain(fromHex("00000007 00000000 0000 ff90"), "M");
    expect(isEchoError(lie) && lie.findings[0]?.offset).to.equal(10);
  });

  it("loses nothing of any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...REVISIONS), (bytes, revision) => {
        const echo = decodeEcho(bytes, revision);
        if (!isEchoError(echo)) expect(equal(encodeEcho(echo, revision), bytes)).to.equal(true);
        const packet = decodePlain(bytes, revision);
        if (!isEchoError(packet)) expect(equal(encodePlain(packet, revision), bytes)).to.equal(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the congestion-control payload", () => {
  const VECTOR = "01000000000003e8030d40009a4003091122334455667788";

  it("writes and reads the vector of RFC 9347's digest", () => {
    const payload = decodeCongestion(fromHex(VECTOR));
    if (isEchoError(payload)) throw new Error(payload.error);
    expect(payload).to.include({ rtt: 50_000, echoDelay: 1234, transmitDelay: 777, tval: 0x11223344 });
    expect(payload.findings).to.deep.equal([]);
    expect(hex(encodeCongestion(payload))).to.equal(VECTOR);
  });

  it("loses nothing of any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const payload = decodeCongestion(bytes);
        if (!isEchoError(payload)) expect(hex(encodeCongestion(payload))).to.equal(hex(bytes));
      }),
    );
  });
});
