/** Lies in IKE_SA_INIT and IKE_AUTH. */
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, payload } from "../../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { NotifyPayload, Proposal } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { eachPayload, inMessage, without } from "./tools.ts";

type Change = (message: OutgoingMessage) => void;

/** Changes every notify of this type. */
export const eachNotify = (notifyType: number, change: (notify: NotifyPayload) => void): Change =>
  eachPayload("Notify", (n) => {
    if (n.notifyType === notifyType) change(n);
  });

const inInit = (change: Change, which?: "request" | "response"): Change =>
  inMessage(EXCHANGE.IKE_SA_INIT, change, which);

/** Adds MODP-2048 to every proposal. */
const addGroup = (proposals: Proposal[]): Proposal[] =>
  proposals.map((p) => ({
    ...p,
    transforms: [...p.transforms, { type: TRANSFORM.KE, id: 14, attributes: [] }],
  }));

/** In a repeated request, keeps of every proposal only the group of the KE payload. */
function narrowOffer(): Change {
  let requests = 0;
  return (message) => {
    const group = payload(message.payloads, "KE")?.group;
    if (++requests === 1) return;
    eachPayload("SA", (sa) => {
      sa.proposals = sa.proposals.map((p) => ({
        ...p,
        transforms: p.transforms.filter((t) => t.type !== TRANSFORM.KE || t.id === group),
      }));
    })(message);
  };
}

/** Draws a new nonce for the request that carries the cookie. */
const renewNonce: Change = (message) => {
  const nonce = payload(message.payloads, "Nonce");
  if (!nonce || !message.sa || !hasNotify(message.payloads, NOTIFY.COOKIE)) return;
  nonce.data = nonce.data.map((octet) => octet ^ 0xff);
  message.sa.Ni = nonce.data;
};

const cookieLast: Change = (message) => {
  const isCookie = (p: OutgoingMessage["payloads"][number]) =>
    p.kind === "Notify" && p.notifyType === NOTIFY.COOKIE;
  message.payloads.sort((a, b) => Number(isCookie(a)) - Number(isCookie(b)));
};

/** Returns the first cookie it ever got instead of the newest one. */
function keepFirstCookie(): Change {
  let first: Uint8Array | undefined;
  return eachNotify(NOTIFY.COOKIE, (n) => {
    first ??= n.data;
    n.data = first;
  });
}

const authLies: Lie[] = [
  lie("swaps-spis-in-key-derivation", "IKEV2-295", "SK_* from SPIr | SPIi", () => ({
    ike: {
      ikeKeys: (inputs) => {
        [inputs.spiI, inputs.spiR] = [inputs.spiR, inputs.spiI];
      },
    },
  })),
  lie("swaps-nonces-in-keymat", "IKEV2-295", "KEYMAT from Nr | Ni", () => ({
    ike: {
      childKeys: (inputs) => {
        [inputs.Ni, inputs.Nr] = [inputs.Nr, inputs.Ni];
      },
    },
  })),
  lie("accepts-wrong-auth", "IKEV2-001", "an SA although AUTH does not verify", () => ({
    ike: { decide: { "wrong AUTH": "accept" } },
  })),
  lie("verifies-auth-without-the-nonce", "IKEV2-001", "takes an AUTH that leaves its own nonce out", () => ({
    ike: {
      authOctets: (inputs) => {
        if (inputs.of !== inputs.sa.role) inputs.nonce = new Uint8Array();
      },
    },
  })),
  lie("accepts-any-identity", "IKEV2-002", "an SA with whoever knows the secret", () => ({
    ike: { decide: { "wrong identity": "accept" } },
  })),
  lie("fails-ike-with-its-child", "IKEV2-007", "no IKE SA where only the Child SA fails", () => ({
    ike: { decide: { "Child SA failure in IKE_AUTH": "fail the IKE SA" } },
  })),
  lie("names-a-group-in-ike-auth", "IKEV2-009", "a key exchange transform in IKE_AUTH", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        eachPayload("SA", (sa) => {
          sa.proposals = addGroup(sa.proposals);
        }),
      ),
    },
  })),
  lie("sends-a-nonce-in-ike-auth", "IKEV2-012", "a Nonce in IKE_AUTH", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, (message) => {
        message.payloads.push({ kind: "Nonce", type: PAYLOAD.NONCE, data: new Uint8Array(32).fill(7) });
      }),
    },
  })),
];

const groupLies: Lie[] = [
  lie("refuses-another-group-at-once", "IKEV2-256", "NO_PROPOSAL_CHOSEN for a KE of another group", () => ({
    ike: { decide: { "key exchange group differs": "NO_PROPOSAL_CHOSEN" } },
  })),
  lie("names-group-in-four-octets", "IKEV2-016", "four octets in INVALID_KE_PAYLOAD", () => ({
    ike: {
      outgoing: eachNotify(NOTIFY.INVALID_KE_PAYLOAD, (n) => {
        n.data = Uint8Array.of(0, 0, ...n.data);
      }),
    },
  })),
  lie("names-a-group-that-was-not-offered", "IKEV2-256", "INVALID_KE_PAYLOAD with group 21", () => ({
    ike: {
      outgoing: eachNotify(NOTIFY.INVALID_KE_PAYLOAD, (n) => {
        n.data = Uint8Array.of(0, 21);
      }),
    },
  })),
  lie("gives-up-on-invalid-ke", "IKEV2-004", "no retry after INVALID_KE_PAYLOAD", () => ({
    ike: { decide: { INVALID_KE_PAYLOAD: "give up" } },
  })),
  lie("offers-less-after-invalid-ke", "IKEV2-005", "only the named group in the retry", () => ({
    ike: { outgoing: inInit(narrowOffer(), "request") },
  })),
  lie("switches-to-any-group", "IKEV2-006", "a KE payload of a group it never offered", () => ({
    ike: { decide: { INVALID_KE_PAYLOAD: "retry with any group" } },
  })),
];

