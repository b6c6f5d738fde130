import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { authenticator, supplicant } from "./index.ts";
import { chapResponse } from "./md5.ts";
import type { EapManners, EapMethodName, EapPacket, EapStep, EapUser } from "./types.ts";

const METHODS: EapMethodName[] = ["md5", "gtc", "mschapv2"];
const user = (type: EapMethodName): EapUser => ({ type, identity: "eap-user", password: "pass wörd 🔑" });

interface Ends {
  peer?: Partial<EapUser>;
  peerManners?: EapManners;
  manners?: EapManners;
  /** Changes a packet on its way, by its number. */
  onTheWay?: (packet: EapPacket, turn: number) => EapPacket;
}

interface Outcome {
  /** `code:type` of every packet, in order; `type` is missing in Success and Failure. */
  course: string[];
  packets: EapPacket[];
  peer?: EapStep;
  authenticator?: EapStep;
}

const shown = ({ code, data }: EapPacket): string => (data.length > 0 ? `${code}:${data[0]}` : `${code}`);

/** Carries packets until an end has nothing more to send. */
function converse(type: EapMethodName, ends: Ends = {}, seed = "eap"): Outcome {
  const random = seededRandom(seed);
  const { peer = {}, peerManners = {}, manners = {}, onTheWay = (packet: EapPacket) => packet } = ends;
  const asks = authenticator({ user: user(type), random: random.fork("authenticator"), manners });
  const answers = supplicant({
    user: { ...user(type), ...peer },
    random: random.fork("peer"),
    manners: peerManners,
  });
  const outcome: Outcome = { course: [], packets: [] };
  const carry = (packet: EapPacket): EapPacket => {
    const carried = onTheWay(packet, outcome.packets.length);
    outcome.packets.push(carried);
    outcome.course.push(shown(carried));
    return carried;
  };
  let request: EapPacket | undefined = asks.begin();
  while (request) {
    outcome.peer = answers.take(carry(request));
    const response: EapPacket | undefined = outcome.peer.send;
    if (!response) break;
    outcome.authenticator = asks.take(carry(response));
    request = outcome.authenticator.send;
  }
  return outcome;
}

const results = ({ peer, authenticator }: Outcome) => [peer?.result, authenticator?.result];
const reasons = ({ peer, authenticator }: Outcome) => `${peer?.reason} / ${authenticator?.reason}`;

const COURSE: Record<string, string[]> = {
  md5: ["1:1", "2:1", "1:4", "2:4", "3"],
  gtc: ["1:1", "2:1", "1:6", "2:6", "3"],
  mschapv2: ["1:1", "2:1", "1:26", "2:26", "1:26", "2:26", "3"],
};

describe("eap: an ordinary conversation", () => {
  for (const type of METHODS) {
    it(`of ${type} ends with Success at both ends`, () => {
      const outcome = converse(type);
      expect(outcome.course).to.deep.equal(COURSE[type]);
      expect(results(outcome)).to.deep.equal(["success", "success"]);
    });

    it(`of ${type} with a wrong password ends with Failure at both ends`, () => {
      const outcome = converse(type, { peer: { password: "guess" } });
      expect(results(outcome)).to.deep.equal(["failure", "failure"]);
      expect(outcome.course.at(-1)).to.equal("4");
      expect(outcome.authenticator?.reason).to.equal("wrong password");
    });

    it(`of ${type} with a name nobody has ends with Failure`, () => {
      expect(results(converse(type, { peer: { identity: "nobody" } }))).to.deep.equal(["failure", "failure"]);
    });

    it(`of ${type} gives Success the identifier of the last response, and every request another`, () => {
      const { packets } = converse(type);
      const requests = packets.filter(({ code }) => code === 1).map(({ identifier }) => identifier);
      expect(new Set(requests).size).to.equal(requests.length);
      expect(packets.at(-1)?.identifier).to.equal(packets.at(-2)?.identifier);
    });
  }

  it("leaves both ends of MSCHAPv2 with one MSK of 64 octets", () => {
    const { peer, authenticator } = converse("mschapv2");
    expect(peer?.MSK).to.have.length(64);
    expect(peer?.MSK).to.deep.equal(authenticator?.MSK);
    expect(hex(peer?.MSK?.subarray(32) ?? new Uint8Array())).to.equal("00".repeat(32));
  });

  it("leaves MD5 and GTC without a key", () => {
    for (const type of ["md5", "gtc"] as const) expect(converse(type).peer).not.to.have.property("MSK");
  });

  it("is the same from the same seed", () => {
    expect(converse("mschapv2", {}, "a")).to.deep.equal(converse("mschapv2", {}, "a"));
    expect(converse("mschapv2", {}, "a")).not.to.deep.equal(converse("mschapv2", {}, "b"));
  });

  it("tells the name that the peer gave", () => {
    const asks = authenticator({ user: user("md5"), random: seededRandom(1) });
    const { identifier } = asks.begin();
    asks.take({ code: 2, identifier, data: Uint8Array.of(1, ...Buffer.from("somebody")) });
    expect(asks.identity).to.equal("somebody");
  });
});

