import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { Endpoint } from "../ike/endpoint.ts";
import type { IkeEvent } from "../ike/events.ts";
import { errorNotify } from "../ike/payloads.ts";
import { ordinaryPolicy, type Policy } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Datagram } from "../link/types.ts";
import { parsePrefix } from "../wire/address.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { parseProposal } from "../wire/registry/proposal-spec.ts";
import { fragmentation } from "./fragmentation.ts";
import { postQuantum } from "./post-quantum.ts";

const A = { host: "192.0.2.1", port: 500 };
const B = { host: "192.0.2.2", port: 500 };

const proposal = (spec: string, protocol: number) => {
  const parsed = parseProposal(spec, protocol);
  if ("error" in parsed) throw new Error(parsed.error);
  return parsed;
};

function selectors(prefix: string): Policy["localTs"] {
  const range = parsePrefix(prefix);
  if (!range) throw new Error(prefix);
  const ports = { ipProtocol: 0, startPort: 0, endPort: 65535 };
  return [{ tsType: 7, ...ports, startAddress: range.start, endAddress: range.end }];
}

const names = { [A.host]: "a.example", [B.host]: "b.example" };
const networks = { [A.host]: "203.0.113.0/28", [B.host]: "203.0.113.16/28" };

function policyOf(own: string, other: string, changes: Partial<Policy>): Policy {
  const identity = (host: string) => ({ type: 2, data: new TextEncoder().encode(names[host]) });
  return {
    ...ordinaryPolicy,
    ...{ date: 0, psk: new Uint8Array(16), mode: "tunnel" },
    ...{ localId: identity(own), remoteId: identity(other) },
    ...{ ike: [proposal("aes256-sha256-x25519", 1)], esp: [proposal("aes128-sha256", 3)] },
    ...{ localTs: selectors(networks[own] ?? ""), remoteTs: selectors(networks[other] ?? "") },
    ...changes,
  };
}

/** What becomes of a datagram: copies, at which places of the queue. */
type Fate = (datagram: Datagram) => number[];

/** Two endpoints of the same policy with a wire between them that `fate` can make a bad one. */
function pair(changes: Partial<Policy>, fate: Fate = () => [0], chunk = 1000) {
  const wire: Datagram[] = [];
  const sent: Datagram[] = [];
  const events: { at: string; event: IkeEvent }[] = [];
  let time = 0;
  const make = (own: string, other: string) =>
    new Endpoint({
      policy: policyOf(own, other, changes),
      extensions: [fragmentation({ chunk }), ...postQuantum()],
      random: seededRandom(own),
      now: () => time,
      send: (datagram) => {
        sent.push(datagram);
        for (const place of fate(datagram)) wire.splice(Math.max(0, wire.length - place), 0, datagram);
      },
      event: (event) => events.push({ at: own, event }),
      ...{ natPort: 4500, remoteNatPort: 4500 },
    });
  const [a, b] = [make(A.host, B.host), make(B.host, A.host)];
  const run = () => {
    for (let d = wire.shift(); d; d = wire.shift()) (d.destination.host === A.host ? a : b).receive(d);
  };
  const later = (ms: number) => {
    time += ms;
    for (const end of [a, b]) end.runTimers();
    run();
  };
  return { a, b, run, later, sent, events };
}

/** Exchange types and Message IDs of the requests of the initiator, each once. */
const requests = ({ sent }: ReturnType<typeof pair>): string[] => [
  ...new Set(sent.flatMap(({ source, data }) => (source.host === A.host ? [`${data[18]} ${data[23]}`] : []))),
];

const keysOf = (sa: IkeSa | undefined): string => hex(sa?.keys?.SK_d ?? new Uint8Array());

const isRound = (data: Uint8Array): boolean => data[18] === EXCHANGE.IKE_INTERMEDIATE;

const KEY_EXCHANGES = { ike: [proposal("aes256-sha256-x25519-ke1_ecp256-ke2_x25519", 1)] };

