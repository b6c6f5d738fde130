import { expect } from "chai";
import fc from "fast-check";
import { formatLadder } from "./ladder.ts";
import { ladderSvg } from "./ladder-svg.ts";
import { viewsOfEvents } from "./view-events.ts";

const lines = (...events: object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join("");
const sent = { at: 1, event: "sent", exchange: "IKE_AUTH", response: false, messageId: 1, protected: true };

describe("views of an event stream", () => {
  it("say which lines cannot be read, and go on", () => {
    const stream = `{"at":1,"ev\n\n[]\n{"at":"x","event":"sent"}\n${lines({ ...sent, payloads: [{ kind: "AUTH" }] })}`;
    const texts = viewsOfEvents(stream).map(({ at, text }) => `${at} ${text}`);
    expect(texts).to.deep.equal([
      ...[1, 3, 4].map((line) => `${line} line ${line} of the event stream cannot be read`),
      "5 IKE_AUTH request 1: SK { AUTH }",
    ]);
  });

  it("read streams of before, which tell no text and no number of datagrams", () => {
    const datagram = { at: 1, event: "datagram-sent", source: "192.0.2.1:500", destination: "192.0.2.2:500" };
    const two = [
      { ...datagram, data: "00" },
      { ...datagram, data: "01" },
    ];
    const views = viewsOfEvents(lines({ ...sent, payloads: [] }, ...two, { at: 2, event: "keys" }, ...two));
    expect(views.map(({ text, note }) => [text, note])).to.deep.equal([
      ["IKE_AUTH request 1: SK {  }", undefined],
      ["1 octets", "retransmission"],
      ["1 octets", "retransmission"],
    ]);
    expect(views[0]?.source).to.equal("192.0.2.1:500");
  });

  it("keep fragments of a message that never became complete, and no others", () => {
    const skf = (messageId: string) =>
      `01010101010101010202020202020202352023200000000${messageId}00000026000000${"0a"}00010002ffff`;
    const came = (messageId: string) => ({
      at: 1,
      event: "datagram-received",
      source: "192.0.2.2:500",
      data: skf(messageId),
    });
    const whole = {
      at: 2,
      event: "received",
      exchange: "IKE_AUTH",
      response: true,
      messageId: 1,
      protected: true,
    };
    const ids = { spiI: "0101010101010101", fragments: 2, payloads: [] };
    const views = viewsOfEvents(lines(came("1"), came("1"), { ...whole, ...ids }, came("2")));
    expect(views.map(({ at, text }) => `${at} ${text}`)).to.deep.equal([
      "3 IKE_AUTH response 1: SK {  }",
      "4 IKE_AUTH response 2: SKF(1/2)",
    ]);
  });

  it("never throw, and can always be drawn", () => {
    const names = [
      "sent",
      "received",
      "dropped",
      "esp-sent",
      "esp-received",
      "datagram-sent",
      "keepalive",
      "x",
    ];
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("00", "ff", 4, true, "192.0.2.1:500", "udp"));
    const keys =
      "exchange messageId payloads clear fragments datagrams findings spi sequence nextHeader inner data".split(
        " ",
      );
    const event = fc
      .tuple(fc.constantFrom(...names), fc.double(), fc.dictionary(fc.constantFrom(...keys), value))
      .map(([name, at, fields]) => ({ ...fields, at, event: name, protected: true }));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), fc.string(), (events, noise) => {
        const views = viewsOfEvents(`${lines(...events)}${noise}\n`);
        formatLadder(views);
        ladderSvg(views, { title: noise, left: "us", right: "peer" });
      }),
      { numRuns: 100 },
    );
  });

  it("passes over events whose names are those of other things", () => {
    const names = ["constructor", "__proto__", "valueOf", "hasOwnProperty"];
    const lines = names.map((event) => `{"at":1,"event":"${event}","payloads":[{}]}\n`);
    expect(viewsOfEvents(lines.join(""))).to.deep.equal([]);
  });
});