const cookieLies: Lie[] = [
  lie("ignores-cookies", "IKEV2-107", "no retry when asked for a cookie", () => ({
    ike: { decide: { COOKIE: "ignore" } },
  })),
  lie("returns-its-first-cookie-for-ever", "IKEV2-107", "the first cookie again after a second", () => ({
    ike: { outgoing: inInit(keepFirstCookie(), "request") },
  })),
  lie("puts-its-cookie-last", "IKEV2-107", "COOKIE behind the other payloads", () => ({
    ike: { outgoing: inInit(cookieLast, "request") },
  })),
  lie("renews-its-nonce-with-the-cookie", "IKEV2-107", "another Ni in the request with the cookie", () => ({
    ike: { outgoing: inInit(renewNonce, "request") },
  })),
  lie("accepts-any-cookie", "IKEV2-108", "an SA for a wrong cookie", () => ({
    ike: { decide: { "wrong cookie": "accept" } },
  })),
  lie("refuses-a-wrong-cookie", "IKEV2-108", "NO_PROPOSAL_CHOSEN for a wrong cookie", () => ({
    ike: { decide: { "wrong cookie": "NO_PROPOSAL_CHOSEN" } },
  })),
  lie("sends-long-cookies", "IKEV2-106", "a cookie of 65 octets", () => ({
    ike: {
      outgoing: inInit(
        eachNotify(NOTIFY.COOKIE, (n) => {
          n.data = new Uint8Array(65).fill(1);
        }),
        "response",
      ),
    },
  })),
  lie("never-asks-for-cookies", "IKEV2-105", "no COOKIE although set to ask for one", () => ({
    policy: (policy) => {
      policy.cookies = "never";
    },
  })),
  lie("refuses-an-spi-with-the-cookie", "IKEV2-104", "no retry if the COOKIE came with an SPIr", () => ({
    ike: {
      incoming: ({ header, isResponse, payloads }) =>
        isResponse && header.spiR.some((b) => b !== 0) && hasNotify(payloads, NOTIFY.COOKIE)
          ? "drop"
          : undefined,
    },
  })),
];

const childLies: Lie[] = [
  lie("refuses-more-child-sas-in-silence", "IKEV2-013", "no answer to CREATE_CHILD_SA", () => ({
    ike: {
      incoming: ({ header, isResponse }) =>
        header.exchangeType === EXCHANGE.CREATE_CHILD_SA && !isResponse ? "drop" : undefined,
    },
  })),
  lie(
    "refuses-another-group-of-a-child-sa",
    "IKEV2-015",
    "NO_PROPOSAL_CHOSEN for a KE of another group",
    () => ({
      ike: {
        outgoing: inMessage(
          EXCHANGE.CREATE_CHILD_SA,
          eachNotify(NOTIFY.INVALID_KE_PAYLOAD, (n) => {
            n.notifyType = NOTIFY.NO_PROPOSAL_CHOSEN;
            n.data = new Uint8Array();
          }),
        ),
      },
    }),
  ),
  lie(
    "sends-a-key-exchange-of-another-group",
    "IKEV2-014",
    "a KE payload of a group that is not offered",
    () => ({
      ike: {
        outgoing: inMessage(
          EXCHANGE.CREATE_CHILD_SA,
          eachPayload("KE", (ke) => {
            ke.group = 21;
          }),
          "request",
        ),
      },
    }),
  ),
  lie("never-says-use-transport-mode", "IKEV2-018", "transport mode without its notify", () => ({
    ike: {
      outgoing: (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.USE_TRANSPORT_MODE,
        );
      },
    },
  })),
  lie("insists-on-transport-mode", "IKEV2-018", "USE_TRANSPORT_MODE whatever was asked for", () => ({
    ike: { decide: { "transport mode": "always" } },
  })),
  lie("takes-transport-mode-for-granted", "IKEV2-019", "transport mode although it was declined", () => ({
    ike: {
      childEstablished: (child) => {
        child.mode = "transport";
      },
    },
  })),
  lie("pads-for-traffic-flow-confidentiality", "IKEV2-021", "TFC padding for whom it is no use", () => ({
    esp: {
      outgoing: ({ options }) => {
        options.tfc = 32;
      },
    },
  })),
];

export const setupLies: readonly Lie[] = [
  lie("omits-nonce", "IKEV2-266", "no Nonce in IKE_SA_INIT", () => ({
    ike: { outgoing: inInit(without(PAYLOAD.NONCE)) },
  })),
  ...authLies,
  ...groupLies,
  ...cookieLies,
  ...childLies,
];
