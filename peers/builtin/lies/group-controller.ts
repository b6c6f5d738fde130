/** Lies of a group controller about registrations: who is let in, what policy and keys come. */
import { notifies, notify } from "../../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import {
  eachBag,
  eachDataPolicy,
  groupDecides,
  inGrants,
  inRefusals,
  isRegistration,
} from "./group-tools.ts";
import { type Lie, lie } from "./lie.ts";
import { decides } from "./tools.ts";

const ids = (payloads: readonly Payload[]): number[] =>
  payloads.flatMap((p) => (p.kind === "ID" && p.type === PAYLOAD.IDg ? [p.idType] : []));

/** Refuses registrations of which this is true. */
const refusesIf = (wrong: (request: Payload[], port: number) => boolean) => () => ({
  ike: {
    outgoing: (message: Parameters<Parameters<typeof inRefusals>[0]>[0]) => {
      const { request } = message;
      if (!request || !isRegistration(message) || !wrong(request.payloads, request.datagram.destination.port))
        return;
      message.payloads = [
        ...message.payloads.filter(({ kind }) => kind !== "GSA" && kind !== "KD"),
        notify(NOTIFY.REGISTRATION_FAILED),
      ];
    },
  },
});

/** The SPI that a member put into a proposal of this protocol. */
const offeredSpi = (request: readonly Payload[], protocolId: number): Uint8Array | undefined =>
  request
    .flatMap((p) => (p.kind === "SA" ? p.proposals : []))
    .find((p) => p.protocolId === protocolId && p.spi.length > 0)?.spi;

const fromPort848 = lie(
  "answers-members-from-port-848",
  "G-IKEV2-01",
  "the answer to GSA_AUTH leaves from port 848, wherever the request came to",
  () => ({
    ike: {
      outgoing: (message) => {
        const to = message.request?.datagram.destination;
        if (to && message.header.exchangeType === EXCHANGE.GSA_AUTH) message.source = { ...to, port: 848 };
      },
    },
  }),
);

