import { Duplex } from "node:stream";
import { expect } from "chai";
import fc from "fast-check";
import { ViciClient, ViciError } from "./vici.ts";
import {
  decodeMessage,
  encodeMessage,
  encodePacket,
  PACKET,
  PacketReader,
  section,
  text,
  type ViciFields,
  ViciFormatError,
  type ViciMessage,
} from "./vici-codec.ts";

/** A message as plain fields, to compare with what was encoded. */
function plain(message: ViciMessage): unknown {
  return [...message].map(([key, value]) => [key, value instanceof Map ? plain(value) : value]);
}

function expected(fields: ViciFields): unknown {
  return Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === "object" && !Array.isArray(value)
      ? expected(value)
      : Array.isArray(value)
        ? value
        : String(value),
  ]);
}

const word = fc.string({ unit: "grapheme", maxLength: 20 });
const { fields } = fc.letrec<{ fields: ViciFields }>((tie) => ({
  fields: fc.dictionary(
    word,
    fc.oneof({ depthSize: "small" }, word, fc.integer(), fc.array(word, { maxLength: 4 }), tie("fields")),
    { maxKeys: 5, noNullPrototype: true },
  ),
}));

describe("vici codec", () => {
  it("reads what it wrote", () => {
    fc.assert(
      fc.property(fields, (message) => {
        expect(plain(decodeMessage(encodeMessage(message)))).to.deep.equal(expected(message));
      }),
    );
  });

  it("encodes the element types as the protocol names them", () => {
    const bytes = encodeMessage({ a: { b: "c" }, l: ["x"] });
    expect(bytes.toString("hex")).to.equal(
      "010161" + "030162" + "000163" + "02" + "04016c" + "05000178" + "06",
    );
  });

  it("answers garbage with a ViciFormatError and nothing else", () => {
    const total = (bytes: Uint8Array) => {
      try {
        decodeMessage(bytes);
      } catch (error) {
        expect(error).to.be.instanceOf(ViciFormatError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), total), { numRuns: 1000 });
    const mutated = fc.tuple(fields, fc.nat(), fc.nat(255)).map(([message, at, octet]) => {
      const bytes = encodeMessage(message);
      if (bytes.length > 0) bytes[at % bytes.length] = octet;
      return bytes;
    });
    fc.assert(fc.property(mutated, total), { numRuns: 1000 });
    total(Buffer.alloc(100_000, Buffer.from([1, 0])));
  });

  it("cuts a stream into packets wherever it is broken", () => {
    const pieces = fc.tuple(fc.array(fields, { maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 30 })));
    fc.assert(
      fc.property(pieces, ([messages, lengths]) => {
        const bytes = Buffer.concat(messages.map((m) => encodePacket(PACKET.event, "log", encodeMessage(m))));
        const reader = new PacketReader();
        const packets = [];
        let offset = 0;
        for (const length of [...lengths, bytes.length]) {
          packets.push(...reader.push(bytes.subarray(offset, offset + length)));
          offset += length;
        }
        expect(packets.map((packet) => plain(decodeMessage(packet.body)))).to.deep.equal(
          messages.map(expected),
        );
        expect(packets.every((packet) => packet.name === "log")).to.equal(true);
      }),
    );
  });

  it("refuses impossible packet lengths", () => {
    for (const length of ["00000000", "00080001", "ffffffff"]) {
      expect(() => new PacketReader().push(Buffer.from(length, "hex"))).to.throw(ViciFormatError);
    }
    expect(() => encodeMessage({ ["x".repeat(256)]: "" })).to.throw(ViciFormatError);
  });
});

/** A daemon's end of the stream: `respond` gives the bytes to answer a packet with. */
function daemon(respond: (type: number, name: string) => Buffer[]): ViciClient {
  const reader = new PacketReader();
  const stream = new Duplex({
    read() {},
    write(data: Buffer, _encoding, done) {
      for (const packet of reader.push(data)) {
        for (const bytes of respond(packet.type, packet.name)) this.push(bytes);
      }
      done();
    },
  });
  return new ViciClient(stream);
}

const response = (message: ViciFields) => encodePacket(PACKET.response, "", encodeMessage(message));

async function problem(action: Promise<unknown>): Promise<string> {
  try {
    await action;
    return "none";
  } catch (error) {
    return error instanceof ViciError ? error.problem : String(error);
  }
}

describe("vici client", () => {
  it("sends commands one after the other", async () => {
    const client = daemon((_type, name) => [response({ command: name })]);
    const answers = await Promise.all(["a", "b", "c"].map((name) => client.request(name)));
    expect(answers.map((message) => text(message, "command"))).to.deep.equal(["a", "b", "c"]);
  });

  it("collects the events of a streaming command", async () => {
    const event = (name: string) =>
      encodePacket(PACKET.event, "list-sa", encodeMessage({ [name]: { uniqueid: 1 } }));
    const client = daemon((type) =>
      type === PACKET.request
        ? [event("one"), event("two"), response({})]
        : [encodePacket(PACKET.confirm, "")],
    );
    const events = await client.stream("list-sas", "list-sa");
    expect(events.map((message) => [...message.keys()][0])).to.deep.equal(["one", "two"]);
    expect(text(section(events[0]!, "one"), "uniqueid")).to.equal("1");
  });

  it("names the problem: refusal, unknown command, garbage, silence, end", async () => {
    const refusing = daemon(() => [response({ success: "no", errmsg: "no such config" })]);
    expect(await problem(refusing.request("initiate"))).to.equal("refused");
    expect(refusing.usable).to.equal(true);
    expect(await problem(daemon(() => [encodePacket(PACKET.unknownCommand, "")]).request("x"))).to.equal(
      "unknown",
    );
    const garbage = daemon(() => [Buffer.alloc(8, 0xff)]);
    expect(await problem(garbage.request("x"))).to.equal("garbage");
    expect(await problem(garbage.request("y"))).to.equal("garbage");
    const silent = daemon(() => []);
    expect(await problem(silent.request("x", {}, 20))).to.equal("timeout");
    expect(silent.usable).to.equal(false);
    const ended = daemon(() => []);
    const waiting = problem(ended.request("x"));
    setImmediate(() => ended.close());
    expect(await waiting).to.equal("closed");
  });

  it("survives any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
        const client = daemon(() => [Buffer.from(bytes)]);
        expect(await problem(client.request("x", {}, 5))).to.be.oneOf([
          "none",
          "garbage",
          "timeout",
          "unknown",
          "refused",
        ]);
        client.close();
      }),
      { numRuns: 50 },
    );
  });
});
