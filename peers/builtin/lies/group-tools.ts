/** Pieces that lies of group controllers are made of. */
import type { GroupDecisions } from "../../../harness/group/hooks.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import type {
  GroupKeyBag,
  GroupWidePolicy,
  GsaPolicy,
  MemberKeyBag,
} from "../../../harness/wire/group-types.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import type { Payload, TransformAttribute } from "../../../harness/wire/types.ts";
import { encodeWrappedKey, readWrappedKey } from "../../../harness/wire/wrapped-key.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

type Change = (payloads: Payload[]) => void;

/** A lie that is one other decision of controller or member, or some. */
export const groupDecides = (
  name: string,
  breaks: string,
  effect: string,
  decide: Partial<{ [P in keyof GroupDecisions]: GroupDecisions[P] }>,
): Lie => lie(name, breaks, effect, () => ({ group: { decide } }));

const hasGsa = (payloads: readonly Payload[]): boolean => payloads.some((p) => p.kind === "GSA");

export const isRegistration = ({ header }: OutgoingMessage): boolean =>
  header.exchangeType === EXCHANGE.GSA_AUTH || header.exchangeType === EXCHANGE.GSA_REGISTRATION;

/** Changes the answers to registrations that succeed. */
export const inGrants = (change: (payloads: Payload[], message: OutgoingMessage) => void): LieBehaviour => ({
  ike: {
    outgoing: (message) => {
      if (isRegistration(message) && message.isResponse && hasGsa(message.payloads))
        change(message.payloads, message);
    },
  },
});

/** Changes the answers to registrations that fail. */
export const inRefusals = (change: (message: OutgoingMessage) => void): LieBehaviour => ({
  ike: {
    outgoing: (message) => {
      if (isRegistration(message) && message.isResponse && !hasGsa(message.payloads)) change(message);
    },
  },
});

/** Changes GSA_INBAND_REKEY. */
export const inInband = (change: Change): LieBehaviour => ({
  ike: {
    outgoing: ({ header, isResponse, payloads }) => {
      if (header.exchangeType === EXCHANGE.GSA_INBAND_REKEY && !isResponse) change(payloads);
    },
  },
});

/** Changes GSA_REKEY. */
export const inRekeys = (change: Change): LieBehaviour => ({
  group: { outgoingRekey: ({ payloads }) => change(payloads) },
});

/** Changes the policies of SAs of this protocol; not set: of all. */
export const eachPolicy =
  (change: (policy: GsaPolicy) => void, protocolId?: number): Change =>
  (payloads) => {
    for (const policy of payloads.flatMap((p) => (p.kind === "GSA" ? p.policies : []))) {
      if (policy.kind === "SA" && (protocolId === undefined || policy.protocolId === protocolId))
        change(policy);
    }
  };

export const eachRekeyPolicy = (change: (policy: GsaPolicy) => void): Change =>
  eachPolicy(change, PROTOCOL.GIKE_UPDATE);
export const eachDataPolicy = (change: (policy: GsaPolicy) => void): Change =>
  eachPolicy(change, PROTOCOL.ESP);

export const eachGroupWide =
  (change: (policy: GroupWidePolicy) => void): Change =>
  (payloads) => {
    for (const policy of payloads.flatMap((p) => (p.kind === "GSA" ? p.policies : [])))
      if (policy.kind === "group-wide") change(policy);
  };

export const eachBag =
  (change: (bag: GroupKeyBag) => void, protocolId?: number): Change =>
  (payloads) => {
    for (const bag of payloads.flatMap((p) => (p.kind === "KD" ? p.bags : [])))
      if (bag.kind === "group" && (protocolId === undefined || bag.protocolId === protocolId)) change(bag);
  };

/** The member key bag of a KD; made if there is none. */
export const memberBag =
  (change: (bag: MemberKeyBag) => void): Change =>
  (payloads) => {
    for (const kd of payloads) {
      if (kd.kind !== "KD") continue;
      const found = kd.bags.find((bag) => bag.kind === "member");
      const bag: MemberKeyBag = found ?? { kind: "member", attributes: [] };
      change(bag);
      if (!found && bag.attributes.length > 0) kd.bags.push(bag);
    }
  };

interface Attributed {
  attributes: TransformAttribute[];
}

/** Leaves out an attribute. */
export const drop =
  (type: number) =>
  (part: Attributed): void => {
    part.attributes = part.attributes.filter((attribute) => attribute.type !== type);
  };

/** Adds an attribute. */
export const add =
  (type: number, value: number | Uint8Array) =>
  (part: Attributed): void => {
    part.attributes = [...part.attributes, { type, value }];
  };

/** Puts each attribute of a type in twice. */
export const double =
  (type: number) =>
  (part: Attributed): void => {
    part.attributes = part.attributes.flatMap((a) => (a.type === type ? [a, a] : [a]));
  };

/** Changes the wrapped keys in attributes of a type. */
export const rewrap =
  (type: number, change: (key: { keyId: number; kwkId: number; encryptedKey: Uint8Array }) => void) =>
  (part: Attributed): void => {
    part.attributes = part.attributes.map((attribute) => {
      const key = attribute.type === type ? readWrappedKey(attribute.value) : undefined;
      if (!key) return attribute;
      const changed = { ...key, encryptedKey: key.encryptedKey.slice() };
      change(changed);
      return { ...attribute, value: encodeWrappedKey(changed) };
    });
  };
