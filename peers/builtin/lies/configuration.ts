/** Lies about inner addresses, INITIAL_CONTACT and several Child SAs. */
import type { Extension, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify, payload } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { CFG_ATTRIBUTE } from "../../../harness/wire/registry/cfg-attributes.ts";
import { CFG } from "../../../harness/wire/registry/cfg-types.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { ConfigAttribute, CpPayload, Payload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { eachPayload, inMessage } from "./tools.ts";

const ADDRESS: readonly number[] = [CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS];
const SUPPORTED: readonly number[] = [
  ...ADDRESS,
  CFG_ATTRIBUTE.APPLICATION_VERSION,
  CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES,
];
const SOME_IPV4 = Uint8Array.of(203, 0, 113, 14);

const isUnknown = ({ type }: ConfigAttribute): boolean => !SUPPORTED.includes(type);

/** Changes the CP payload of one type in what the peer sends. */
const inCp = (cfgType: number, change: (cp: CpPayload, message: OutgoingMessage) => void) => ({
  ike: {
    outgoing: (message: OutgoingMessage) =>
      eachPayload("CP", (cp) => {
        if (cp.cfgType === cfgType) change(cp, message);
      })(message),
  },
});

const asked = ({ request }: OutgoingMessage): ConfigAttribute[] =>
  payload(request?.payloads ?? [], "CP")?.attributes ?? [];

const pool = [
  lie("leases-more-addresses-than-asked", "IKEV2-288", "two addresses for one attribute", () =>
    inCp(CFG.REPLY, (cp) => {
      const address = cp.attributes.find((a) => ADDRESS.includes(a.type));
      if (!address) return;
      const data = address.data.slice();
      data[3] = (data[3] ?? 0) ^ 8;
      cp.attributes.push({ ...address, data });
    }),
  ),
  lie("sends-cfg-reply-unasked", "IKEV2-181", "an address nobody asked for", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        (message) => {
          const attributes = [{ type: CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, data: SOME_IPV4 }];
          const reply: CpPayload = { kind: "CP", type: PAYLOAD.CP, cfgType: CFG.REPLY, attributes };
          if (!payload(message.payloads, "CP")) message.payloads.unshift(reply);
        },
        "response",
      ),
    },
  })),
  lie("refuses-families-it-has-no-pool-of", "IKEV2-290", "no address at all, because of one of two", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        (message) => {
          const families = new Set(
            asked(message)
              .filter((a) => ADDRESS.includes(a.type))
              .map((a) => a.type),
          );
          if (families.size > 1) refuseChild(message, NOTIFY.INTERNAL_ADDRESS_FAILURE);
        },
        "response",
      ),
    },
  })),
  lie("returns-unknown-attributes", "IKEV2-285", "CFG_REPLY has what it cannot know", () =>
    inCp(CFG.REPLY, (cp, message) => void cp.attributes.push(...asked(message).filter(isUnknown))),
  ),
  lie("refuses-unknown-attributes", "IKEV2-285", "no Child SA because of an unknown attribute", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        (message) => {
          if (asked(message).some(isUnknown)) refuseChild(message, NOTIFY.INTERNAL_ADDRESS_FAILURE);
        },
        "response",
      ),
    },
  })),
  lie("acknowledges-values", "IKEV2-289", "CFG_ACK with the values of CFG_SET", () =>
    inCp(CFG.ACK, (cp, message) => void cp.attributes.push(...asked(message))),
  ),
  lie("replies-to-cfg-set", "IKEV2-289", "CFG_REPLY in the place of CFG_ACK", () =>
    inCp(CFG.ACK, (cp) => {
      cp.cfgType = CFG.REPLY;
    }),
  ),
  lie("has-no-patience-for-questions", "IKEV2-183", "INVALID_SYNTAX when asked for its version", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.INFORMATIONAL,
        (message) => {
          if (asked(message).length > 0) message.payloads = [notify(NOTIFY.INVALID_SYNTAX)];
        },
        "response",
      ),
    },
  })),
];

const CHILD_PARTS: readonly Payload["kind"][] = ["CP", "SA", "TS"];

