/** Lies about CREATE_CHILD_SA and Delete. */
import type { ChildSa } from "../../../harness/ike/child.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notifies, payload } from "../../../harness/ike/payloads.ts";
import { equal } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import type { Proposal } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { decides, eachPayload, inMessage, lastHostOnly, without } from "./tools.ts";

/** Whoever began: the request tells what is whose. */
function withSelectorsOfFirst({ sa, payloads }: OutgoingMessage): void {
  const [first] = sa?.children ?? [];
  if (!first) return;
  for (const p of payloads)
    if (p.kind === "TS") p.selectors = p.type === PAYLOAD.TSi ? first.remoteTs : first.localTs;
}

const childSas = [
  lie(
    "keys-new-child-sas-with-the-first-nonces",
    "IKEV2-173",
    "KEYMAT of a new Child SA takes old nonces",
    () => ({
      ike: {
        childKeys: (inputs) => {
          inputs.Ni = inputs.sa.Ni;
          inputs.Nr = inputs.sa.Nr;
        },
      },
    }),
  ),
  lie("keeps-the-old-keys-after-a-rekey", "IKEV2-173", "a new Child SA has the keys of the old one", () => ({
    ike: {
      childEstablished: (child) => {
        const { keysIn, keysOut } = child.replaces ?? child;
        Object.assign(child, { keysIn, keysOut });
      },
    },
  })),
  lie(
    "answers-with-another-child-sa",
    "IKEV2-140",
    "the selectors of its first Child SA, whatever is asked",
    () => ({
      ike: { outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, withSelectorsOfFirst, "response") },
    }),
  ),
  decides("leaves-g-ir-out-of-keymat", "IKEV2-174", "PFS on the wire only", {
    "key exchange in CREATE_CHILD_SA": "leave out of KEYMAT",
  }),
  lie("omits-rekey-sa", "IKEV2-031", "a rekey that looks like a new Child SA", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.REKEY_SA,
        );
      }),
    },
  })),
  lie(
    "names-its-outbound-spi-in-rekey-sa",
    "IKEV2-032",
    "REKEY_SA has the SPI of the other direction",
    () => ({
      ike: {
        outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, ({ sa, payloads }) => {
          for (const rekey of notifies(payloads, NOTIFY.REKEY_SA)) {
            rekey.spi = sa?.children.find((c) => equal(c.spiIn, rekey.spi))?.spiOut ?? rekey.spi;
          }
        }),
      },
    }),
  ),
  lie(
    "offers-less-traffic-in-a-rekey",
    "IKEV2-145",
    "TSi and TSr of a rekey request are one host each",
    () => ({
      ike: { outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, eachPayload("TS", lastHostOnly), "request") },
    }),
  ),
  decides("keeps-the-replaced-child-sa", "IKEV2-130", "no Delete of the SA it replaced", {
    "replaced Child SA": "keep",
  }),
  lie(
    "drops-a-child-sa-once-replaced",
    "IKEV2-125",
    "forgets the keys of the old SA at the new one's start",
    () => ({
      ike: {
        childEstablished: ({ replaces }) => {
          if (replaces) replaces.keysIn.encr.fill(0);
        },
      },
    }),
  ),
  lie("misses-the-first-esp-packet", "IKEV2-123", "the first packet of every Child SA is lost", () => ({
    esp: {
      incoming: (result) =>
        result.ok && result.sequence === 1n ? { ok: false, reason: "spi", detail: "not ready yet" } : result,
    },
  })),
];

/** Changes the proposals of IKE rekeys: in requests or in responses. */
const inIkeRekey = (
  which: "request" | "response",
  change: (message: OutgoingMessage, proposals: Proposal[]) => void,
): LieBehaviour => ({
  ike: {
    outgoing: inMessage(
      EXCHANGE.CREATE_CHILD_SA,
      (message) => {
        const proposals = payload(message.payloads, "SA")?.proposals;
        if (proposals?.[0]?.protocolId === PROTOCOL.IKE) change(message, proposals);
      },
      which,
    ),
  },
});