describe("IKE_INTERMEDIATE", () => {
  it("runs once where it is wished, before IKE_AUTH", () => {
    const both = pair({ intermediate: true });
    const sa = both.a.connect(A, B);
    both.run();
    expect([sa.state, sa.children.length]).to.deep.equal(["established", 1]);
    expect(requests(both)).to.deep.equal(["34 0", "43 1", "35 2"]);
  });

  it("runs once for each additional key exchange, and leaves the last keys", () => {
    const both = pair(KEY_EXCHANGES);
    const sa = both.a.connect(A, B);
    both.run();
    const [other] = both.b.core.sas.values();
    expect([sa.state, other?.state]).to.deep.equal(["established", "established"]);
    expect(requests(both)).to.deep.equal(["34 0", "43 1", "43 2", "35 3"]);
    expect(keysOf(sa)).to.equal(keysOf(other));
  });

  it("does not run where nobody wishes it", () => {
    const both = pair({});
    both.a.connect(A, B);
    both.run();
    expect(requests(both)).to.deep.equal(["34 0", "35 1"]);
  });

  it("answers a repeated request with the same octets, though the keys are others by now", () => {
    const both = pair(KEY_EXCHANGES, ({ data }) => (data[18] === EXCHANGE.IKE_AUTH ? [] : [0]));
    both.a.connect(A, B);
    both.run();
    const last = both.sent.filter(({ data }) => isRound(data));
    const [request, response] = last.slice(-2);
    const before = both.sent.length;
    if (request) both.b.receive(request);
    expect(both.sent.slice(before).map(({ data }) => hex(data))).to.deep.equal([
      hex(response?.data ?? new Uint8Array()),
    ]);
  });

  it("ends after some exchanges that nothing needs", () => {
    const both = pair({ intermediate: true });
    const sa = both.a.init(A, B);
    both.run();
    const answers: (number | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      both.a.request(sa, EXCHANGE.IKE_INTERMEDIATE, [], (response) =>
        answers.push(errorNotify(response?.payloads ?? [])?.notifyType),
      );
      both.run();
    }
    const good = [undefined, undefined, undefined, undefined];
    expect(answers).to.deep.equal([...good, NOTIFY.INVALID_SYNTAX]);
    expect(both.b.core.sas.size).to.equal(0);
  });

  it("says why the IKE SA was closed in the middle of an exchange", () => {
    const both = pair({ intermediate: true }, ({ data }) => (isRound(data) ? [] : [0]));
    const failures: (string | undefined)[] = [];
    const sa = both.a.connect(A, B, ({ failure }) => failures.push(failure));
    both.run();
    both.a.core.closeIke(sa, "the test ended it");
    expect(failures).to.deep.equal(["the test ended it"]);
  });

  it("begins IKE_AUTH once where it is told not to wait", () => {
    const both = pair(KEY_EXCHANGES);
    both.a.core.options.extensions.push({
      name: "hurry",
      decide: { "IKE_AUTH beside IKE_INTERMEDIATE": "at once", window: "unbounded" },
    });
    both.a.connect(A, B);
    both.run();
    expect(requests(both).filter((request) => request.startsWith("35"))).to.have.length(1);
  });

  it("forgets an initiator that vanishes after an exchange", () => {
    const both = pair({ intermediate: true }, ({ data }) => (data[18] === EXCHANGE.IKE_AUTH ? [] : [0]));
    both.a.connect(A, B);
    both.run();
    const [waiting] = both.b.core.sas.values();
    expect(waiting?.state).to.equal("half-open");
    both.later(ordinaryPolicy.halfOpenMs + 1);
    expect([waiting?.state, both.b.core.sas.size]).to.deep.equal(["closed", 0]);
  });

  it("sets up both SAs with the same keys on a wire that loses, repeats and reorders", () => {
    // Losing each transmission of one request would end the attempt.
    const bearable = (fates: number[][]) =>
      fates.filter((copies) => copies.length === 0).length < ordinaryPolicy.retransmitTries;
    const fate = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 });
    const wires = fc.array(fate, { maxLength: 12 }).filter(bearable);
    fc.assert(
      fc.property(wires, fc.integer({ min: 30, max: 200 }), (fates, chunk) => {
        const left = [...fates];
        const both = pair(KEY_EXCHANGES, () => left.shift() ?? [0], chunk);
        const sa = both.a.connect(A, B);
        both.run();
        for (let i = 0; i < 40 && sa.state !== "established"; i++) both.later(1000);
        const others = [...both.b.core.sas.values()].filter((other) => other.state === "established");
        return sa.state === "established" && others.length === 1 && keysOf(sa) === keysOf(others[0]);
      }),
      { numRuns: 40 },
    );
  });
});