describe("eap: packets as others write them", () => {
  it("hashes identifier, secret and challenge for MD5-Challenge", () => {
    const challenge = fromHex("000102030405060708090a0b0c0d0e0f");
    expect(hex(chapResponse(7, "secret", challenge))).to.equal("821643665b430359e52ac524d29c8f95");
  });

  it("answers MSCHAPv2 with the vector of RFC 2759 section 9.2", () => {
    const random = () => fromHex("21402324255E262A28295F2B3A337C7E");
    const peer = supplicant({ user: { type: "mschapv2", identity: "User", password: "clientPass" }, random });
    const challenge = fromHex("1a 01 05 001b 10 5B5D7C7D7B3F2F3E3C2C602132262628 736572766572");
    const response = peer.take({ code: 1, identifier: 9, data: challenge }).send?.data ?? new Uint8Array();
    const value = `${hex(random())}0000000000000000${"82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df"}00`;
    expect(hex(response)).to.equal(`1a 02 05 003a 31 ${value} 55736572`.replaceAll(" ", ""));
    const text = Buffer.from("S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Welcome\0");
    const success = concat(fromHex("1a 03 05"), Uint8Array.of(0, text.length + 4), text);
    expect(hex(peer.take({ code: 1, identifier: 10, data: success }).send?.data ?? random())).to.equal(
      "1a03",
    );
  });

  it("writes error 691 without a retry, and answers Failure with Failure", () => {
    const { packets, peer } = converse("mschapv2", { peer: { password: "guess" } });
    const [failure, answer] = packets.slice(-3);
    expect(hex(failure?.data.subarray(0, 2) ?? new Uint8Array())).to.equal("1a04");
    const text = Buffer.from(failure?.data.subarray(5) ?? []).toString();
    expect(text).to.match(/^E=691 R=0 C=[0-9A-F]{32} V=3 M=/);
    expect(hex(answer?.data ?? new Uint8Array())).to.equal("1a04");
    expect(peer?.reason).to.contain("E=691 R=0");
  });
});

describe("eap: choosing the method", () => {
  it("answers the proposals of others with a Nak for the own", () => {
    const outcome = converse("mschapv2", { manners: { proposesFirst: ["md5", 99, 254] } });
    expect(outcome.course.slice(2, 8)).to.deep.equal(["1:4", "2:3", "1:99", "2:3", "1:254", "2:3"]);
    expect(hex(outcome.packets[3]?.data ?? new Uint8Array())).to.equal("031a");
    expect(results(outcome)).to.deep.equal(["success", "success"]);
  });

  it("ends with Failure if the peer wants another than the user's method", () => {
    const outcome = converse("md5", { peer: { type: "gtc" }, manners: { proposesFirst: ["mschapv2"] } });
    expect(outcome.course).to.deep.equal(["1:1", "2:1", "1:26", "2:3", "4"]);
    expect(outcome.authenticator?.reason).to.contain("wants GTC");
  });

  it("ends with Failure if the peer refuses the user's method", () => {
    const outcome = converse("md5", { peerManners: { refusesOwnType: [0] } });
    expect(results(outcome)).to.deep.equal(["failure", "failure"]);
  });

  it("ignores a Nak after the method has begun", () => {
    const onTheWay = (packet: EapPacket, turn: number) =>
      turn === 5 ? { ...packet, data: Uint8Array.of(3, 4) } : packet;
    expect(reasons(converse("mschapv2", { onTheWay }))).to.contain("a Nak after the method has begun");
  });

  it("ignores a request for another method after one has begun", () => {
    const outcome = converse("mschapv2", { manners: { changesMethod: "md5" } });
    expect(outcome.peer).to.have.all.keys("reason");
    expect(outcome.peer?.reason).to.contain("after another method has begun");
  });

  it("can do without Identity, and answers a Notification", () => {
    const outcome = converse("md5", { manners: { skipsIdentity: true, notifiesFirst: ["hello"] } });
    expect(outcome.course).to.deep.equal(["1:2", "2:2", "1:4", "2:4", "3"]);
    expect(results(outcome)).to.deep.equal(["success", "success"]);
  });
});

