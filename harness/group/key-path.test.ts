import { expect } from "chai";
import fc from "fast-check";
import type { WrappedKey } from "../wire/group-types.ts";
import { type KeyPath, KeyRing, type Unwrap } from "./key-path.ts";
import { KeyTree, type Wrap } from "./key-tree.ts";

/** A wrap that anyone can read: the wrapping key in front. */
const wrapIn = (kek: Uint8Array, key: Uint8Array): Uint8Array => Uint8Array.of(...kek, ...key);
const unwrap: Unwrap = (kek, wrapped) =>
  kek.every((octet, index) => wrapped[index] === octet) ? wrapped.slice(kek.length) : undefined;

/** The key with this number: two octets, as all wrapping keys here. */
const key = (id: number, generation = 0): Uint8Array => Uint8Array.of(id, generation);
const GSK_w = key(0, 99);
const keyOf = (id: number): Uint8Array => (id === 0 ? GSK_w : key(id));

/** `kwk{id}` of Appendix A. */
const wrapped = (kwkId: number, keyId: number, kek = keyOf(kwkId), inside = key(keyId)): WrappedKey => ({
  ...{ keyId, kwkId, encryptedKey: wrapIn(kek, inside) },
});
const saKey = (kwkId: number, KEYMAT: Uint8Array): WrappedKey => wrapped(kwkId, 0, keyOf(kwkId), KEYMAT);

const K = Uint8Array.of(7, 7, 7);
const pathOf = (...ids: number[]): KeyPath => ids.map((id) => ({ id, key: key(id) }));

function open(wrapKeys: WrappedKey[], saKeys: WrappedKey[], path: KeyPath = []) {
  const ring = new KeyRing({ wrapKeys, GSK_w, keyOctets: 2, unwrap, path });
  const opened = ring.open(saKeys);
  return { opened, findings: ring.findings, ids: "path" in opened ? opened.path.map(({ id }) => id) : [] };
}

const wrapOf = ({ key: inside, by }: Wrap): WrappedKey => ({
  ...{ keyId: inside.id, kwkId: by.id, encryptedKey: wrapIn(by.key, inside.key) },
});

/** Joins and exclusions in a tree; each exclusion brings new keys to who stays. */
function followTree(degree: number, steps: { joins: boolean; who: number }[]): void {
  let made = 0;
  const tree = new KeyTree({ degree, makeKey: () => Uint8Array.of(255, ++made >> 8, made & 255) });
  const paths = new Map<string, KeyPath>();
  const strangers: KeyPath[] = [];
  for (const { joins, who } of steps) {
    const name = `${who}`;
    const before = paths.get(name);
    if (joins && !before) paths.set(name, tree.join(name));
    if (joins || !before) continue;
    paths.delete(name);
    strangers.push(before);
    const material = {
      wrapKeys: tree.leave(name).map(wrapOf),
      GSK_w: Uint8Array.of(9),
      keyOctets: 3,
      unwrap,
    };
    const saKeys = tree.tops().map((by) => ({ keyId: 0, kwkId: by.id, encryptedKey: wrapIn(by.key, K) }));
    for (const [stays, path] of paths) {
      const opened = new KeyRing({ ...material, path }).open(saKeys);
      if (!("path" in opened)) throw new Error(`${stays}: ${opened.failure}`);
      expect(opened.KEYMAT).to.deep.equal(K);
      paths.set(stays, opened.path);
    }
    for (const path of strangers)
      expect(new KeyRing({ ...material, path }).open(saKeys)).to.have.property("failure");
  }
}