export const groupControllerLies: Lie[] = [
  fromPort848,
  lie(
    "refuses-members-on-port-848",
    "G-IKEV2-04",
    "who registers on port 848 is refused",
    refusesIf((_request, port) => port === 848),
  ),
  lie(
    "leaves-the-key-wrap-algorithm-out",
    "G-IKEV2-05",
    "the choice in IKE_SA_INIT has no transform of type 13",
    () => ({
      ike: {
        outgoing: ({ header, isResponse, payloads }) => {
          if (header.exchangeType !== EXCHANGE.IKE_SA_INIT || !isResponse) return;
          for (const p of payloads)
            if (p.kind === "SA")
              p.proposals = p.proposals.map((offer) => ({
                ...offer,
                transforms: offer.transforms.filter(({ type }) => type !== TRANSFORM.KWA),
              }));
        },
      },
    }),
  ),
  decides(
    "chooses-a-key-wrap-algorithm-unasked",
    "G-IKEV2-05",
    "a key wrap algorithm stands in the choice although none was offered",
    { "missing mandatory transform": "take own" },
  ),
  lie(
    "is-silent-to-members-that-want-child-sas",
    "G-IKEV2-06",
    "CREATE_CHILD_SA on the IKE SA of a registration gets no answer",
    () => ({
      ike: {
        incoming: ({ header }) => (header.exchangeType === EXCHANGE.CREATE_CHILD_SA ? "drop" : undefined),
      },
    }),
  ),
  lie("refuses-members-without-auth", "G-IKEV2-09", "a refusal in GSA_AUTH has no AUTH", () =>
    inRefusals((message) => {
      message.payloads = message.payloads.filter(({ kind }) => kind !== "AUTH");
    }),
  ),
  lie("refuses-members-twice", "G-IKEV2-09", "a refusal has two error notifies", () =>
    inRefusals(({ payloads }) => void payloads.push(notify(NOTIFY.TEMPORARY_FAILURE))),
  ),
  lie("gives-policy-to-who-is-refused", "G-IKEV2-09", "a refusal has a GSA payload as well", () =>
    inRefusals(({ payloads }) => {
      payloads.push({ kind: "GSA", type: PAYLOAD.GSA, policies: [{ kind: "group-wide", attributes: [] }] });
    }),
  ),
  lie("puts-an-spi-into-group-errors", "G-IKEV2-103", "error notifies have a protocol and an SPI", () =>
    inRefusals((message) => {
      message.payloads = message.payloads.map((p) =>
        p.kind === "Notify" ? { ...p, protocolId: PROTOCOL.ESP, spi: Uint8Array.of(1, 2, 3, 4) } : p,
      );
    }),
  ),
  groupDecides("overlooks-sag", "G-IKEV2-10", "what a member cannot do is handed out all the same", {
    SAg: "ignore",
  }),
  groupDecides("keeps-members-that-leave", "G-IKEV2-12", "who left gets keys as before", {
    "leaving member": "keep",
  }),
  lie("answers-who-leaves-with-a-notify", "G-IKEV2-12", "who leaves gets a notify", () => ({
    ike: {
      outgoing: (message) => {
        const leaves =
          message.header.exchangeType === EXCHANGE.GSA_REGISTRATION &&
          message.isResponse &&
          message.payloads.length === 0;
        if (leaves) message.payloads.push(notify(NOTIFY.REGISTRATION_FAILED));
      },
    },
  })),
  lie(
    "refuses-later-registrations-otherwise",
    "G-IKEV2-13",
    "every refusal in GSA_REGISTRATION is TEMPORARY_FAILURE",
    () =>
      inRefusals((message) => {
        const later = message.header.exchangeType === EXCHANGE.GSA_REGISTRATION;
        if (later) message.payloads = [notify(NOTIFY.TEMPORARY_FAILURE)];
      }),
  ),
  groupDecides("lets-strangers-in", "G-IKEV2-28", "who is no member of a group gets its keys", {
    "unauthorised member": "register",
  }),
  groupDecides(
    "calls-strangers-a-trouble-of-the-group",
    "G-IKEV2-28",
    "who may not be a member gets REGISTRATION_FAILED",
    {
      "unauthorised member": "REGISTRATION_FAILED",
    },
  ),
  groupDecides("calls-a-full-group-forbidden", "G-IKEV2-28", "a full group answers AUTHORIZATION_FAILED", {
    "full group": "AUTHORIZATION_FAILED",
  }),
  groupDecides(
    "takes-any-group-for-its-own",
    "G-IKEV2-09",
    "who asks for an unknown group gets the keys of another",
    {
      "unknown group": "register",
    },
  ),
  lie("takes-spis-from-sag", "G-IKEV2-15", "an SPI in SAg becomes the SPI of the data SA", () =>
    inGrants((payloads, { request }) => {
      const spi = offeredSpi(request?.payloads ?? [], PROTOCOL.ESP);
      if (!spi) return;
      eachDataPolicy((policy) => {
        policy.spi = spi;
      })(payloads);
      eachBag((bag) => {
        bag.spi = spi;
      }, PROTOCOL.ESP)(payloads);
    }),
  ),
  groupDecides(
    "refuses-unknown-transform-types-in-sag",
    "G-IKEV2-17",
    "a type that it does not know spoils a proposal",
    {
      "unknown transform type in SAg": "refuse",
    },
  ),
  groupDecides("parts-linked-proposals", "G-IKEV2-18", "one of a pair in SAg is taken without the other", {
    "linked proposals in SAg": "each alone",
  }),
  lie(
    "minds-the-cpi-of-members",
    "G-IKEV2-20",
    "who sends a CPI other than zero is refused",
    refusesIf((request) =>
      notifies(request, NOTIFY.IPCOMP_SUPPORTED).some(({ data }) => (data[1] ?? 0) !== 0),
    ),
  ),
  lie("conceals-transport-mode", "G-IKEV2-30", "USE_TRANSPORT_MODE is never said", () =>
    inGrants((_payloads, message) => {
      message.payloads = message.payloads.filter(
        (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.USE_TRANSPORT_MODE,
      );
    }),
  ),
  lie("says-transport-mode-for-each-sa", "G-IKEV2-30", "USE_TRANSPORT_MODE comes twice", () =>
    inGrants((payloads) => void payloads.push(...notifies(payloads, NOTIFY.USE_TRANSPORT_MODE))),
  ),
  lie("says-transport-mode-in-tunnels", "G-IKEV2-30", "USE_TRANSPORT_MODE is always said", () =>
    inGrants((payloads) => void payloads.push(notify(NOTIFY.USE_TRANSPORT_MODE))),
  ),
  groupDecides("keeps-idle-ike-sas-of-members", "G-IKEV2-31", "no IKE SA is ever closed", {
    "idle IKE SA": "keep",
  }),
  lie(
    "refuses-groups-named-by-key-ids",
    "G-IKEV2-71",
    "a group whose name is ID_KEY_ID cannot be joined",
    refusesIf((request) => ids(request).includes(ID_TYPE.ID_KEY_ID)),
  ),
  lie(
    "knows-no-group-names-but-key-ids",
    "G-IKEV2-72",
    "a group whose name is not ID_KEY_ID cannot be joined",
    refusesIf((request) => ids(request).some((type) => type !== ID_TYPE.ID_KEY_ID)),
  ),
  lie("offers-aggfrag-to-several-senders", "G-IKEV2-106", "USE_AGGFRAG is said in every answer", () =>
    inGrants((payloads) => void payloads.push(notify(NOTIFY.USE_AGGFRAG, Uint8Array.of(0)))),
  ),
  lie(
    "is-silent-to-malformed-registrations",
    "G-IKEV2-E1",
    "a registration that cannot be right gets no answer",
    () => ({
      ike: {
        outgoing: (message) => {
          const refused = notifies(message.payloads, NOTIFY.INVALID_SYNTAX).length > 0;
          if (isRegistration(message) && message.isResponse && refused) message.octets = () => [];
        },
      },
    }),
  ),
  lie(
    "dies-of-odd-registrations",
    "G-IKEV2-E1",
    "after a registration with payloads that cannot be read nobody is served any more",
    () => {
      let dead = false;
      return {
        ike: {
          incoming: ({ header, isResponse, findings }) => {
            const registers =
              header.exchangeType === EXCHANGE.GSA_AUTH || header.exchangeType === EXCHANGE.GSA_REGISTRATION;
            if (registers && !isResponse) dead ||= findings.length > 0;
            return dead ? "drop" : undefined;
          },
        },
      };
    },
  ),
  lie("tires-of-registrations", "G-IKEV2-E1", "after many registrations nobody is served any more", () => {
    let came = 0;
    return {
      ike: {
        incoming: ({ header, isResponse }) => {
          if (!isResponse && header.exchangeType === EXCHANGE.GSA_REGISTRATION) came++;
          return came > 40 ? "drop" : undefined;
        },
      },
    };
  }),
  groupDecides(
    "answers-group-rekeys",
    "G-IKEV2-E2",
    "who sends a controller its own GSA_REKEY gets an answer",
    {
      "GSA_REKEY from a member": "answer",
    },
  ),
];
