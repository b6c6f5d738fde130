/** Lies about EAP in IKE_AUTH (RFC 7296 sections 2.16 and 3.16). */
import type { EapManners, EapPacket } from "../../../harness/eap/types.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify, payload } from "../../../harness/ike/payloads.ts";
import { AUTH_METHOD } from "../../../harness/wire/registry/auth-methods.ts";
import { EAP_CODE, EAP_TYPE } from "../../../harness/wire/registry/eap.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, inMessage, without } from "./tools.ts";

type Change = (message: OutgoingMessage) => void;

/** Applies to the message whose AUTH comes after EAP. */
const afterEap = (change: Change): Change =>
  inMessage(EXCHANGE.IKE_AUTH, (message) => {
    if (payload(message.payloads, "AUTH") && !payload(message.payloads, "ID")) change(message);
  });

/** Applies to the responder's first message of an IKE_AUTH with EAP. */
const beforeEap = (change: Change): Change =>
  inMessage(EXCHANGE.IKE_AUTH, (message) => {
    if (payload(message.payloads, "EAP") && payload(message.payloads, "ID")) change(message);
  });

/** Applies to the message with EAP Failure, and adds AUTHENTICATION_FAILED to it. */
const withFailure = (change: Change): Change =>
  inMessage(EXCHANGE.IKE_AUTH, (message) => {
    if (payload(message.payloads, "EAP")?.code !== EAP_CODE.FAILURE) return;
    change(message);
    message.payloads.push(notify(NOTIFY.AUTHENTICATION_FAILED));
  });

const turnAuth: Change = ({ payloads }) => {
  const auth = payload(payloads, "AUTH");
  if (auth) auth.data = auth.data.map((octet) => octet ^ 0x5a);
};

const behaves = (name: string, breaks: string, effect: string, eapManners: EapManners): Lie =>
  lie(name, breaks, effect, () => ({
    policy: (policy) => {
      policy.eapManners = eapManners;
    },
  }));

/** A response of the type that was asked for, whatever that is. */
const inKind = (packet: EapPacket): EapPacket =>
  packet.data[0] === EAP_TYPE.NAK ? { ...packet, data: Uint8Array.of(253) } : packet;

