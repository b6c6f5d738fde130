import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { authenticator, supplicant } from "./index.ts";
import { readMessage, SUBTYPE } from "./simaka-attributes.ts";
import type { EapManners, EapPacket, EapStep, EapUser } from "./types.ts";

type Method = "sim" | "aka";
const METHODS: Method[] = ["sim", "aka"];

interface Ends {
  type: Method;
  peer?: Partial<EapUser>;
  peerManners?: EapManners;
  manners?: EapManners;
  onTheWay?: (packet: EapPacket, turn: number) => EapPacket;
}

function converse({ type, peer, peerManners = {}, manners = {}, onTheWay = (packet) => packet }: Ends) {
  const random = seededRandom("cards");
  const user = { type, identity: "carol@example.org", password: "card" };
  const asks = authenticator({ user, random, manners });
  const answers = supplicant({ user: { ...user, ...peer }, random, manners: peerManners });
  const outcome = { packets: [] as EapPacket[], peer: {} as EapStep, server: {} as EapStep };
  const carry = (packet: EapPacket): EapPacket => {
    const carried = onTheWay(packet, outcome.packets.length);
    outcome.packets.push(carried);
    return carried;
  };
  let request: EapPacket | undefined = asks.begin();
  while (request) {
    outcome.peer = answers.take(carry(request));
    if (!outcome.peer.send) break;
    outcome.server = asks.take(carry(outcome.peer.send));
    request = outcome.server.send;
  }
  return outcome;
}

type Outcome = ReturnType<typeof converse>;
const results = ({ peer, server }: Outcome) => [peer.result, server.result];
const subtypes = ({ packets }: Outcome) =>
  packets.filter(({ data }) => data.length > 1 && data[0] !== 1).map(({ data }) => data[1]);

/** Turns the last bit, which is one of AT_MAC where there is one. */
const spoiled = (packet: EapPacket): EapPacket => {
  const data = Uint8Array.from(packet.data);
  data[data.length - 1]! ^= 1;
  return { ...packet, data };
};

const { SIM_START, SIM_CHALLENGE, AKA_IDENTITY, AKA_CHALLENGE, NOTIFICATION, CLIENT_ERROR } = SUBTYPE;
const { AKA_AUTHENTICATION_REJECT, AKA_SYNCHRONIZATION_FAILURE } = SUBTYPE;
const ROUNDS = {
  sim: [SIM_START, SIM_START, SIM_CHALLENGE, SIM_CHALLENGE],
  aka: [AKA_IDENTITY, AKA_IDENTITY, AKA_CHALLENGE, AKA_CHALLENGE],
} as const;

describe("eap: SIM and AKA", () => {
  for (const type of METHODS) {
    it(`end with Success and one MSK: ${type}`, () => {
      const outcome = converse({ type });
      expect(results(outcome)).to.deep.equal(["success", "success"]);
      expect(subtypes(outcome)).to.deep.equal([...ROUNDS[type]]);
      expect(outcome.peer.MSK).to.have.length(64);
      expect(outcome.peer.MSK).to.deep.equal(outcome.server.MSK);
    });

    it(`refuse a challenge of which AT_MAC is wrong: ${type}`, () => {
      const outcome = converse({ type, onTheWay: (packet, turn) => (turn === 4 ? spoiled(packet) : packet) });
      expect(results(outcome)).to.deep.equal(["failure", "failure"]);
      expect(subtypes(outcome).at(-1)).to.equal(CLIENT_ERROR);
      expect(outcome.server.reason).to.equal("Client-Error 0");
    });

    it(`refuse a response of which AT_MAC is wrong, after a notification: ${type}`, () => {
      const outcome = converse({ type, onTheWay: (packet, turn) => (turn === 5 ? spoiled(packet) : packet) });
      expect(results(outcome)).to.deep.equal(["failure", "failure"]);
      expect(subtypes(outcome).slice(4)).to.deep.equal([NOTIFICATION, NOTIFICATION]);
      expect(outcome.server.reason).to.equal("AT_MAC of the response is wrong");
      expect(outcome.peer.reason).to.include("notification 16384");
    });

    it(`refuse another card and another name: ${type}`, () => {
      expect(results(converse({ type, peer: { password: "other" } }))).to.deep.equal(["failure", "failure"]);
      const { server } = converse({ type, peer: { identity: "mallory@example.org" } });
      expect(server).to.include({ result: "failure", reason: "nobody of this identity is known" });
    });

    it(`end with Success against ends that accept anything: ${type}`, () => {
      const other = { peer: { password: "other" } };
      const accepts = { acceptsAnything: true };
      expect(results(converse({ type, ...other, peerManners: accepts, manners: accepts }))).to.deep.equal([
        "success",
        "success",
      ]);
    });

    it(`never throw, whatever comes: ${type}`, () => {
      const some = fc.uint8Array({ minLength: 1, maxLength: 60 });
      fc.assert(
        fc.property(fc.nat(8), some, fc.nat(80), (turn, octets, from) => {
          const bend = (packet: EapPacket, at: number): EapPacket => {
            if (at !== turn || packet.data.length === 0) return packet;
            const data = Uint8Array.from(packet.data);
            const place = 1 + (from % data.length);
            data.set(octets.subarray(0, data.length - place), place);
            return { ...packet, data };
          };
          const { server } = converse({ type, onTheWay: bend });
          expect([undefined, "success", "failure"]).to.include(server.result);
        }),
        { numRuns: 100 },
      );
    });
  }

  it("reject a wrong AUTN by Authentication-Reject, and a wrong AT_MAC of SIM by Client-Error", () => {
    const manners = { wrongAuthenticatorResponse: true };
    const aka = converse({ type: "aka", manners });
    expect(subtypes(aka).at(-1)).to.equal(AKA_AUTHENTICATION_REJECT);
    expect(aka.peer.reason).to.include("AUTN is wrong");
    expect(subtypes(converse({ type: "sim", manners })).at(-1)).to.equal(CLIENT_ERROR);
  });

  it("synchronize sequence numbers", () => {
    const outcome = converse({ type: "aka", manners: { staleSequence: true } });
    expect(results(outcome)).to.deep.equal(["success", "success"]);
    expect(subtypes(outcome).slice(3)).to.deep.equal([
      AKA_SYNCHRONIZATION_FAILURE,
      AKA_CHALLENGE,
      AKA_CHALLENGE,
    ]);
  });

  it("have attributes that anything but the right octets is refused for", () => {
    const refused = [
      "",
      "0100",
      "01000001",
      "0100000100",
      "0100000105",
      "0100006301ffff",
      "0100000d0100000d010000",
    ];
    for (const text of refused) expect(readMessage(Buffer.from(text, "hex"))).to.be.a("string");
    expect(readMessage(Buffer.from("01000086010000", "hex"))).to.have.property("subtype", 1);
  });
});
