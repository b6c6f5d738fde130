/** Lies about proposals and traffic selectors. */
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notify, payload } from "../../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type {
  Payload,
  Proposal,
  TrafficSelector,
  Transform,
  TsPayload,
} from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, eachPayload, inMessage, lastHostOnly } from "./tools.ts";

/** Two lies that change the SA payloads of responses: those for IKE SAs, and those for Child SAs. */
const choosesOddly = (
  name: string,
  breaks: string,
  effect: string,
  change: (chosen: Proposal) => Proposal[],
): Lie[] =>
  [PROTOCOL.IKE, PROTOCOL.ESP].map((protocolId) =>
    lie(`${name}-for-${protocolId === PROTOCOL.IKE ? "ike" : "esp"}`, breaks, effect, () => ({
      ike: {
        outgoing: (message) => {
          const alter = eachPayload("SA", (sa) => {
            sa.proposals = sa.proposals.flatMap((p) => (p.protocolId === protocolId ? change(p) : [p]));
          });
          if (message.isResponse) alter(message);
        },
      },
    })),
  );

const withKeyLength = (p: Proposal, bits: number): Proposal => ({
  ...p,
  transforms: p.transforms.map((t) => ({
    ...t,
    attributes: t.attributes.map((a) => ({ ...a, value: bits })),
  })),
});

const hasKeyOf256 = ({ attributes }: Transform): boolean => attributes.some((a) => a.value === 256);

const choices = [
  choosesOddly("picks-two-ciphers", "IKEV2-115", "two ENCR transforms in the chosen proposal", (p) => [
    { ...p, transforms: [...p.transforms.filter((t) => t.type === TRANSFORM.ENCR), ...p.transforms] },
  ]),
  choosesOddly("renumbers-its-choice", "IKEV2-241", "the chosen proposal is always number 1", (p) => [
    { ...p, number: 1 },
  ]),
  choosesOddly(
    "changes-the-key-length",
    "IKEV2-248",
    "Key Length of the chosen cipher becomes another",
    (p) => [withKeyLength(p, p.transforms.some(hasKeyOf256) ? 128 : 256)],
  ),
  choosesOddly("answers-with-two-proposals", "IKEV2-113", "the chosen proposal, and one more", (p) => [
    p,
    { ...p, number: p.number + 1 },
  ]),
].flat();

const carelessness = [
  decides("takes-the-first-proposal", "IKEV2-113", "accepts transforms it is not configured for", {
    "no acceptable proposal": "take the first",
  }),
  decides("accepts-any-choice", "IKEV2-249", "goes on with a choice it never offered", {
    "choice outside the offer": "accept",
  }),
  lie("misreads-odd-choices", "IKEV2-249", "a choice of odd form becomes one of AES-128", () => ({
    ike: {
      decide: { "choice outside the offer": "accept" },
      incoming: ({ isResponse, payloads }) => {
        const sa = isResponse ? payload(payloads, "SA") : undefined;
        const [first, second] = sa?.proposals ?? [];
        if (sa && first && (second || first.number > 1)) sa.proposals = [withKeyLength(first, 128)];
        return undefined;
      },
    },
  })),
];

/** A lie that changes the SA payloads of its requests. */
const offersOddly = (
  name: string,
  breaks: string,
  effect: string,
  change: (offered: Proposal) => Proposal,
): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      outgoing: (message) => {
        const alter = eachPayload("SA", (sa) => {
          sa.proposals = sa.proposals.map(change);
        });
        if (!message.isResponse) alter(message);
      },
    },
  }));

const HMAC_SHA2_256_128 = { type: TRANSFORM.INTEG, id: 12, attributes: [] };

const CHACHA20_POLY1305 = 28;
const ENCR_NULL = 11;

/** Changes the attributes of the ciphers that have a Key Length, or of those that have none. */
const attributes = (p: Proposal, change: (t: Transform) => Transform["attributes"]): Proposal => ({
  ...p,
  transforms: p.transforms.map((t) => (t.type === TRANSFORM.ENCR ? { ...t, attributes: change(t) } : t)),
});