export const eapLies: readonly Lie[] = [
  lie("uses-another-key-after-eap", "IKEV2-167", "AUTH after EAP is from neither MSK nor SK_p", () => ({
    ike: { outgoing: afterEap(turnAuth) },
  })),
  lie("omits-auth-after-eap", "IKEV2-172", "no AUTH after EAP Success", () => ({
    ike: { outgoing: afterEap(without(PAYLOAD.AUTH)) },
  })),
  lie("does-without-auth-after-eap", "IKEV2-172", "an SA without AUTH of the initiator after EAP", () => ({
    ike: {
      decide: { "wrong AUTH": "accept" },
      incoming: ({ header, isResponse, payloads }) => {
        const auth = { method: AUTH_METHOD.SHARED_KEY_MIC, data: new Uint8Array(32) };
        const bare = header.exchangeType === EXCHANGE.IKE_AUTH && !isResponse && payloads.length === 0;
        if (bare) payloads.push({ kind: "AUTH", type: PAYLOAD.AUTH, ...auth });
        return undefined;
      },
    },
  })),
  lie("refuses-passwords-by-a-notify", "IKEV2-171", "AUTHENTICATION_FAILED in place of EAP Failure", () => ({
    ike: { outgoing: withFailure((message) => without(PAYLOAD.EAP)(message)) },
  })),
  lie("adds-a-notify-to-eap-failure", "IKEV2-186", "AUTHENTICATION_FAILED beside EAP Failure", () => ({
    ike: { outgoing: withFailure(() => {}) },
  })),
  behaves("follows-a-nak-to-any-method", "EAPONLY-07", "MD5-Challenge for who asks for it", {
    bend: (packet) =>
      packet.code === EAP_CODE.FAILURE
        ? { code: EAP_CODE.REQUEST, identifier: packet.identifier + 1, data: Uint8Array.of(4, 1, 0) }
        : packet,
  }),
  lie("omits-auth-before-eap", "IKEV2-164", "an EAP server that does not prove itself", () => ({
    ike: { outgoing: beforeEap(without(PAYLOAD.AUTH)) },
  })),
  lie("grants-a-child-sa-before-eap", "IKEV2-166", "SA in the first response of IKE_AUTH with EAP", () => ({
    ike: {
      outgoing: beforeEap(({ sa, payloads }) => {
        if (sa?.proposal) payloads.push({ kind: "SA", type: PAYLOAD.SA, proposals: [sa.proposal] });
      }),
    },
  })),
  lie("sends-auth-beside-eap", "IKEV2-165", "asks for EAP with an AUTH payload", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        ({ payloads }) => {
          const auth = { method: AUTH_METHOD.SHARED_KEY_MIC, data: new Uint8Array(32) };
          if (payload(payloads, "ID")) payloads.push({ kind: "AUTH", type: PAYLOAD.AUTH, ...auth });
        },
        "request",
      ),
    },
  })),
  behaves("lets-everybody-in-by-eap", "IKEV2-171", "any password is right", { acceptsAnything: true }),
  behaves("believes-any-eap-server", "IKEV2-167", "any proof of the server is right", {
    acceptsAnything: true,
  }),
  behaves("counts-eap-identifiers-on", "IKEV2-292", "the identifier of a response is one too high", {
    bend: (packet) => ({ ...packet, identifier: (packet.identifier + 1) & 0xff }),
  }),
  behaves("answers-unknown-eap-methods-in-kind", "IKEV2-292", "a response of the unknown type, no Nak", {
    bend: inKind,
  }),
  behaves("gives-up-after-seven-rounds-of-eap", "IKEV2-170", "the eighth round gets another EAP code", {
    bend: (packet, turn) => (turn < 7 ? packet : { ...packet, code: EAP_CODE.FAILURE }),
  }),
  lie("begins-eap-uninvited", "IKEV2-165", "EAP for everybody who leaves AUTH out", () => ({
    policy: (policy) => {
      if (policy.peerAuth.method !== "psk") return;
      policy.peerAuth = {
        method: "eap",
        user: { type: "md5", identity: "eap-user", password: "eap-password" },
      };
    },
  })),
  decides("overlooks-wrong-eap-lengths", "IKEV2-291", "a malformed EAP payload is taken", {
    "malformed message": "accept",
  }),
  lie("sends-auth-beside-eap-only", "EAPONLY-03", "AUTH where EAP alone ought to prove the server", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, ({ payloads }) => {
        const auth = { method: AUTH_METHOD.SHARED_KEY_MIC, data: new Uint8Array(32) };
        if (payload(payloads, "ID") && payload(payloads, "EAP"))
          payloads.push({ kind: "AUTH", type: PAYLOAD.AUTH, ...auth });
      }),
    },
  })),
  lie("drops-requests-with-eap-only", "EAPONLY-04", "no answer to EAP_ONLY_AUTHENTICATION", () => ({
    ike: {
      incoming: ({ payloads }) => (hasNotify(payloads, NOTIFY.EAP_ONLY_AUTHENTICATION) ? "drop" : undefined),
    },
  })),
  lie("uses-any-method-eap-only", "EAPONLY-12", "EAP alone by a method that proves one end", () => ({
    policy: (policy) => {
      if (policy.peerAuth.method === "eap") policy.ownAuth = { method: "eap-only" };
    },
    ike: { decide: { "EAP-only without MSK": "accept" } },
  })),
  lie("omits-the-eap-only-notify", "EAPONLY-01", "EAP alone without saying so", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.EAP_ONLY_AUTHENTICATION,
        );
      }),
    },
  })),
  lie("puts-data-into-the-eap-only-notify", "EAPONLY-02", "EAP_ONLY_AUTHENTICATION with data", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, ({ payloads }) => {
        for (const n of notifies(payloads, NOTIFY.EAP_ONLY_AUTHENTICATION)) n.data = Uint8Array.of(1);
      }),
    },
  })),
  lie("takes-any-method-eap-only", "EAPONLY-06", "EAP-MD5 alone is enough", () => ({
    policy: (policy) => {
      if (policy.ownAuth.method === "eap") policy.ownAuth.user = { ...policy.ownAuth.user, type: "md5" };
    },
    ike: { decide: { "EAP-only without MSK": "accept" } },
  })),
  lie("overlooks-auth-before-eap", "EAPONLY-05", "AUTH beside EAP is passed over", () => ({
    ike: {
      incoming: (message) => {
        const { payloads, isResponse } = message;
        if (isResponse && payload(payloads, "EAP") && payload(payloads, "AUTH"))
          message.payloads = payloads.filter(({ kind }) => kind !== "AUTH" && kind !== "CERT");
        return undefined;
      },
    },
  })),
  lie("believes-success-without-a-method", "EAPONLY-07", "EAP Success at once is enough", () => ({
    policy: (policy) => {
      policy.eapManners = { acceptsAnything: true };
    },
    ike: { decide: { "EAP-only without MSK": "accept" } },
  })),
];
