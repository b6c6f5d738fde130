import { expect } from "chai";
import { seededRandom } from "../crypto/seeded-random.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { Datagram } from "../link/types.ts";
import { makePair, PAIR_ADDRESSES } from "../run/pair.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../wire/index.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Message } from "../wire/types.ts";
import { ORDINARY_LIMITS, type Station, Switchboard } from "./switchboard.ts";

const LOCAL = { host: "192.0.2.1", port: 500 };

/** An ordinary request of IKE_SA_INIT with an SPI of its own. */
function request(number: number): Message {
  const octets: Uint8Array[] = [];
  const { a } = makePair({
    seed: `board ${number}`,
    event: (end, event) => {
      if (end === "a" && event.type === "datagram-sent") octets.push(event.datagram.data);
    },
  });
  a.endpoint.init(PAIR_ADDRESSES.a, PAIR_ADDRESSES.b);
  a.stop();
  const message = decodeMessage(octets[0] ?? new Uint8Array());
  if (isFrameError(message)) throw new Error(message.error);
  return message;
}

/** A board whose dials answer IKE_SA_INIT with so many octets. */
function setUp(answer: number, limits: Partial<typeof ORDINARY_LIMITS> = {}) {
  const sent: Datagram[] = [];
  const taken: [station: number, datagram: Datagram][] = [];
  const over: number[] = [];
  let stations = 0;
  const board: Switchboard = new Switchboard({
    link: { send: (datagram) => void sent.push(datagram), onReceive: () => {}, close: async () => {} },
    ...{ natPort: 4500, limits: { ...ORDINARY_LIMITS, ...limits }, now: () => 0 },
    taker: () => undefined,
    fault: (error) => {
      throw error;
    },
    begin({ source }) {
      const number = stations++;
      const station: Station = {
        remote: source,
        take(datagram) {
          taken.push([number, datagram]);
          const data = datagram.data.slice(0, 28).fill(number + 1, 8, 16);
          data[19] = 0x20;
          const whole = new Uint8Array(answer);
          whole.set(data);
          board.send(station, { protocol: "udp", source: LOCAL, destination: source, data: whole });
        },
        unproven: () => void over.push(number),
      };
      return station;
    },
  });
  const give = (message: Message, host = "198.51.100.1", port = 500) => {
    const data = encodeMessage(message);
    board.take({ protocol: "udp", source: { host, port }, destination: LOCAL, data });
    return data.length;
  };
  return { board, sent, taken, over, give, stations: () => stations };
}

const cookieOf = ({ data }: Datagram): Uint8Array => {
  const message = decodeMessage(data);
  const [cookie] = isFrameError(message) ? [] : notifies(message.payloads, NOTIFY.COOKIE);
  if (!cookie) throw new Error("no cookie");
  return cookie.data;
};
const withCookie = (message: Message, data: Uint8Array): Message => ({
  ...message,
  header: { ...message.header, nextPayload: undefined },
  payloads: [notify(NOTIFY.COOKIE, data), ...message.payloads],
});