/** Leaves of an IKE_AUTH response what makes the IKE SA. */
function refuseChild(message: OutgoingMessage, notifyType: number): void {
  message.payloads = message.payloads.filter((p) => !CHILD_PARTS.includes(p.kind));
  message.payloads.push(notify(notifyType));
}

const inRequest = (...more: ConfigAttribute[]) => inCp(CFG.REQUEST, (cp) => void cp.attributes.push(...more));

const initiator = [
  lie("asks-for-no-address", "IKEV2-180", "CFG_REQUEST for the version alone", () =>
    inCp(CFG.REQUEST, (cp) => {
      cp.attributes = [{ type: CFG_ATTRIBUTE.APPLICATION_VERSION, data: new Uint8Array() }];
    }),
  ),
  lie("asks-for-a-netmask-of-its-own", "IKEV2-286", "CFG_REQUEST has a netmask with a value", () =>
    inRequest({ type: CFG_ATTRIBUTE.INTERNAL_IP4_NETMASK, data: Uint8Array.of(255, 255, 255, 0) }),
  ),
  lie("lists-what-it-supports-in-a-request", "IKEV2-287", "SUPPORTED_ATTRIBUTES of a request has data", () =>
    inRequest({ type: CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES, data: Uint8Array.of(0, 1, 0, 8) }),
  ),
  lie("puts-cp-behind-sa", "IKEV2-179", "CP is the last payload", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, (message) => {
        message.payloads.sort((a, b) => Number(a.kind === "CP") - Number(b.kind === "CP"));
      }),
    },
  })),
  lie("drops-messages-with-unknown-attributes", "IKEV2-285", "no answer to attribute 16383", () => ({
    ike: {
      incoming: ({ payloads }) =>
        payloads.some((p) => p.kind === "CP" && p.attributes.some(isUnknown)) ? "drop" : undefined,
    },
  })),
];

/** Ends an SA in silence, for what the peer is then asked. */
function forget(sa: IkeSa): void {
  sa.state = "closed";
}

const initialContact = [
  lie("heeds-initial-contact-before-auth", "IKEV2-081", "anybody can end its IKE SAs", () => {
    const established = new Set<IkeSa>();
    const ike: Omit<Extension, "name"> = {
      childEstablished: ({ ike: sa }) => void established.add(sa),
      incoming: ({ header, payloads }) => {
        const says = header.exchangeType === EXCHANGE.IKE_AUTH && hasNotify(payloads, NOTIFY.INITIAL_CONTACT);
        if (says) for (const sa of established) forget(sa);
        return undefined;
      },
    };
    return { ike };
  }),
  lie("ends-the-ike-sa-that-says-initial-contact", "IKEV2-079", "the new SA goes with the old ones", () => {
    const said = new Set<IkeSa>();
    const ike: Omit<Extension, "name"> = {
      incoming: ({ sa, payloads }) => {
        if (sa && hasNotify(payloads, NOTIFY.INITIAL_CONTACT)) said.add(sa);
        return undefined;
      },
      childEstablished: ({ ike: sa }) => {
        if (said.has(sa)) forget(sa);
      },
    };
    return { ike };
  }),
];

const severalChildSas = [
  lie("says-additional-ts-possible-with-data", "IKEV2-142", "the notify names selectors", () => ({
    policy: (policy) => {
      policy.narrowing = "one pair of selectors";
    },
    ike: {
      outgoing: eachPayload("Notify", (n) => {
        if (n.notifyType === NOTIFY.ADDITIONAL_TS_POSSIBLE) n.data = SOME_IPV4;
      }),
    },
  })),
  lie("drops-the-older-of-equal-child-sas", "IKEV2-122", "forgets the keys of the Child SA it had", () => ({
    ike: {
      childEstablished: (child) => {
        const older = child.replaces ? [] : child.ike.children.filter((c) => c !== child);
        for (const { keysIn } of older) keysIn.encr.fill(0);
      },
    },
  })),
  lie("demands-a-single-pair", "IKEV2-143", "SINGLE_PAIR_REQUIRED for what it could narrow", () => ({
    policy: (policy) => {
      policy.narrowing = "one pair of addresses";
    },
  })),
];

export const configurationLies: readonly Lie[] = [
  ...pool,
  ...initiator,
  ...initialContact,
  ...severalChildSas,
];
