import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { Decoder, KeyRing } from "../../pcaps/decode/index.ts";
import { readKeys } from "../../pcaps/key-files/read.ts";
import { dissect, openCapture } from "../../pcaps/read/index.ts";
import type { Datagram } from "../../pcaps/types.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import type { Endpoint } from "../ike/endpoint.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Impairment } from "../link/memory.ts";
import { Linter } from "../lint/linter.ts";
import type { HostEvent } from "../script/host.ts";
import { espSaKeys, ikeSaKeys } from "./evidence.ts";
import { makePair } from "./pair.ts";

const GOLDEN = join(import.meta.dirname, "../../pcaps/golden");

interface Talk {
  datagrams: Datagram[];
  keys: () => KeyRing;
}

/** What is found, by rule, requirement and sender. */
function found(datagrams: readonly Datagram[], ring: KeyRing): string[] {
  const decoder = new Decoder(ring);
  const linter = new Linter();
  const seen = [...datagrams.flatMap((datagram) => decoder.datagram(datagram)), ...decoder.end()];
  return seen
    .flatMap((one) => linter.see(one))
    .map(({ rule, requirement, sender }) => `${requirement} ${rule} ${sender.host}`);
}

/** How many messages could be opened. */
const opened = (datagrams: readonly Datagram[], ring: KeyRing): number => {
  const decoder = new Decoder(ring);
  const seen = datagrams.flatMap((datagram) => decoder.datagram(datagram));
  return seen.filter((one) => one.kind === "ike" && one.opening === "opened").length;
};

/** What an end does on its newest IKE SA. */
function stepsOf(endpoint: Endpoint): (() => void)[] {
  const onNewest = (action: (sa: IkeSa) => void) => () => {
    const sa = [...endpoint.core.sas.values()].at(-1);
    if (sa) action(sa);
  };
  return [
    onNewest((sa) => endpoint.liveness(sa)),
    onNewest((sa) => endpoint.createChild(sa)),
    onNewest((sa) => endpoint.rekeyIke(sa)),
  ];
}

/** A long conversation of two honest ends, as one of them sees it: what it sends, and what comes. */
function talkOf(config: Partial<PeerConfig>, impairment: Partial<Impairment>, seed: string): Talk {
  const datagrams: Datagram[] = [];
  const ring = new KeyRing();
  const event = (end: "a" | "b", happened: HostEvent): void => {
    if (happened.type === "keys") for (const keys of ikeSaKeys(happened.sa)) ring.addIke(keys);
    if (happened.type === "child-established")
      for (const keys of espSaKeys(happened.child)) ring.addEsp(keys);
    if (end === "b" || (happened.type !== "datagram-sent" && happened.type !== "datagram-received")) return;
    const packet = datagrams.length + 1;
    datagrams.push({
      kind: "datagram",
      packet,
      offset: 0,
      timeMs: pair.network.clock.now(),
      ...happened.datagram,
    });
  };
  const pair = makePair({ seed, config, impairment, fragmentation: {}, event });
  const steps = [
    () => void pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b),
    ...(["a", "b", "a", "b"] as const).flatMap((end) => stepsOf(pair[end].endpoint)),
  ];
  for (const step of steps) {
    step();
    pair.a.settle();
    pair.b.settle();
    pair.network.run(40_000);
  }
  return { datagrams, keys: () => ring };
}

const CONFIGS: Partial<PeerConfig>[] = [
  {},
  { cookies: "always" },
  { ikeProposals: ["aes256-sha256-x25519"], espProposals: ["aes256-sha256-x25519"] },
  { ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_mlkem768"] },
];

/** What a capture may make of what it saw. */
const mangled = fc.record({
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  late: fc.boolean(),
  fates: fc.infiniteStream(fc.nat(99)),
  loss: fc.constantFrom(0, 0, 10, 30, 60),
  twice: fc.constantFrom(0, 0, 50),
  swapped: fc.constantFrom(0, 0, 30),
});
type Mangled = typeof mangled extends fc.Arbitrary<infer T> ? T : never;

function mangle(
  datagrams: readonly Datagram[],
  { from, late, fates, loss, twice, swapped }: Mangled,
): Datagram[] {
  const below = (share: number): boolean => fates.next().value < share;
  const kept = datagrams
    .slice(late ? Math.floor(from * datagrams.length) : 0)
    .filter(() => !below(loss))
    .flatMap((datagram) => (below(twice) ? [datagram, { ...datagram }] : [datagram]));
  for (let at = 0; at + 1 < kept.length; at++) {
    const [one, other] = kept.slice(at, at + 2);
    if (one && other && below(swapped)) kept.splice(at++, 2, other, one);
  }
  return kept;
}

/** The golden captures of a folder. */
function* golden(folder: string): Generator<Talk> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!statSync(path).isDirectory()) continue;
    if (!readdirSync(path).includes("capture.pcap")) {
      yield* golden(path);
      continue;
    }
    const datagrams: Datagram[] = [];
    for (const item of dissect(openCapture(join(path, "capture.pcap"))))
      if (item.kind === "datagram") datagrams.push({ ...item, data: item.data.slice() });
    yield { datagrams, keys: () => readKeys([join(path, "keys")]).ring };
  }
}

describe("lint of captures that lack packets, have them twice or out of order", () => {
  it("finds nothing in what honest ends say, whatever the network and the capture do", () => {
    const perfect = CONFIGS.map((config) => talkOf(config, {}, "lint"));
    const lossy = CONFIGS.map((config) =>
      talkOf(config, { loss: 0.2, duplication: 0.2, jitterMs: 30 }, "lint over a bad line"),
    );
    for (const { datagrams, keys } of [...perfect, ...lossy])
      expect(opened(datagrams, keys())).to.be.greaterThan(20);
    fc.assert(
      fc.property(fc.constantFrom(...perfect, ...lossy), mangled, ({ datagrams, keys }, how) => {
        expect(found(mangle(datagrams, how), keys())).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  }).timeout(20_000);

  it("finds no other breaches in what real peers said than are in the whole capture", () => {
    const talks = [...golden(GOLDEN)].map((talk) => ({ ...talk, whole: found(talk.datagrams, talk.keys()) }));
    expect(talks.length).to.be.greaterThan(50);
    fc.assert(
      fc.property(fc.constantFrom(...talks), mangled, ({ datagrams, keys, whole }, how) => {
        const more = found(mangle(datagrams, how), keys()).filter((one) => !whole.includes(one));
        expect(more).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  }).timeout(20_000);
});