describe("the switchboard of the listener", () => {
  it("asks for a cookie where an answer would be more than came, and answers who brings it", () => {
    const { board, sent, over, give } = setUp(1_000);
    const message = request(1);
    const came = give(message);
    expect(sent).to.have.length(1);
    expect(sent[0]?.data.length).to.be.below(came);
    expect(over).to.deep.equal([0]);
    const cookie = sent[0] ? cookieOf(sent[0]) : new Uint8Array();
    give(
      withCookie(
        message,
        cookie.map((octet) => octet ^ 1),
      ),
    );
    give(withCookie(message, cookie), "198.51.100.2");
    expect(sent.every(({ data }) => data.length < 100)).to.equal(true);
    expect(board.ledger.isProven("198.51.100.1")).to.equal(false);
    give(withCookie(message, cookie));
    expect(sent.at(-1)?.data).to.have.length(1_000);
  });

  it("sends no host more than came from it, whoever floods in its name", () => {
    const { board, sent, give, stations } = setUp(250, { unproven: 8 });
    const hosts = ["203.0.113.1", "203.0.113.2", "203.0.113.3"];
    const random = seededRandom("flood");
    const message = request(2);
    for (let i = 0; i < 300; i++) {
      const spiI = random(8);
      give({ ...message, header: { ...message.header, spiI } }, hosts[i % 3], 1024 + i);
    }
    for (const host of hosts) {
      const { in: came, out } = board.ledger.of(host);
      const really = sent.filter(({ destination }) => destination.host === host);
      expect(really.reduce((sum, { data }) => sum + data.length, 0)).to.equal(out);
      expect(out).to.be.at.most(came);
    }
    expect(stations(), "dials without a cookie").to.equal(8);
    expect(board.dropped.get("asked for a cookie")).to.be.above(100);
  });

  it("gives each dial its own, and nobody what is none's", () => {
    const { board, sent, taken, give, stations } = setUp(100);
    const [one, two] = [request(3), request(4)];
    give(one);
    give(two, "198.51.100.2");
    give(one);
    expect(taken.map(([station]) => station)).to.deep.equal([0, 1, 0]);
    const { header } = one;
    const later = (spiR: Uint8Array, host: string, port: number) =>
      give({ ...one, header: { ...header, exchangeType: 35, spiR, messageId: 1 } }, host, port);
    later(new Uint8Array(8).fill(2), "198.51.100.9", 4501);
    expect(taken.at(-1)?.[0], "by its SPI, wherever from").to.equal(1);
    expect(board.ledger.isProven("198.51.100.9"), "the answer went elsewhere").to.equal(false);
    later(new Uint8Array(8).fill(2), "198.51.100.2", 4501);
    expect(board.ledger.isProven("198.51.100.2")).to.equal(true);
    const before = { taken: taken.length, sent: sent.length };
    later(new Uint8Array(8).fill(9), "198.51.100.7", 500);
    for (const octets of [0, 1, 27, 28, 200, 65_000])
      board.take({
        ...{ protocol: "udp", source: { host: "198.51.100.8", port: 500 }, destination: LOCAL },
        data: new Uint8Array(octets).fill(0xff),
      });
    expect({ taken: taken.length, sent: sent.length }).to.deep.equal(before);
    expect(stations()).to.equal(2);
  });

  it("tells of what goes wrong with a datagram, and takes the next", () => {
    const faults: unknown[] = [];
    const broken = new Error("broken");
    let receive: (datagram: Datagram) => void = () => {};
    const board = new Switchboard({
      link: {
        send: () => {},
        onReceive: (handler) => {
          receive = handler;
        },
        close: async () => {},
      },
      ...{ natPort: 4500, limits: ORDINARY_LIMITS, now: () => 0, taker: () => undefined },
      begin: () => {
        throw broken;
      },
      fault: (error) => void faults.push(error),
    });
    const source = { host: "198.51.100.1", port: 500 };
    for (const number of [30, 31])
      receive({ protocol: "udp", source, destination: LOCAL, data: encodeMessage(request(number)) });
    expect(faults).to.deep.equal([broken, broken]);
    expect(board.dropped.size).to.equal(0);
  });

  it("bounds dials of a host, of all, and how fast they begin", () => {
    const limits = { dials: 3, dialsOfHost: 2, initsOfHost: { burst: 4, perSecond: 1 } };
    const { board, give, stations } = setUp(100, limits);
    for (let i = 0; i < 6; i++) give(request(10 + i));
    expect(stations()).to.equal(2);
    expect(board.dropped.get("too many IKE_SA_INIT")).to.equal(2);
    for (let i = 0; i < 3; i++) give(request(20 + i), "198.51.100.2");
    expect(stations()).to.equal(3);
  });
});