const keysOfCiphers = [
  offersOddly("repeats-key-lengths", "IKEV2-240", "Key Length twice in every cipher", (p) =>
    attributes(p, (t) => [...t.attributes, ...t.attributes]),
  ),
  offersOddly("sends-key-lengths-in-the-long-format", "IKEV2-245", "Key Length as type, length, value", (p) =>
    attributes(p, (t) => t.attributes.map(({ type }) => ({ type, value: Uint8Array.of(1, 0) }))),
  ),
  offersOddly("gives-a-key-length-to-chacha20-poly1305", "IKEV2-310", "Key Length 256 for ChaCha20", (p) =>
    attributes(p, (t) => (t.id === CHACHA20_POLY1305 ? [{ type: 14, value: 256 }] : t.attributes)),
  ),
];

/** A transform added to the proposals for IKE SAs that have an integrity algorithm. */
const addsToIke = (name: string, effect: string, added: Transform): Lie =>
  offersOddly(name, "IKEV2-298", effect, (p) => {
    const ordinary = p.protocolId === PROTOCOL.IKE && p.transforms.some((t) => t.type === TRANSFORM.INTEG);
    return ordinary ? { ...p, transforms: [...p.transforms, added] } : p;
  });

const weakOffers = [
  addsToIke("offers-encr-null-for-the-ike-sa", "ENCR_NULL beside other ciphers of the IKE SA", {
    ...{ type: TRANSFORM.ENCR, id: ENCR_NULL, attributes: [] },
  }),
  addsToIke("offers-no-integrity-for-the-ike-sa", "the integrity NONE for the IKE SA", {
    ...{ type: TRANSFORM.INTEG, id: 0, attributes: [] },
  }),
];

const offers = [
  offersOddly("numbers-proposals-from-zero", "IKEV2-238", "Proposal Num 0, 1, ...", (p) => ({
    ...p,
    number: p.number - 1,
  })),
  offersOddly("adds-integrity-to-aead", "IKEV2-239", "an integrity transform in every proposal", (p) => {
    const has = p.transforms.some((t) => t.type === TRANSFORM.INTEG);
    return has ? p : { ...p, transforms: [...p.transforms, HMAC_SHA2_256_128] };
  }),
  offersOddly("omits-key-lengths", "IKEV2-152", "no Key Length for any cipher", (p) => ({
    ...p,
    transforms: p.transforms.map((t) => ({ ...t, attributes: [] })),
  })),
  lie(
    "shuffles-its-proposals",
    "IKEV2-236",
    "the second proposal of a request changes place with the third",
    () => ({
      ike: {
        outgoing: (message) => {
          const alter = eachPayload("SA", (sa) => {
            const [first, second, third, ...rest] = sa.proposals;
            if (!first || !second || !third) return;
            sa.proposals = [first, third, second, ...rest].map((p, i) => ({ ...p, number: i + 1 }));
          });
          if (!message.isResponse) alter(message);
        },
      },
    }),
  ),
  ...keysOfCiphers,
  ...weakOffers,
  lie(
    "sends-ke-of-an-unoffered-group",
    "IKEV2-254",
    "the KE payload's group is not in the SA payload",
    () => ({
      ike: {
        outgoing: (message) => {
          const alter = eachPayload("KE", (ke) => {
            ke.group = 5;
          });
          if (!message.isResponse) alter(message);
        },
      },
    }),
  ),
  lie("sends-ke-without-a-group", "IKEV2-255", "a KE payload in every request for a Child SA", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.CREATE_CHILD_SA,
        ({ payloads }) => {
          if (payload(payloads, "KE")) return;
          payloads.push({ kind: "KE", type: PAYLOAD.KE, group: 31, data: new Uint8Array(32).fill(9) });
        },
        "request",
      ),
    },
  })),
  decides(
    "refuses-proposals-with-unknown-transforms",
    "IKEV2-251",
    "one unknown transform spoils its proposal",
    {
      "unknown transform": "refuse proposal",
    },
  ),
  decides(
    "overlooks-unknown-transform-types",
    "IKEV2-250",
    "accepts a proposal without its unknown transform",
    {
      "unknown transform type": "ignore",
    },
  ),
  decides(
    "supplies-missing-transforms",
    "IKEV2-250",
    "adds its own transform where a mandatory type is missing",
    {
      "missing mandatory transform": "take own",
    },
  ),
  decides("supplies-missing-key-lengths", "IKEV2-246", "takes AES without Key Length for its own AES", {
    "missing Key Length": "take own",
  }),
];

