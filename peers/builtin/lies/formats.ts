/** Lies about what messages and their payloads hold: sections 2.22, 3.1 to 3.14 and 4, RFC 5282, RFC 8031. */
import type { IkeKeys } from "../../../harness/crypto/keys.ts";
import type { KeyPair } from "../../../harness/crypto/types.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify, payload } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { encrTransforms } from "../../../harness/wire/registry/encr.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Payload, Proposal, TrafficSelector, Transform } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { eachPayload, inMessage } from "./tools.ts";

const HMAC_SHA2_256_128: Transform = { type: TRANSFORM.INTEG, id: 12, attributes: [] };

const isInteg = ({ type }: Transform): boolean => type === TRANSFORM.INTEG;
const isAead = ({ type, id }: Transform): boolean =>
  type === TRANSFORM.ENCR && encrTransforms.get(id)?.aead === true;

/** Changes the proposals of CREATE_CHILD_SA requests before the core sees them. */
const readsOffers = (change: (p: Proposal) => Proposal[]): NonNullable<LieBehaviour["ike"]> => ({
  incoming: ({ header, isResponse, payloads }) => {
    const sa = payload(payloads, "SA");
    if (sa && !isResponse && header.exchangeType === EXCHANGE.CREATE_CHILD_SA)
      sa.proposals = sa.proposals.flatMap(change);
    return undefined;
  },
});

const withInteg = (p: Proposal): Proposal => ({
  ...p,
  transforms: [...p.transforms.filter((t) => !isInteg(t)), HMAC_SHA2_256_128],
});

const proposals = [
  lie("refuses-proposals-with-a-none-transform", "IKEV2-243", "no choice with a transform of id 0", () => ({
    ike: readsOffers((p) => {
      const none = p.transforms.some(({ type, id }) => type !== TRANSFORM.SN && id === 0);
      return none ? [{ ...p, transforms: [{ type: TRANSFORM.ENCR, id: 1023, attributes: [] }] }] : [p];
    }),
  })),
  lie(
    "answers-with-ke-beside-group-none",
    "IKEV2-252",
    "KE in the answer although no group is chosen",
    () => ({
      ike: {
        outgoing: inMessage(
          EXCHANGE.CREATE_CHILD_SA,
          ({ payloads, request }) => {
            const ke = payload(request?.payloads ?? [], "KE");
            if (ke && payload(payloads, "SA") && !payload(payloads, "KE")) payloads.push(ke);
          },
          "response",
        ),
      },
    }),
  ),
  lie("takes-integrity-none-for-its-own", "IKEV2-298", "reads an integrity of NONE as HMAC-SHA2-256", () => ({
    ike: readsOffers((p) => [p.transforms.some((t) => isInteg(t) && t.id === 0) ? withInteg(p) : p]),
  })),
  lie(
    "pairs-aead-with-integrity",
    "IKEV2-308",
    "chooses the integrity algorithm beside an AEAD cipher",
    () => ({
      ike: {
        ...readsOffers((p) => [
          p.transforms.some(isAead) ? { ...p, transforms: p.transforms.filter((t) => !isInteg(t)) } : p,
        ]),
        outgoing: inMessage(
          EXCHANGE.CREATE_CHILD_SA,
          eachPayload("SA", (sa) => {
            sa.proposals = sa.proposals.map((p) => (p.transforms.some(isAead) ? withInteg(p) : p));
          }),
          "response",
        ),
      },
    }),
  ),
];

const PRIVATE_ALGORITHM = 242;

/** Compresses from the moment on when the tester spoke of IPComp. */
function compressesUnasked(): LieBehaviour {
  let spoken = false;
  return {
    ike: {
      incoming: ({ payloads }) => {
        spoken ||= hasNotify(payloads, NOTIFY.IPCOMP_SUPPORTED);
        return undefined;
      },
    },
    esp: {
      outgoing: (packet) => {
        if (spoken) packet.nextHeader = 108;
      },
    },
  };
}

const ipcomp = [
  lie("accepts-ipcomp-that-nobody-offered", "IKEV2-201", "IPCOMP_SUPPORTED with another algorithm", () => ({
    ike: {
      outgoing: ({ payloads, request }) => {
        if (!hasNotify(request?.payloads ?? [], NOTIFY.IPCOMP_SUPPORTED)) return;
        payloads.unshift(notify(NOTIFY.IPCOMP_SUPPORTED, Uint8Array.of(0x71, 0, PRIVATE_ALGORITHM)));
      },
    },
  })),
  lie("compresses-unasked", "IKEV2-201", "ESP with IPComp inside that was not accepted", compressesUnasked),
];

const isOptional = ({ kind }: Payload): boolean => kind === "CERT" || kind === "CERTREQ" || kind === "EAP";

const protectedOnes = ({ header }: OutgoingMessage): boolean =>
  header.exchangeType === EXCHANGE.INFORMATIONAL;

/** The 256 addresses about the first one. */
function network({ startAddress: first }: TrafficSelector): Partial<TrafficSelector> {
  const [startAddress, endAddress] = [first.slice(), first.slice()];
  startAddress[first.length - 1] = 0;
  endAddress[first.length - 1] = 255;
  return { startAddress, endAddress };
}

