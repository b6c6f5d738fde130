import { aeskwp } from "@noble/ciphers/aes.js";
import { expect } from "chai";
import fc from "fast-check";
import { seededRandom } from "../crypto/seeded-random.ts";
import { equal } from "../wire/bytes.ts";
import { KeyTree, type TreeKey, type Wrap } from "./key-tree.ts";

const random = seededRandom("key tree");
const makeKey = () => random(16);

/** What a rekey message holds: ids and wrapped octets, and no key. */
interface Sent {
  id: number;
  by: number;
  wrapped: Uint8Array;
}

const send = ({ key, by }: Wrap): Sent => ({
  id: key.id,
  by: by.id,
  wrapped: aeskwp(by.key).encrypt(key.key),
});

/** The KEYMAT, under every top key, has id 0. */
function rekey(tree: KeyTree, wraps: Wrap[]): { KEYMAT: Uint8Array; sent: Sent[] } {
  const KEYMAT = makeKey();
  const keys = tree.tops().map((by) => ({ key: { id: 0, key: KEYMAT }, by }));
  return { KEYMAT, sent: [...keys, ...wraps].map(send) };
}

/** One end of the tree: opens whatever it has a key for, and forgets none. */
class Holder {
  readonly #keys = new Map<number, Uint8Array>();

  constructor(path: TreeKey[]) {
    for (const { id, key } of path) this.#keys.set(id, key);
  }

  /** The KEYMAT, if it can be had. */
  take(sent: Sent[]): Uint8Array | undefined {
    this.#keys.delete(0);
    for (let found = true; found; ) {
      found = false;
      for (const { id, by, wrapped } of sent) {
        const kwk = this.#keys.get(by);
        if (!kwk || this.#keys.has(id)) continue;
        this.#keys.set(id, aeskwp(kwk).decrypt(wrapped));
        found = true;
      }
    }
    return this.#keys.get(0);
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `member ${index}`);

describe("a key tree", () => {
  it("makes the messages of the example in RFC 9838 appendix A", () => {
    const tree = new KeyTree({ degree: 2, makeKey, capacity: 8 });
    const paths = new Map([..."ABCDEFGH"].map((name) => [name, tree.join(name)]));
    const id = (name: string, level: number) => paths.get(name)?.[level]?.id;
    expect(paths.get("A")).to.have.length(3);
    expect([id("A", 0), id("A", 1)]).to.deep.equal([id("B", 0), id("B", 1)]);
    const [one, six, eleven] = [id("A", 0), id("G", 1), id("E", 2)];
    const wraps = tree.leave("F").map(({ key, by }) => [by.id, key.id]);
    const [fifteen, sixteen] = [15, 16];
    // MP(6{15}, 16{15}, 11{16}) and GP(1{K3}, 15{K3})
    expect(wraps).to.have.deep.members([
      [six, fifteen],
      [sixteen, fifteen],
      [eleven, sixteen],
    ]);
    expect(tree.tops().map((key) => key.id)).to.deep.equal([one, fifteen]);
    expect(tree.path("E")?.map((key) => key.id)).to.deep.equal([15, 16, eleven]);
    expect(tree.path("G")?.map((key) => key.id)).to.deep.equal([15, six, id("G", 2)]);
    expect(tree.path("A")).to.deep.equal(paths.get("A"));
  });

  it("gives a member that joins again the same keys", () => {
    const tree = new KeyTree({ degree: 3, makeKey });
    expect(tree.join("A")).to.deep.equal(tree.join("A"));
    expect(tree.size).to.equal(1);
    expect(tree.leave("B")).to.deep.equal([]);
  });

  it("reaches all who stay and nobody who was put out, whatever came before", () => {
    const acts = fc.array(fc.record({ join: fc.boolean(), member: fc.nat(11) }), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        acts,
        (degree, capacity, all) => {
          const tree = new KeyTree({ degree, makeKey, capacity });
          const inside = new Map<string, Holder>();
          const outside: Holder[] = [];
          for (const { join, member } of all) {
            const name = `${member}`;
            if (join) {
              const path = tree.join(name);
              if (!inside.has(name)) inside.set(name, new Holder(path));
              continue;
            }
            const gone = inside.get(name);
            if (!gone) continue;
            inside.delete(name);
            outside.push(gone);
            const { KEYMAT, sent } = rekey(tree, tree.leave(name));
            for (const holder of inside.values())
              expect(equal(holder.take(sent) ?? new Uint8Array(), KEYMAT)).to.equal(true);
            for (const holder of outside) expect(holder.take(sent)).to.equal(undefined);
          }
          expect(tree.size).to.equal(inside.size);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("gives no key id twice", () => {
    const tree = new KeyTree({ degree: 2, makeKey });
    const seen = new Set<number>([0]);
    for (const name of names(9)) tree.join(name);
    for (const name of names(9)) {
      const fresh = new Set(tree.leave(name).map(({ key }) => key.id));
      for (const id of fresh) {
        expect(seen.has(id)).to.equal(false);
        seen.add(id);
      }
    }
    expect(tree.size).to.equal(0);
    expect(tree.tops()).to.deep.equal([]);
  });

  it("puts one of 100,000 members out with as many keys as the tree is high", () => {
    const tree = new KeyTree({ degree: 4, makeKey });
    for (const name of names(100_000)) tree.join(name);
    // The nodes that growth has put in become known with the first one.
    tree.leave("member 0");
    const wraps = tree.leave("member 4321");
    expect(wraps.length).to.be.at.most(4 * 8);
    expect(tree.path("member 99999")).to.have.length(9);
  });
});
