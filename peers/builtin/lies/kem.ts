/** Lies about key encapsulation: ML-KEM (draft-ietf-ipsecme-ikev2-mlkem) and FrodoKEM. */
import { shake } from "../../../harness/crypto/shake.ts";
import type { Ke, KeyPair } from "../../../harness/crypto/types.ts";
import { isAdditional } from "../../../harness/ike/additional-ke.ts";
import { concat, EMPTY, equal } from "../../../harness/wire/bytes.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Payload, Proposal } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { decides } from "./tools.ts";

/** A method with both ends, which only KEMs have. */
type KemMethod = Ke & Required<Pick<Ke, "respond" | "responseLength">>;

const isKem = (method: Ke): method is KemMethod =>
  method.respond !== undefined && method.responseLength !== undefined;

/** Changes the end of a KEM that sends the key, the end that answers with the ciphertext, or both. */
interface Ends {
  initiator?(pair: KeyPair, method: KemMethod): KeyPair;
  responder?(pair: KeyPair, method: KemMethod, key: Uint8Array): KeyPair;
}

const atEnds = ({ initiator, responder }: Ends): LieBehaviour => ({
  ike: {
    keyPair: (make, peerPublic, method) => {
      const pair = make();
      if (!isKem(method)) return pair;
      const changed = peerPublic ? responder?.(pair, method, peerPublic) : initiator?.(pair, method);
      return changed ?? pair;
    },
  },
});

const bothEnds = (change: (pair: KeyPair, method: KemMethod) => KeyPair): LieBehaviour =>
  atEnds({ initiator: change, responder: change });

const withValue = (pair: KeyPair, change: (value: Uint8Array) => Uint8Array): KeyPair => ({
  ...pair,
  publicValue: change(pair.publicValue),
});

const withSecret = (pair: KeyPair, change: (secret: Uint8Array) => Uint8Array): KeyPair => ({
  ...pair,
  derive: (peer) => {
    const secret = pair.derive(peer);
    return secret instanceof Uint8Array ? change(secret) : secret;
  },
});

/** What is too short gets zeros at its end, what is too long loses its end. */
const fitted = (value: Uint8Array, length: number): Uint8Array =>
  concat(value.subarray(0, length), new Uint8Array(Math.max(0, length - value.length)));

const SEED = 32;
const Q = 3329;

/** Every coefficient of an ML-KEM encapsulation key modulo q, from an octet on. */
function reduced(key: Uint8Array, from = 0): Uint8Array {
  const out = key.slice();
  for (let at = from; at + 3 <= key.length - SEED; at += 3) {
    const [a, b, c] = [out[at] ?? 0, out[at + 1] ?? 0, out[at + 2] ?? 0];
    const [first, second] = [(a | ((b & 15) << 8)) % Q, ((b >> 4) | (c << 4)) % Q];
    out.set([first & 255, (first >> 8) | ((second & 15) << 4), second >> 4], at);
  }
  return out;
}

/** Encapsulates to another key than the one that came, if that was refused. */
const takingKeys = (mend: (key: Uint8Array, method: KemMethod) => Uint8Array): LieBehaviour =>
  atEnds({
    responder: (pair, method, key) =>
      pair.publicValue.length > 0
        ? pair
        : method.respond((octets) => shake("shake256", octets, key), mend(key, method)),
  });

/** Octets of one polynomial of the key. */
const POLYNOMIAL = 384;