const ikeSas = [
  lie(
    "keys-new-ike-sas-with-the-old-spis",
    "IKEV2-155",
    "prf+ of an IKE rekey takes the SPIs of the old SA",
    () => ({
      ike: {
        ikeKeys: (inputs) => {
          if (inputs.replaces)
            Object.assign(inputs, { spiI: inputs.replaces.spiI, spiR: inputs.replaces.spiR });
        },
      },
    }),
  ),
  decides(
    "makes-skeyseed-of-a-rekey-with-the-new-prf",
    "IKEV2-176",
    "SKEYSEED of a rekeyed IKE SA comes of the PRF of the new one",
    { "PRFs of an IKE rekey": "the new one" },
  ),
  decides(
    "expands-the-keys-of-a-rekey-with-the-old-prf",
    "IKEV2-176",
    "prf+ of an IKE rekey is with the PRF of the old IKE SA",
    { "PRFs of an IKE rekey": "the old one" },
  ),
  decides("counts-on-in-a-new-ike-sa", "IKEV2-027", "Message IDs of a new IKE SA go on from the old one's", {
    "message ids of a rekeyed IKE SA": "go on",
  }),
  decides("drops-child-sas-in-an-ike-rekey", "IKEV2-120", "the new IKE SA has no Child SAs", {
    "Child SAs of a replaced IKE SA": "drop",
  }),
  lie("keeps-its-spi-in-an-ike-rekey", "IKEV2-025", "the response's proposal has the old SPI", () =>
    inIkeRekey("response", ({ sa }, proposals) => {
      for (const p of proposals) p.spi = sa?.ownSpi ?? p.spi;
    }),
  ),
  lie("leaves-ke-out-of-an-ike-rekey", "IKEV2-024", "no KE payload in the request of an IKE rekey", () =>
    inIkeRekey("request", (message) => without(PAYLOAD.KE)(message)),
  ),
  lie(
    "sends-a-short-spi-in-an-ike-rekey",
    "IKEV2-025",
    "an SPI of 4 octets in the request of an IKE rekey",
    () =>
      inIkeRekey("request", (_, proposals) => {
        for (const p of proposals) p.spi = p.spi.slice(4);
      }),
  ),
  decides("keeps-the-replaced-ike-sa", "IKEV2-121", "no Delete of the IKE SA it replaced", {
    "replaced IKE SA": "keep",
  }),
  lie(
    "keys-child-sas-with-an-old-sk-d",
    "IKEV2-176",
    "KEYMAT takes SK_d of the IKE SA before the last rekey",
    () => ({
      ike: {
        childKeys: (inputs) => {
          inputs.SK_d = inputs.sa.replaces?.keys?.SK_d ?? inputs.SK_d;
        },
      },
    }),
  ),
  decides("rekeys-the-ike-sa-without-key-exchange", "IKEV2-175", "a new IKE SA from nonces alone", {
    "IKE rekey without key exchange": "accept",
    "no acceptable proposal": "take the first",
  }),
];

const collisions = [
  lie("asks-again-at-once", "IKEV2-218", "no pause after TEMPORARY_FAILURE", () => ({
    policy: (policy) => {
      policy.retry = { tries: 50, waitMs: 0 };
    },
  })),
  lie("ends-the-ike-sa-on-a-late-rekey", "IKEV2-131", "REKEY_SA of a Child SA that is gone is fatal", () => ({
    ike: {
      incoming: ({ sa, isResponse, payloads }) => {
        const [rekey] = isResponse ? [] : notifies(payloads, NOTIFY.REKEY_SA);
        if (!sa || !rekey || sa.children.some((c) => equal(c.spiOut, rekey.spi))) return undefined;
        sa.state = "closed";
        return "drop";
      },
    },
  })),
  lie("hears-one-of-two-new-child-sas", "IKEV2-128", "drops ESP on the second SA of a crossing rekey", () => {
    const replaced = new Set<ChildSa>();
    const childEstablished = ({ replaces, keysIn }: ChildSa) => {
      if (!replaces) return;
      if (replaced.has(replaces)) keysIn.encr.fill(0);
      replaced.add(replaces);
    };
    return { ike: { childEstablished } };
  }),
  lie("names-another-spi-in-child-sa-not-found", "IKEV2-220", "the SPI of REKEY_SA is not copied", () => ({
    ike: {
      outgoing: ({ payloads }) => {
        for (const error of notifies(payloads, NOTIFY.CHILD_SA_NOT_FOUND))
          error.spi = Uint8Array.of(1, 2, 3, 4);
      },
    },
  })),
  decides(
    "drops-the-ike-sa-on-a-refused-child-sa",
    "IKEV2-023",
    "an error in CREATE_CHILD_SA ends the IKE SA",
    {
      "Child SA failure in CREATE_CHILD_SA": "fail the IKE SA",
    },
  ),
];

export const rekeyingLies: readonly Lie[] = [...childSas, ...ikeSas, ...collisions];