const payloads = [
  lie("nests-sk-payloads", "IKEV2-231", "an SK payload inside of SK", () => ({
    ike: {
      outgoing: (message) => {
        const sk: Payload = { kind: "raw", type: PAYLOAD.SK, data: new Uint8Array(48).fill(0x5c) };
        if (protectedOnes(message)) message.payloads.push(sk);
      },
    },
  })),
  lie("sends-a-critical-vendor-id", "IKEV2-275", "a Vendor ID with the C bit in IKE_SA_INIT", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_SA_INIT, (message) => {
        const data = new TextEncoder().encode("changes what the core means");
        message.payloads.push({ kind: "VendorID", type: PAYLOAD.VENDOR_ID, critical: true, data });
      }),
    },
  })),
  lie(
    "repeats-its-nonce-in-create-child-sa",
    "IKEV2-267",
    "one nonce for all CREATE_CHILD_SA messages",
    () => ({
      policy: (policy) => {
        policy.nonce = () => new Uint8Array(32).fill(0x11);
      },
    }),
  ),
  lie("drops-selectors-with-reserved-octets", "IKEV2-277", "no answer to reserved octets of TS", () => ({
    ike: {
      incoming: (message) =>
        message.payloads.some((p) => p.kind === "TS" && p.reserved3 !== undefined) ? "drop" : undefined,
    },
  })),
  lie(
    "sets-reserved-octets-of-selectors",
    "IKEV2-277",
    "reserved octets of TSi and TSr are not zero",
    () => ({
      ike: {
        outgoing: eachPayload("TS", (ts) => {
          ts.reserved3 = 1;
        }),
      },
    }),
  ),
  lie("offers-a-network-in-transport-mode", "IKEV2-214", "TSi of requests is for 256 addresses", () => ({
    ike: {
      outgoing: ({ isResponse, payloads: sent }) => {
        const tsi = payload(sent, "TS", PAYLOAD.TSi);
        if (isResponse || !tsi) return;
        tsi.selectors = tsi.selectors.map((s) => ({ ...s, ...network(s) }));
      },
    },
  })),
  lie("ends-its-selectors-at-port-zero", "IKEV2-278", "any protocol with the ports 0 to 0", () => ({
    ike: {
      outgoing: eachPayload("TS", (ts) => {
        ts.selectors = ts.selectors.map((s) => ({ ...s, endPort: 0 }));
      }),
    },
  })),
  lie("drops-certificates-and-eap-by-type", "IKEV2-294", "no answer to types that it has no use for", () => ({
    ike: {
      incoming: ({ header, payloads: came }) => {
        const odd = header.exchangeType === EXCHANGE.INFORMATIONAL && came.some(isOptional);
        return odd ? "drop" : undefined;
      },
    },
  })),
];

/** Neither begins an IKE SA nor answers one any more. */
function startsNothing(): LieBehaviour {
  let told = false;
  const isInit = ({ header }: { header: OutgoingMessage["header"] }) =>
    header.exchangeType === EXCHANGE.IKE_SA_INIT;
  return {
    ike: {
      incoming: (message) => {
        told ||= hasNotify(message.payloads, NOTIFY.NO_ADDITIONAL_SAS);
        return told && isInit(message) ? "drop" : undefined;
      },
      outgoing: (message) => {
        if (told && isInit(message)) message.octets = () => [];
      },
    },
  };
}

const SALT = 3;

/** Replaces the last octets of both encryption keys, which are the salts of AEAD ciphers. */
function zeroSalts({ suite }: IkeSa, keys: IkeKeys): void {
  for (const key of [keys.SK_ei, keys.SK_er]) if (suite?.encr.aead !== false) key.fill(0, key.length - SALT);
}

/** Whether an X25519 value is less than the prime 2^255 - 19. */
const isCanonical = (value: Uint8Array): boolean =>
  (value[31] ?? 0) < 0x7f || ((value[31] ?? 0) === 0x7f && (value[0] ?? 0) < 0xed);

function insistsOnCanonical(make: () => KeyPair): KeyPair {
  const pair = make();
  return {
    ...pair,
    derive: (value) =>
      value.length === 32 && !isCanonical(value)
        ? { error: "range", reason: "the value is not canonical" }
        : pair.derive(value),
  };
}

const keys = [
  lie(
    "starts-nothing-after-no-additional-sas",
    "IKEV2-296",
    "no new IKE SA once it was refused one",
    startsNothing,
  ),
  lie("takes-a-salt-of-zeros", "IKEV2-306", "the salt is not part of SK_e", () => ({
    ike: { afterIkeKeys: zeroSalts },
  })),
  lie("insists-on-canonical-x25519-values", "IKEV2-317", "refuses X25519 values beyond the prime", () => ({
    ike: { keyPair: insistsOnCanonical },
  })),
];

export const formatLies: readonly Lie[] = [...proposals, ...ipcomp, ...payloads, ...keys];