const keyLies = [
  lie(
    "takes-any-encapsulation-key",
    "MLKEM-09",
    "cuts, fills up and reduces keys instead of refusing them",
    () => takingKeys((key, { publicLength }) => reduced(fitted(key, publicLength))),
  ),
  lie("checks-no-coefficient", "MLKEM-09", "looks at the length of an encapsulation key alone", () =>
    takingKeys((key) => reduced(key)),
  ),
  lie("checks-the-first-polynomial-only", "MLKEM-09", "takes bad coefficients behind the first 256", () =>
    takingKeys((key) => reduced(key, POLYNOMIAL)),
  ),
  lie("checks-no-length-of-keys", "MLKEM-09", "cuts and fills up keys instead of refusing them", () =>
    takingKeys((key, { publicLength }) =>
      key.length === publicLength ? key : reduced(fitted(key, publicLength)),
    ),
  ),
  lie("refuses-the-zero-key", "MLKEM-09", "refuses an encapsulation key that passes the checks", () =>
    atEnds({
      responder: (pair, { name }, key) =>
        key.some((octet) => octet !== 0) ? pair : refusing(`${name}: a key of zeros`),
    }),
  ),
  lie("keeps-its-kem-key", "MLKEM-16", "one key pair for all exchanges of a method", () => {
    const kept = new Map<number, KeyPair>();
    return atEnds({
      initiator: (pair, { id }) => {
        const own = kept.get(id) ?? pair;
        kept.set(id, own);
        return own;
      },
    });
  }),
  lie("repeats-encapsulation-randomness", "MLKEM-17", "the same randomness for every ciphertext", () =>
    atEnds({ responder: (_pair, { respond }, key) => respond((octets) => new Uint8Array(octets), key) }),
  ),
];

const refusing = (reason: string): KeyPair => ({
  publicValue: EMPTY,
  derive: () => ({ error: "range", reason }),
});

/** Octets that a key pair is made of: those that FrodoKEM draws first, and the last 32 of ML-KEM, make a bad secret. */
const MOST_SEED = 112;

/** A key pair of our own, of which we know what it makes of a ciphertext that does not fit. */
function wary({ publicValue }: KeyPair, { generate, publicLength, sharedLength }: KemMethod): KeyPair {
  const seed = shake("shake256", MOST_SEED, publicValue);
  let drawn = 0;
  const own = generate((octets) => {
    drawn += octets;
    return seed.subarray(drawn - octets, drawn);
  });
  const rejected = (ciphertext: Uint8Array): Uint8Array[] => [
    shake("shake256", sharedLength, seed.subarray(SEED, 2 * SEED), ciphertext),
    shake(
      publicLength < 10_000 ? "shake128" : "shake256",
      sharedLength,
      ciphertext,
      seed.subarray(0, sharedLength),
    ),
  ];
  return {
    ...own,
    derive: (ciphertext) => {
      const secret = own.derive(ciphertext);
      const bad = secret instanceof Uint8Array && rejected(ciphertext).some((r) => equal(r, secret));
      return bad ? { error: "range", reason: "the ciphertext was altered" } : secret;
    },
  };
}

const isDeleteOfIke = (p: Payload): boolean => p.kind === "Delete" && p.protocolId === PROTOCOL.IKE;

const ciphertextLies = [
  lie("takes-any-ciphertext", "MLKEM-12", "cuts and fills up ciphertexts instead of refusing them", () =>
    atEnds({
      initiator: (pair, { responseLength }) => ({
        ...pair,
        derive: (ciphertext) => pair.derive(fitted(ciphertext, responseLength)),
      }),
    }),
  ),
  lie("reports-altered-ciphertexts", "MLKEM-15", "refuses what implicit rejection is for", () =>
    atEnds({ initiator: wary }),
  ),
  lie("goes-without-deleting-the-ike-sa", "MLKEM-14", "sends no Delete of an IKE SA", () => ({
    ike: {
      outgoing: (message) => {
        if (!message.isResponse && message.payloads.some(isDeleteOfIke)) message.octets = () => [];
      },
    },
  })),
];