const isUnknown = (ts: TrafficSelector): boolean => ts.tsType !== 7 && ts.tsType !== 8;

const isTs = (p: Payload): p is TsPayload => p.kind === "TS";

const EVERYTHING: TrafficSelector = {
  ...{ tsType: 7, ipProtocol: 0, startPort: 0, endPort: 65535 },
  ...{ startAddress: Uint8Array.of(0, 0, 0, 0), endAddress: Uint8Array.of(255, 255, 255, 255) },
};

/** A lie that changes the TSi and TSr of its responses. */
const answersSelectors = (
  name: string,
  breaks: string,
  effect: string,
  change: (ts: TsPayload, message: OutgoingMessage) => void,
): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      outgoing: (message) => {
        if (!message.isResponse) return;
        for (const ts of message.payloads.filter(isTs)) change(ts, message);
      },
    },
  }));

const selectors = [
  answersSelectors(
    "answers-with-wider-selectors",
    "IKEV2-140",
    "TSi and TSr of a response are everything",
    (ts) => {
      ts.selectors = [EVERYTHING];
    },
  ),
  answersSelectors(
    "answers-with-empty-selectors",
    "IKEV2-140",
    "TSi and TSr of a response are empty",
    (ts) => {
      ts.selectors = [];
    },
  ),
  answersSelectors("leaves-the-first-selectors-out", "IKEV2-139", "only the last host is left", lastHostOnly),
  answersSelectors(
    "echoes-unknown-selectors",
    "IKEV2-136",
    "selectors of unknown type come back",
    (ts, { request }) => {
      const offered = request?.payloads.filter(isTs).find((p) => p.type === ts.type)?.selectors ?? [];
      ts.selectors = [...ts.selectors, ...offered.filter(isUnknown)];
    },
  ),
  lie(
    "refuses-unknown-selectors",
    "IKEV2-136",
    "TS_UNACCEPTABLE where an unknown selector stands beside others",
    () => ({
      ike: {
        outgoing: (message) => {
          const offered = message.request?.payloads.filter(isTs).flatMap((p) => p.selectors) ?? [];
          if (!message.isResponse || !offered.some(isUnknown)) return;
          const kept = message.payloads.filter((p) => p.kind !== "SA" && p.kind !== "TS");
          message.payloads = [...kept, notify(NOTIFY.TS_UNACCEPTABLE)];
        },
      },
    }),
  ),
  decides("answers-foreign-selectors-with-its-own", "IKEV2-138", "its own selectors, whatever was offered", {
    "unacceptable TS": "take own",
  }),
  decides("takes-all-selectors", "IKEV2-138", "accepts selectors it is not configured for", {
    "unacceptable TS": "take all",
  }),
  decides("takes-wider-selectors-in-an-answer", "IKEV2-141", "installs selectors wider than it offered", {
    "TS outside the offer": "accept",
  }),
  lie("narrows-a-child-sa-by-rekeying", "IKEV2-144", "a new Child SA is for one host each", () => ({
    ike: { outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, eachPayload("TS", lastHostOnly), "response") },
  })),
];

export const negotiationLies: readonly Lie[] = [...choices, ...carelessness, ...offers, ...selectors];
