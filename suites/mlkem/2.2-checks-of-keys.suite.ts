import {
  expect,
  expectKeyRefused,
  expectSizes,
  hasNotify,
  KEM_PLACES,
  kemLengths,
  kemOf,
  listPayloads,
  NOTIFY,
  type PeerRole,
  type Script,
  test,
  zeroKeyPair,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const CHECKS = ["MLKEM-09", "MLKEM-10", "MLKEM-11"];
const POLYNOMIAL = 256;
const SEED = 32;

/** The key with this coefficient, of 12 bits, at a place; a negative one counts from the end. */
function withCoefficient(key: Uint8Array, place: number, value: number): Uint8Array {
  const count = ((key.length - SEED) * 2) / 3;
  const index = place < 0 ? count + place : place;
  const at = Math.floor(index / 2) * 3;
  const out = key.slice();
  const [low, middle, high] = [out[at] ?? 0, out[at + 1] ?? 0, out[at + 2] ?? 0];
  const [first, second] =
    index % 2 === 0 ? [value, (middle >> 4) | (high << 4)] : [low | ((middle & 15) << 8), value];
  out.set([first & 255, (first >> 8) | ((second & 15) << 4), second >> 4], at);
  return out;
}

const ofLength = (key: Uint8Array, length: number): Uint8Array => {
  const out = new Uint8Array(length);
  out.set(key.subarray(0, length));
  return out;
};

const Q = 3329;

/** Keys that fail the type check of FIPS 203 section 7.2, made of a good one. */
const WRONG_LENGTHS = {
  "no-octets": (key: Uint8Array) => key.subarray(0, 0),
  "one-octet-less": (key: Uint8Array) => key.subarray(0, -1),
  "one-octet-more": (key: Uint8Array) => ofLength(key, key.length + 1),
  "65000-octets": (key: Uint8Array) => ofLength(key, 65_000),
  "a-smaller-set": () => kemOf("mlkem512").generate((octets) => new Uint8Array(octets).fill(7)).publicValue,
};

/** Keys that fail the modulus check. */
const WRONG_COEFFICIENTS = {
  "a-last-coefficient-of-3329": (key: Uint8Array) => withCoefficient(key, -1, Q),
  "a-last-coefficient-of-4095": (key: Uint8Array) => withCoefficient(key, -1, 4095),
  "nothing-but-ones": (key: Uint8Array) => key.map(() => 0xff),
};

/** The first ones of a polynomial and the last, in both halves of their three octets. */
const PLACES = [0, 1, POLYNOMIAL - 1, POLYNOMIAL, 2 * POLYNOMIAL + 1, -2];

/** The peer gets a key of ours that it must refuse, best with INVALID_SYNTAX. */
async function expectRefused(
  s: Script,
  peer: PeerRole,
  place: keyof typeof KEM_PLACES,
  set: string,
  spoil: (key: Uint8Array) => Uint8Array,
): Promise<void> {
  const response = await expectKeyRefused(s, peer, KEM_PLACES[place], set, spoil);
  if (hasNotify(response?.payloads ?? [], NOTIFY.INVALID_SYNTAX)) return;
  s.tolerate(`answers with ${listPayloads(response)}; section 2.2 recommends INVALID_SYNTAX`);
}

const inIntermediate = (set: string) => ({
  requirements: CHECKS,
  peer: "responder" as const,
  config: KEM_PLACES["ike-intermediate"].config(set),
});

for (const [what, spoil] of Object.entries(WRONG_LENGTHS)) {
  /**
   * The encapsulation key of ML-KEM-768 in the tester's IKE_INTERMEDIATE is one of ${what}. No KE payload comes back; a
   * right one serves the peer.
   */
  test(
    `refuses-a-key-of-${what}`,
    {
      ...inIntermediate("mlkem768"),
      lies: ["takes-any-encapsulation-key", "checks-no-length-of-keys"],
    },
    (s) => expectRefused(s, "responder", "ike-intermediate", "mlkem768", spoil),
  );
}

for (const [what, spoil] of Object.entries(WRONG_COEFFICIENTS)) {
  /** The same with a key of the right length and ${what}. */
  test(
    `refuses-a-key-with-${what}`,
    {
      ...inIntermediate("mlkem768"),
      lies: ["takes-any-encapsulation-key", "checks-no-coefficient"],
    },
    (s) => expectRefused(s, "responder", "ike-intermediate", "mlkem768", spoil),
  );
}

for (const place of PLACES) {
  /** The same with 3329 as coefficient number ${place}, counted from 0 or from the end. All others are as they should be. */
  test(
    `refuses-a-key-with-3329-as-coefficient-${place < 0 ? `${-place}-from-the-end` : place}`,
    {
      ...inIntermediate("mlkem768"),
      lies: [
        "checks-no-coefficient",
        ...(place < 0 || place >= POLYNOMIAL ? ["checks-the-first-polynomial-only"] : []),
      ],
    },
    (s) =>
      expectRefused(s, "responder", "ike-intermediate", "mlkem768", (key) => withCoefficient(key, place, Q)),
  );
}

/** What is tried in all places and with all sets. */
const BOTH_CHECKS = {
  "of-one-octet-less": { spoil: WRONG_LENGTHS["one-octet-less"], lies: ["checks-no-length-of-keys"] },
  "with-3329-at-its-end": {
    spoil: WRONG_COEFFICIENTS["a-last-coefficient-of-3329"],
    lies: ["checks-no-coefficient"],
  },
};

for (const [what, { spoil, lies }] of Object.entries(BOTH_CHECKS)) {
  for (const [name, set] of Object.entries({ "ml-kem-512": "mlkem512", "ml-kem-1024": "mlkem1024" })) {
    /** The same with the other sets, here a key of ${name} ${what}. */
    test(`refuses-a-key-of-${name}-${what}`, { ...inIntermediate(set), lies }, (s) =>
      expectRefused(s, "responder", "ike-intermediate", set, spoil),
    );
  }

  /** The same where ML-KEM-512 is the only key exchange of IKE_SA_INIT: a key ${what}. The answer comes in clear. */
  test(
    `refuses-a-key-${what}-in-ike-sa-init`,
    {
      requirements: CHECKS,
      peer: "responder",
      config: KEM_PLACES["ike-sa-init"].config("mlkem512"),
      lies,
    },
    (s) => expectRefused(s, "responder", "ike-sa-init", "mlkem512", spoil),
  );

  for (const peer of ROLES) {
    for (const place of ["create-child-sa", "ike-followup-ke"] as const) {
      /** The same for a Child SA: the tester's ML-KEM-768 key in ${place} is one ${what}. A new IKE SA then is set up as usual. */
      test(
        `refuses-a-key-${what}-in-${place}-as-${peer}`,
        {
          requirements: CHECKS,
          peer,
          config: KEM_PLACES[place].config("mlkem768"),
          lies,
        },
        (s) => expectRefused(s, peer, place, "mlkem768", spoil),
      );
    }
  }
}

for (const [name, set] of Object.entries({
  "ml-kem-512": "mlkem512",
  "ml-kem-768": "mlkem768",
  "ml-kem-1024": "mlkem1024",
})) {
  /**
   * The tester's key of ${name} has nothing but zeros. It has its right length, and each coefficient is reduced: it passes. Whoever
   * sees the ciphertext can read the message under it, and so the tester has the secret; both SAs come up.
   */
  test(`takes-a-key-of-zeros-of-${name}`, {
    ...inIntermediate(set),
    requirements: ["MLKEM-09", "MLKEM-01"],
    lies: ["refuses-the-zero-key"],
  }, async (s) => {
    const zeros = zeroKeyPair(set);
    s.extensions.push({
      name: "a key of zeros",
      keyPair: (make, _peerPublic, { id }) => (id === kemOf(set).id ? zeros : make()),
    });
    const session = await s.dial();
    expect(kemLengths(set).key, "octets of the key").to.equal(zeros.publicValue.length);
    expectSizes(s, "us", set, KEM_PLACES["ike-intermediate"].exchangeType);
    await session.proveTraffic();
  });
}