describe("key path", () => {
  it("keeps nothing where GSK_w wraps the key itself", () => {
    expect(open([], [saKey(0, K)]).opened).to.deep.equal({ KEYMAT: K, path: [] });
    expect(open([], [saKey(0, K)], pathOf(1, 3, 7)).ids).to.deep.equal([1, 3, 7]);
  });

  it("goes from GSK_w up the tree at registration, whatever the order of the keys", () => {
    const { opened, ids } = open([wrapped(3, 1), wrapped(7, 3), wrapped(0, 7)], [saKey(1, K)]);
    expect(opened).to.deep.include({ KEYMAT: K });
    expect(ids).to.deep.equal([1, 3, 7]);
  });

  it("replaces the beginning of the Working Key Path as Appendix A does to exclude F", () => {
    const keys = [wrapped(6, 15), wrapped(16, 15), wrapped(11, 16)];
    const both = [saKey(1, K), saKey(15, K)];
    const path = (...ids: number[]) => open(keys, both, pathOf(...ids)).ids;
    expect(path(1, 3, 7)).to.deep.equal([1, 3, 7]);
    expect(path(2, 5, 11)).to.deep.equal([15, 16, 11]);
    expect(path(2, 6, 13)).to.deep.equal([15, 6, 13]);
    expect(path(2, 6, 14)).to.deep.equal([15, 6, 14]);
    expect(open(keys, both, pathOf(2, 5, 12)).opened).to.deep.equal({ failure: "no key path" });
  });

  it("finds no path through loops and missing keys", () => {
    expect(open([wrapped(3, 1), wrapped(1, 3)], [saKey(1, K)]).opened).to.deep.equal({
      failure: "no key path",
    });
    expect(open([wrapped(8, 1)], [saKey(1, K)]).opened).to.deep.equal({ failure: "no key path" });
    expect(open([wrapped(4, 4)], [saKey(4, K)]).opened).to.deep.equal({ failure: "no key path" });
  });

  it("tells of wraps that fail, of keys of a wrong size, and of Key IDs that are out of place", () => {
    const bad = wrapped(0, 5, key(77));
    expect(open([bad], [saKey(5, K)]).findings).to.deep.equal(["key 5 does not unwrap with key 0"]);
    const long = wrapped(0, 5, GSK_w, Uint8Array.of(1, 2, 3));
    expect(open([long], [saKey(5, K)]).findings).to.deep.equal(["key 5 has 3 octets"]);
    expect(open([wrapped(0, 0)], [saKey(0, K)]).findings).to.deep.equal(["a WRAP_KEY with Key ID 0"]);
    expect(open([], [wrapped(0, 9)]).opened).to.deep.equal({ failure: "an SA_KEY with Key ID 9" });
    expect(open([], [wrapped(0, 0, key(8), K)]).opened).to.deep.equal({
      failure: "SA_KEY does not unwrap with key 0",
    });
  });

  it("gives every leaf of any tree its path, and a path with loops among it ends", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        (degree, last, at) => {
          const leaf = 1 + (at % last);
          const up = [leaf];
          while ((up[0] ?? 1) > 1) up.unshift(1 + Math.floor(((up[0] ?? 1) - 2) / degree));
          const tree = Array.from({ length: last - 1 }, (_, i) => {
            const child = i + 2;
            return wrapped(child, 1 + Math.floor((child - 2) / degree));
          });
          const { ids, opened } = open([...tree, wrapped(0, leaf)], [saKey(1, K)]);
          expect(ids).to.deep.equal(up);
          expect(opened).to.deep.include({ KEYMAT: K });
        },
      ),
    );
  });

  it("leads every member of a key tree to the new keys, and nobody who was put out", () => {
    const steps = fc.array(fc.record({ joins: fc.boolean(), who: fc.nat(11) }), { maxLength: 40 });
    fc.assert(fc.property(fc.integer({ min: 2, max: 4 }), steps, followTree), { numRuns: 60 });
  });

  it("never fails on arbitrary keys", () => {
    const anyKey = fc.record({
      keyId: fc.nat(8),
      kwkId: fc.nat(8),
      encryptedKey: fc.uint8Array({ maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(anyKey), fc.array(anyKey), fc.array(fc.nat(8)), (keys, saKeys, path) => {
        open(keys, saKeys, pathOf(...path));
      }),
    );
  });
});