describe("eap: an authenticator that lies", () => {
  for (const succeedsEarly of ["at once", "before the method", "within the method"] as const) {
    it(`is not believed when it sends Success ${succeedsEarly}`, () => {
      const outcome = converse("mschapv2", { manners: { succeedsEarly } });
      expect(outcome.peer?.result).to.equal("failure");
      expect(outcome.peer?.reason).to.match(/^Success too early/);
      expect(outcome.peer).not.to.have.property("MSK");
    });
  }

  it("is found out by a wrong proof, also when it accepts anything", () => {
    const wrong = converse("mschapv2", { manners: { wrongAuthenticatorResponse: true } });
    expect(wrong.peer?.reason).to.equal("the authenticator response of MSCHAPv2 is wrong");
    const credulous = converse("mschapv2", {
      peer: { password: "other" },
      manners: { acceptsAnything: true },
    });
    expect(credulous.peer?.result).to.equal("failure");
  });

  it("accepts any password, where the method proves only the peer", () => {
    const outcome = converse("md5", { peer: { password: "guess" }, manners: { acceptsAnything: true } });
    expect(results(outcome)).to.deep.equal(["success", "success"]);
  });

  it("is not believed if Success has a wrong identifier, unless the peer does not care", () => {
    const manners = { wrongSuccessIdentifier: true };
    expect(converse("mschapv2", { manners }).peer).to.have.all.keys("reason");
    const lenient = converse("mschapv2", { manners, peerManners: { believesAnyIdentifier: true } });
    expect(results(lenient)).to.deep.equal(["success", "success"]);
  });

  it("gets the same answer to the same request", () => {
    const outcome = converse("mschapv2", { manners: { repeatsRequests: true } });
    expect(outcome.course).to.have.length(13);
    expect(results(outcome)).to.deep.equal(["success", "success"]);
    const anew = converse("mschapv2", {
      manners: { repeatsRequests: true },
      peerManners: { answersAnew: true },
    });
    expect(anew.authenticator?.reason).to.equal("another response to the same request");
  });

  it("gets the old answer to a new request with the old identifier", () => {
    const outcome = converse("md5", { manners: { keepsIdentifier: true } });
    expect(outcome.course).to.deep.equal(["1:1", "2:1", "1:4", "2:1"]);
    expect(outcome.peer?.reason).to.contain("identifier of the last");
  });

  it("leaves with another MSK, or rejects everybody", () => {
    const other = converse("mschapv2", { manners: { wrongMSK: true } });
    expect(other.authenticator?.MSK).to.have.length(64);
    expect(other.authenticator?.MSK).not.to.deep.equal(other.peer?.MSK);
    const rejected = converse("mschapv2", { manners: { rejectsEverybody: true } });
    expect(results(rejected)).to.deep.equal(["failure", "failure"]);
  });
});

describe("eap: a peer that lies", () => {
  it("believes any Success and any proof", () => {
    const peerManners = { acceptsAnything: true };
    for (const manners of [
      { succeedsEarly: "at once" },
      { wrongAuthenticatorResponse: true },
      { wrongSuccessIdentifier: true },
    ] as const) {
      expect(converse("mschapv2", { peerManners, manners }).peer?.result).to.equal("success");
    }
  });

  it("leaves with another MSK", () => {
    const { peer, authenticator } = converse("mschapv2", { peerManners: { wrongMSK: true } });
    expect(peer?.MSK).not.to.deep.equal(authenticator?.MSK);
  });

  it("does not answer a Notification", () => {
    const outcome = converse("md5", {
      manners: { notifiesFirst: ["hello"] },
      peerManners: { ignoresNotifications: true },
    });
    expect(outcome.course).to.deep.equal(["1:2"]);
  });

  it("bends what it sends", () => {
    const peerManners: EapManners = {
      bend: (packet, turn) =>
        turn === 1 ? { ...packet, identifier: (packet.identifier + 1) & 0xff } : packet,
    };
    const outcome = converse("md5", { peerManners });
    expect(outcome.course).to.deep.equal(["1:1", "2:1", "1:4", "2:4"]);
    expect(outcome.authenticator?.reason).to.match(/^ignored: a response with identifier/);
  });
});

