import { expect } from "chai";
import { systemRandom } from "../crypto/seeded-random.ts";
import { fragmentation } from "../extensions/fragmentation.ts";
import type { Datagram } from "../link/types.ts";
import { parsePrefix } from "../wire/address.ts";
import { equal, hex } from "../wire/bytes.ts";
import { parseProposal } from "../wire/registry/proposal-spec.ts";
import type { TrafficSelector } from "../wire/types.ts";
import { Endpoint } from "./endpoint.ts";
import type { IkeEvent } from "./events.ts";
import type { Extension } from "./hooks.ts";
import { ordinaryPolicy, type Policy } from "./policy.ts";

const text = new TextEncoder();
const ts = (prefix: string): TrafficSelector[] => {
  const range = parsePrefix(prefix);
  if (!range) throw new Error(prefix);
  return [
    {
      tsType: 7,
      ipProtocol: 0,
      startPort: 0,
      endPort: 65535,
      startAddress: range.start,
      endAddress: range.end,
    },
  ];
};

const proposal = (spec: string, protocol: number) => {
  const parsed = parseProposal(spec, protocol);
  if ("error" in parsed) throw new Error(parsed.error);
  return parsed;
};

function policy(local: string, remote: string, changes: Partial<Policy> = {}): Policy {
  return {
    ...ordinaryPolicy,
    date: 0,
    localId: { type: 2, data: text.encode(local) },
    remoteId: { type: 2, data: text.encode(remote) },
    psk: text.encode("interop-test-psk"),
    ike: [proposal("aes256-sha256-x25519", 1)],
    esp: [proposal("aes128-sha256", 3)],
    localTs: ts(local === "a.example" ? "203.0.113.0/28" : "203.0.113.16/28"),
    remoteTs: ts(local === "a.example" ? "203.0.113.16/28" : "203.0.113.0/28"),
    mode: "tunnel",
    ...changes,
  };
}

/** Two endpoints with a wire of zero length between them. */
function pair(a: Partial<Policy> = {}, b: Partial<Policy> = {}, bExtensions: Extension[] = []) {
  const wire: Datagram[] = [];
  const events: { a: IkeEvent[]; b: IkeEvent[] } = { a: [], b: [] };
  let time = 0;
  const make = (who: "a" | "b", p: Policy, extensions: Extension[]) =>
    new Endpoint({
      policy: p,
      extensions: [fragmentation({ chunk: 100, timeoutMs: 1000 }), ...extensions],
      random: systemRandom,
      now: () => time,
      send: (d) => wire.push(d),
      event: (e) => events[who].push(e),
      natPort: 4500,
      remoteNatPort: 4500,
    });
  const ends = {
    a: make("a", policy("a.example", "b.example", a), []),
    b: make("b", policy("b.example", "a.example", b), bExtensions),
  };
  const run = () => {
    for (let d = wire.shift(); d; d = wire.shift())
      (d.destination.host === "192.0.2.1" ? ends.a : ends.b).receive(d);
  };
  const later = (ms: number) => {
    time += ms;
    ends.a.runTimers();
    ends.b.runTimers();
    run();
  };
  return { ...ends, events, run, later };
}

const A = { host: "192.0.2.1", port: 500 };
const B = { host: "192.0.2.2", port: 500 };

describe("endpoint", () => {
  it("brings up IKE and Child SAs with the same keys at both ends", () => {
    const { a, b, run } = pair();
    const sa = a.connect(A, B);
    run();
    expect(sa.state).to.equal("established");
    const [other] = b.core.sas.values();
    expect(other?.state).to.equal("established");
    const [mine, theirs] = [sa.children[0], other?.children[0]];
    expect(mine && theirs && equal(mine.keysOut.encr, theirs.keysIn.encr)).to.equal(true);
    expect(hex(mine?.spiIn ?? new Uint8Array())).to.equal(hex(theirs?.spiOut ?? new Uint8Array(1)));
  });

  it("answers INVALID_KE_PAYLOAD and a COOKIE challenge", () => {
    const { a, run } = pair(
      { ike: [proposal("aes256-sha256-modp2048-x25519", 1)] },
      { ike: [proposal("aes256-sha256-x25519", 1)], cookies: "always" },
    );
    const sa = a.connect(A, B);
    run();
    expect(sa.state).to.equal("established");
  });

  it("rekeys, deletes and checks liveness", () => {
    const { a, b, run } = pair(
      { rekeyEsp: [proposal("aes128-sha256-ecp256", 3)] },
      { rekeyEsp: [proposal("aes128-sha256-ecp256", 3)] },
    );
    let sa = a.connect(A, B);
    run();
    a.rekeyIke(sa, {}, (made) => {
      if (typeof made !== "string") sa = made;
    });
    run();
    expect(b.core.sas.size).to.equal(1);
    expect(sa.children).to.have.length(1);
    const child = sa.children[0];
    if (!child) return;
    a.rekeyChild(child);
    run();
    expect(sa.children.map((c) => c.pfs)).to.deep.equal([true]);
    let alive = false;
    a.liveness(sa, (answer) => {
      alive = answer;
    });
    run();
    expect(alive).to.equal(true);
    a.deleteIke(sa);
    run();
    expect([a.core.sas.size, b.core.sas.size]).to.deep.equal([0, 0]);
  });

  it("rekeys from the responder's side too", () => {
    const { a, b, run } = pair();
    a.connect(A, B);
    run();
    const [sa] = b.core.sas.values();
    if (sa) b.rekeyIke(sa);
    run();
    expect([...a.core.sas.values()].map((s) => [s.role, s.state])).to.deep.equal([
      ["responder", "established"],
    ]);
  });

  it("retransmits the same octets and gives up", () => {
    const { a, events, later } = pair({}, {}, [{ name: "deaf", incoming: () => "drop" }]);
    a.connect(A, B);
    for (let i = 0; i < 10; i++) later(20_000);
    const sent = events.a
      .filter((e) => e.type === "sent")
      .map((e) => hex(e.datagrams[0] ?? new Uint8Array()));
    expect(sent).to.have.length(ordinaryPolicy.retransmitTries);
    expect(new Set(sent).size).to.equal(1);
    expect(a.core.sas.size).to.equal(0);
  });

  it("refuses a wrong secret", () => {
    const { a, b, run } = pair({}, { psk: text.encode("another") });
    const sa = a.connect(A, B);
    run();
    expect(sa.state).to.equal("closed");
    expect(b.core.sas.size).to.equal(0);
  });
});
