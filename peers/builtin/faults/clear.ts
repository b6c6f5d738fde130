/** Faults that one message in clear shows. */
import { groups } from "../../../harness/ike/exchanges/ike-sa-init.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notifies, payload } from "../../../harness/ike/payloads.ts";
import { readU16 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE, exchangeTypes } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { TRANSFORM_ATTRIBUTE } from "../../../harness/wire/registry/transform-attributes.ts";
import type { Payload, TransformAttribute } from "../../../harness/wire/types.ts";
import type { LieBehaviour } from "../lies/lie.ts";
import { type Fault, isOf, type Trigger, upon } from "./fault.ts";

const attributesOf = (payloads: Payload[]): TransformAttribute[] =>
  payloads.flatMap((p) =>
    p.kind === "SA" ? p.proposals.flatMap((q) => q.transforms.flatMap((t) => t.attributes)) : [],
  );

/** In TLV form with less than the two octets that are read of it. */
const isShortKeyLength = ({ type, value }: TransformAttribute): boolean =>
  type === TRANSFORM_ATTRIBUTE.KEY_LENGTH && typeof value !== "number" && value.length < 2;

const PROPOSAL_HEADER = 8;

/** Whether a proposal says that it is shorter than its own header; `octets` is what follows the generic header. */
function stands(octets: Uint8Array): boolean {
  for (let at = 0; octets.length - at >= PROPOSAL_HEADER; ) {
    const length = readU16(octets, at + 2);
    if (length < PROPOSAL_HEADER) return true;
    at += length;
  }
  return false;
}

const hasStandingProposal: Trigger = (message) =>
  isOf(message, EXCHANGE.IKE_SA_INIT, "request") &&
  message.payloads.some(
    (p) =>
      (p.kind === "raw" && p.type === PAYLOAD.SA && stands(p.data)) ||
      (p.kind === "SA" && p.trailing !== undefined && stands(p.trailing)),
  );

const MOST_COOKIE = 64;

const hasStrangeCookie: Trigger = (message) =>
  isOf(message, EXCHANGE.IKE_SA_INIT, "request") &&
  notifies(message.payloads, NOTIFY.COOKIE).some(
    ({ data }) => data.length === 0 || data.length > MOST_COOKIE,
  );

const COPIES = 64;

/** Sends responses of which this holds many times. */
const bursts = (matches: (message: OutgoingMessage) => boolean) => (): LieBehaviour => ({
  ike: {
    outgoing: (message) => {
      if (!message.isResponse || !matches(message)) return;
      message.octets = (octets) => Array.from({ length: COPIES }, () => octets);
    },
  },
});

/** A KE payload of a group that none of the proposals beside it has. */
function hasGroupNotOffered({ header, request }: OutgoingMessage): boolean {
  if (header.exchangeType !== EXCHANGE.IKE_SA_INIT || !request) return false;
  const ke = payload(request.payloads, "KE");
  const sa = payload(request.payloads, "SA");
  return ke !== undefined && sa !== undefined && !groups(sa.proposals).includes(ke.group);
}

/** The fixed part of a KE payload's body. */
const KE_HEADER = 4;

const hasStubOfKe: Trigger = (message) =>
  isOf(message, EXCHANGE.IKE_SA_INIT, "response") &&
  message.payloads.some(
    (p) =>
      p.type === PAYLOAD.KE &&
      (p.kind === "KE" ? p.data.length < 8 : p.kind === "raw" && p.data.length <= KE_HEADER),
  );

export const clearFaults: readonly Fault[] = [
  {
    ...{ name: "dies-of-short-key-lengths", depth: "clear", kind: "crash", roles: ["responder"] },
    effect: "SIGSEGV in the reader of transform attributes",
    trigger: "IKE_SA_INIT with a Key Length attribute in TLV form of no or one octet",
    behaviour: upon(
      () => (m) =>
        isOf(m, EXCHANGE.IKE_SA_INIT, "request") && attributesOf(m.payloads).some(isShortKeyLength),
      (effects) => effects.crash("read_transform_attribute"),
    ),
  },
  {
    ...{ name: "spins-at-standing-proposals", depth: "clear", kind: "loop", roles: ["responder"] },
    effect: "walks the proposals for ever",
    trigger: "IKE_SA_INIT with a proposal whose Proposal Length is less than its header",
    behaviour: upon(
      () => hasStandingProposal,
      (effects) => effects.loop(),
    ),
  },
  {
    ...{ name: "waits-for-the-rest-of-cookies", depth: "clear", kind: "hang", roles: ["responder"] },
    effect: "answers nobody any more",
    trigger: "IKE_SA_INIT with a COOKIE of no octets, or of more than 64",
    behaviour: upon(
      () => hasStrangeCookie,
      (effects) => effects.hang(),
    ),
  },
  {
    ...{ name: "bursts-about-groups-not-offered", depth: "clear", kind: "amplify", roles: ["responder"] },
    effect: "sends its answer 64 times",
    trigger: "IKE_SA_INIT with a KE payload of a group that no proposal of its SA payload has",
    behaviour: bursts(hasGroupNotOffered),
  },
  {
    ...{ name: "bursts-about-unknown-exchanges", depth: "clear", kind: "amplify", roles: ["responder"] },
    effect: "sends its answer 64 times",
    trigger: "a request of an exchange type that nobody has assigned, outside of any IKE SA",
    behaviour: bursts(({ header, sa }) => !sa && exchangeTypes.get(header.exchangeType) === undefined),
  },
  {
    ...{ name: "dies-of-stubs-of-ke", depth: "clear", kind: "crash", roles: ["initiator"] },
    effect: "SIGABRT in the key exchange",
    trigger: "an IKE_SA_INIT response whose Key Exchange Data has less than eight octets",
    behaviour: upon(
      () => hasStubOfKe,
      (effects) => effects.crash("import_public_value", "SIGABRT"),
    ),
  },
];