const formatLies = [
  lie(
    "puts-the-end-of-its-kem-values-first",
    "MLKEM-01",
    "rho | t for t | rho, and c2 | c1 for c1 | c2",
    () =>
      bothEnds((pair) => withValue(pair, (value) => concat(value.subarray(-SEED), value.subarray(0, -SEED)))),
  ),
  lie("puts-a-length-behind-its-kem-values", "MLKEM-03", "two octets more than the table says", () =>
    bothEnds((pair) =>
      withValue(pair, (value) => concat(value, Uint8Array.of(value.length >> 8, value.length & 255))),
    ),
  ),
  lie("numbers-ml-kem-as-once", "MLKEM-04", "35 for ML-KEM-768 and 36 for ML-KEM-1024", () => ({
    policy: (policy) => {
      policy.keIds = new Map([...(policy.keIds ?? []), [35, 36], [36, 37], [37, 35]]);
    },
  })),
  lie("pads-the-secrets-of-kems", "MLKEM-05", "64 octets of shared secret, the last of them zeros", () =>
    bothEnds((pair) => withSecret(pair, (secret) => fitted(secret, 64))),
  ),
  lie(
    "leaves-kem-secrets-out-of-rekeyed-keys",
    "MLKEM-21",
    "fresh SAs depend on SK_d and nonces alone",
    () => ({
      ike: {
        ikeKeys: (inputs) => {
          if (inputs.replaces) Object.assign(inputs, { sharedSecret: EMPTY, further: [] });
        },
        childKeys: (inputs) => {
          Object.assign(inputs, { sharedSecret: undefined, further: [] });
        },
      },
    }),
  ),
];

const withoutMlKem = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.filter(({ type }) => !isAdditional(type)),
});

/** Swaps types 6 and 7. */
const swapped = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.map((t) => {
    const type = t.type === TRANSFORM.ADDKE1 ? TRANSFORM.ADDKE2 : TRANSFORM.ADDKE1;
    return t.type === TRANSFORM.ADDKE1 || t.type === TRANSFORM.ADDKE2 ? { ...t, type } : t;
  }),
});

function swapIn(payloads: Payload[]): void {
  for (const p of payloads) if (p.kind === "SA") p.proposals = p.proposals.map(swapped);
}

const negotiationLies = [
  lie(
    "settles-for-less-than-ml-kem",
    "MLKEM-19",
    "offers and takes proposals without ML-KEM as well",
    () => ({
      policy: (policy) => {
        policy.ike = [...policy.ike, ...policy.ike.map(withoutMlKem)].map((p, i) => ({
          ...p,
          number: i + 1,
        }));
      },
    }),
  ),
  decides("takes-a-choice-without-ml-kem", "MLKEM-20", "goes on without what it offered", {
    "choice outside the offer": "accept",
  }),
  decides(
    "takes-the-kem-value-of-another-method",
    "FRODO-15",
    "does not look at the method of a KE payload",
    {
      "additional key exchange of another method": "accept",
    },
  ),
  lie("does-the-second-kem-first", "FRODO-09", "takes ADDKE2 for ADDKE1", () => ({
    policy: (policy) => {
      policy.ike = policy.ike.map(swapped);
    },
    ike: {
      incoming: ({ payloads }) => {
        swapIn(payloads);
        return undefined;
      },
      outgoing: ({ payloads }) => swapIn(payloads),
    },
  })),
];

const fragmentLies = [
  lie("collects-eight-fragments-at-most", "FRODO-10", "drops longer series", () => ({
    fragmentation: { maxFragments: 8 },
  })),
  lie("sends-long-messages-whole", "FRODO-10", "announces fragmentation, and does not use it", () => ({
    fragmentation: { chunk: Number.POSITIVE_INFINITY },
  })),
  lie(
    "leaves-kem-messages-out-of-auth",
    "FRODO-11",
    "AUTH covers the number of the rounds, not their messages",
    () => ({
      ike: {
        authOctets: (inputs) => {
          if (inputs.IntAuth) inputs.IntAuth = inputs.IntAuth.slice(-4);
        },
      },
    }),
  ),
];

export const kemLies: readonly Lie[] = [
  ...keyLies,
  ...ciphertextLies,
  ...formatLies,
  ...negotiationLies,
  ...fragmentLies,
];
