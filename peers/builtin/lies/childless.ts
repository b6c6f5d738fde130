/** Lies about childless initiation (RFC 6023). */
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify } from "../../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, inMessage } from "./tools.ts";

const SUPPORTED = NOTIFY.CHILDLESS_IKEV2_SUPPORTED;

/** Drops the notify, or adds it where it is missing. */
const announce = (yes: boolean) => (message: OutgoingMessage) => {
  message.payloads = message.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== SUPPORTED);
  if (yes && message.payloads.some((p) => p.kind === "SA")) message.payloads.push(notify(SUPPORTED));
};

const inInitResponse = (change: (message: OutgoingMessage) => void) =>
  inMessage(EXCHANGE.IKE_SA_INIT, change, "response");

const isOfChild = (p: Payload): boolean => p.kind === "SA" || p.kind === "TS";

/** The SA payload of the last request that had one, as a responder sends it back that does not look. */
function answersWithSa() {
  return inMessage(
    EXCHANGE.IKE_AUTH,
    (message) => {
      const childless = message.request?.payloads.every((p) => !isOfChild(p));
      if (!childless || !message.sa?.proposal) return;
      message.payloads.push({ kind: "SA", type: PAYLOAD.SA, proposals: [message.sa.proposal] });
    },
    "response",
  );
}

export const childlessLies: readonly Lie[] = [
  lie("announces-childless-initiation-once", "CHILDLESS-01", "only the first response announces it", () => {
    let said = false;
    return {
      ike: {
        outgoing: inInitResponse((message) => {
          announce(!said)(message);
          said = true;
        }),
      },
    };
  }),
  lie("announces-childless-initiation-always", "CHILDLESS-02", "the configuration is ignored", () => ({
    ike: { outgoing: inInitResponse(announce(true)) },
  })),
  decides("refuses-childless-requests", "CHILDLESS-05", "INVALID_SYNTAX although it announced it", {
    "childless request": "INVALID_SYNTAX",
  }),
  decides("accepts-childless-requests-uninvited", "CHILDLESS-07", "a childless SA without announcement", {
    "childless request": "accept",
  }),
  lie("answers-childless-with-sa", "CHILDLESS-05", "an SA payload in the childless response", () => ({
    ike: { outgoing: answersWithSa() },
  })),
  lie(
    "answers-every-request-childless",
    "CHILDLESS-06",
    "no SA, TSi and TSr in any IKE_AUTH response",
    () => ({
      ike: {
        outgoing: inMessage(
          EXCHANGE.IKE_AUTH,
          (message) => {
            message.payloads = message.payloads.filter((p) => !isOfChild(p));
          },
          "response",
        ),
      },
    }),
  ),
  lie("gives-the-childless-notify-an-spi", "CHILDLESS-08", "the notify has an SPI of 4 octets", () => ({
    ike: {
      outgoing: inInitResponse(({ payloads }) => {
        for (const n of notifies(payloads, SUPPORTED)) n.spi = Uint8Array.of(1, 2, 3, 4);
      }),
    },
  })),
  lie("drops-childless-ike-sas", "CHILDLESS-05", "the IKE SA goes with its last Child SA", () => ({
    ike: {
      incoming: ({ payloads, sa }) => {
        const last =
          payloads.some((p) => p.kind === "Delete" && p.protocolId === 3) && sa?.children.length === 1;
        if (last && sa) sa.state = "closed";
        return undefined;
      },
    },
  })),
  decides("begins-childless-uninvited", "CHILDLESS-04", "a childless request without announcement", {
    "childless initiation": "always",
  }),
  lie("refuses-childless-requests-with-cp", "CHILDLESS-11", "INVALID_SYNTAX where CP is without SA", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        (message) => {
          const asked = message.request?.payloads ?? [];
          if (asked.some(({ kind }) => kind === "CP") && !asked.some(isOfChild))
            message.payloads = [notify(NOTIFY.INVALID_SYNTAX)];
        },
        "response",
      ),
    },
  })),
  lie("begins-childless-with-sa", "CHILDLESS-12", "an SA payload in the first childless request", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        ({ sa, payloads }) => {
          const first = payloads.some(({ kind }) => kind === "ID") && !payloads.some(isOfChild);
          if (first && sa?.proposal)
            payloads.push({ kind: "SA", type: PAYLOAD.SA, proposals: [sa.proposal] });
        },
        "request",
      ),
    },
  })),
  lie(
    "begins-childless-with-a-child-notify",
    "CHILDLESS-10",
    "ESP_TFC_PADDING_NOT_SUPPORTED without SA",
    () => ({
      ike: {
        outgoing: inMessage(
          EXCHANGE.IKE_AUTH,
          (message) => {
            if (!message.payloads.some(isOfChild))
              message.payloads.push(notify(NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED));
          },
          "request",
        ),
      },
    }),
  ),
  lie(
    "knows-the-childless-notify-with-protocol-id-0-only",
    "CHILDLESS-09",
    "Protocol ID 1 is not seen",
    () => ({
      ike: {
        incoming: (message) => {
          const odd = notifies(message.payloads, SUPPORTED).some((n) => n.protocolId !== 0);
          if (odd && hasNotify(message.payloads, SUPPORTED))
            message.payloads = message.payloads.filter(
              (p) => p.kind !== "Notify" || p.notifyType !== SUPPORTED,
            );
          return undefined;
        },
      },
    }),
  ),
  lie(
    "derives-first-child-from-ike-nonces",
    "CHILDLESS-13",
    "KEYMAT of the first Child SA from the nonces of IKE_SA_INIT",
    () => {
      let first = true;
      return {
        ike: {
          childKeys: (inputs) => {
            if (first) [inputs.Ni, inputs.Nr] = [inputs.sa.Ni, inputs.sa.Nr];
            first = false;
          },
        },
      };
    },
  ),
];