describe("eap: bad input", () => {
  const octet = fc.nat(255);
  const anyPacket = fc.record({
    code: fc.oneof(fc.constantFrom(1, 2, 3, 4), octet),
    identifier: fc.oneof(fc.nat(3), octet),
    data: fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .tuple(fc.constantFrom(1, 2, 3, 4, 6, 13, 26), fc.uint8Array({ maxLength: 80 }))
        .map(([type, rest]) => Uint8Array.of(type, ...rest)),
    ),
  });
  const manners = fc.record(
    {
      proposesFirst: fc.array(fc.oneof(fc.constantFrom(...METHODS), octet), { maxLength: 4 }),
      skipsIdentity: fc.boolean(),
      notifiesFirst: fc.array(fc.string(), { maxLength: 3 }),
      repeatsRequests: fc.boolean(),
      keepsIdentifier: fc.boolean(),
      succeedsEarly: fc.constantFrom("at once", "before the method", "within the method"),
      changesMethod: fc.oneof(fc.constantFrom(...METHODS), octet),
      wrongSuccessIdentifier: fc.boolean(),
      wrongAuthenticatorResponse: fc.boolean(),
      rejectsEverybody: fc.boolean(),
      refusesOwnType: fc.array(octet, { maxLength: 3 }),
      answersAnew: fc.boolean(),
      ignoresNotifications: fc.boolean(),
      acceptsAnything: fc.boolean(),
      wrongMSK: fc.boolean(),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<EapManners>;
  const method = fc.constantFrom(...METHODS);

  it("never throws, and ends within 40 packets, whatever the ends are like", () => {
    fc.assert(
      fc.property(method, method, manners, manners, (own, other, mannersA, mannersB) => {
        const outcome = converse(own, { peer: { type: other }, manners: mannersA, peerManners: mannersB });
        expect(outcome.packets.length).to.be.below(40);
      }),
      { numRuns: 300 },
    );
  });

  it("never throws when packets change on their way, and never leaves both ends with different keys", () => {
    fc.assert(
      fc.property(method, fc.nat(8), fc.nat(), octet, fc.nat(90), (type, turn, at, value, cut) => {
        const onTheWay = (packet: EapPacket, number: number): EapPacket => {
          if (number !== turn || packet.data.length === 0) return packet;
          const data = Uint8Array.from(packet.data);
          data[at % data.length] = value;
          return { ...packet, data: cut < data.length ? data.subarray(0, cut) : data };
        };
        const { peer, authenticator, packets } = converse(type, { onTheWay });
        expect(packets.length).to.be.below(40);
        if (peer?.result === "success") expect(peer.MSK).to.deep.equal(authenticator?.MSK);
      }),
      { numRuns: 500 },
    );
  });

  it("never throws on packets out of nothing, and gives no key for them", () => {
    fc.assert(
      fc.property(method, fc.array(anyPacket, { maxLength: 12 }), (type, packets) => {
        const random = seededRandom("fuzz");
        const peer = supplicant({ user: user(type), random });
        const asks = authenticator({ user: user(type), random });
        const { identifier } = asks.begin();
        for (const packet of packets) {
          expect(peer.take(packet)).not.to.have.property("MSK");
          expect(asks.take({ ...packet, code: 2, identifier })).not.to.have.property("MSK");
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives up on an authenticator that never ends", () => {
    const peer = supplicant({ user: user("gtc"), random: seededRandom(1) });
    let last: EapStep = {};
    for (let turn = 0; turn <= 256; turn++)
      last = peer.take({ code: 1, identifier: turn & 0xff, data: Uint8Array.of(2, 33) });
    expect(last.result).to.equal("failure");
    expect(last.reason).to.equal("more than 256 requests");
  });

  const MALFORMED: [string, EapMethodName, string, string][] = [
    ["an MD5-Challenge longer than its packet", "md5", "04 10 0102", "MD5-Challenge without a challenge"],
    ["a GTC request without a message", "gtc", "06", "GTC without a message to display"],
    ["an MSCHAPv2 packet without header", "mschapv2", "1a 01 05", "MSCHAPv2 of 2 octets has no header"],
    ["a wrong MS-Length", "mschapv2", "1a 01 05 0006 10", "MS-Length is 6, but 5 octets are there"],
    [
      "a challenge of 8 octets",
      "mschapv2",
      "1a 01 05 000d 08 0102030405060708",
      "the challenge of MSCHAPv2 has not 16 octets",
    ],
    ["a Success before the challenge", "mschapv2", "1a 03 05 0004", "MSCHAPv2 OpCode 3 out of order"],
    ["an OpCode nobody knows", "mschapv2", "1a 63 05 0004", "MSCHAPv2 OpCode 99 out of order"],
  ];
  for (const [what, type, data, reason] of MALFORMED) {
    it(`gives up on ${what}`, () => {
      const peer = supplicant({ user: user(type), random: seededRandom(1) });
      const step = peer.take({ code: 1, identifier: 1, data: fromHex(data) });
      expect(step).to.deep.equal({ result: "failure", reason });
    });
  }
});
