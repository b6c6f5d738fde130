/** Faults that show only after two and more valid exchanges in a set order. */
import type { Core } from "../../../harness/ike/core.ts";
import type { Extension } from "../../../harness/ike/hooks.ts";
import { payload } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { equal, hex } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import type { DeletePayload, Payload } from "../../../harness/wire/types.ts";
import type { Effects } from "./effects.ts";
import { decidesUpon, type Fault, isOf, type Trigger, upon } from "./fault.ts";
import type { Seen } from "./watch.ts";

const isAsked = (message: Seen): boolean =>
  message.fresh && message.sa?.established === true && !message.isResponse;

const childDeletes = (payloads: Payload[]): DeletePayload[] =>
  payloads.filter((p): p is DeletePayload => p.kind === "Delete" && p.protocolId === PROTOCOL.ESP);

/** SPIs that the message names: of Deletes, and of REKEY_SA. */
const namedBy = (payloads: Payload[]): Uint8Array[] => [
  ...childDeletes(payloads).flatMap(({ spis }) => spis),
  ...payloads.flatMap((p) => (p.kind === "Notify" && p.notifyType === NOTIFY.REKEY_SA ? [p.spi] : [])),
];

const MOST_REMEMBERED = 256;

/** Names a Child SA that the other end has deleted before. */
function namesTheDeleted(): Trigger {
  const deleted = new Set<string>();
  return (message, core) => {
    if (!isAsked(message)) return false;
    const again = namedBy(message.payloads).some((spi) => deleted.has(hex(spi)));
    const known = core.children().map(({ spiOut }) => hex(spiOut));
    for (const spi of childDeletes(message.payloads).flatMap(({ spis }) => spis))
      if (known.includes(hex(spi)) && deleted.size < MOST_REMEMBERED) deleted.add(hex(spi));
    return again;
  };
}

/** Other content under the Message ID of a request that deleted a Child SA. */
function changesTheDelete(): Trigger {
  const last = new WeakMap<IkeSa, { messageId: number; inner: Uint8Array }>();
  return ({ sa, header, isResponse, inner, payloads, fresh }) => {
    if (!sa || !inner || isResponse || header.exchangeType !== EXCHANGE.INFORMATIONAL) return false;
    const before = last.get(sa);
    if (before?.messageId === header.messageId) return !equal(before.inner, inner);
    if (fresh && childDeletes(payloads).some(({ spis }) => spis.length > 0))
      last.set(sa, { messageId: header.messageId, inner });
    return false;
  };
}

const LEAST_NONCE = 16;

/** A nonce that is too short, in CREATE_CHILD_SA, after a Child SA was deleted. */
function shortensNonces(): Trigger {
  const deleted = new WeakSet<IkeSa>();
  return (message) => {
    const { sa, payloads } = message;
    if (!sa || !isAsked(message)) return false;
    if (childDeletes(payloads).some(({ spis }) => spis.length > 0)) deleted.add(sa);
    const nonce = payload(payloads, "Nonce");
    const isShort = nonce !== undefined && nonce.data.length < LEAST_NONCE;
    return isShort && isOf(message, EXCHANGE.CREATE_CHILD_SA, "request") && deleted.has(sa);
  };
}

/** Whoever has this identity has proved it before, on an IKE SA that stands. */
const isKnown: Trigger = ({ sa, payloads, header, isResponse }, core) => {
  const id = payload(payloads, "ID", PAYLOAD.IDi);
  if (!sa || !id || isResponse || header.exchangeType !== EXCHANGE.IKE_AUTH) return false;
  return [...core.sas.values()].some(
    ({ established, remoteIdentity }) =>
      established && remoteIdentity?.type === id.idType && equal(remoteIdentity.data, id.data),
  );
};

/** Knows the IKE SAs that came of rekeying. */
function rekeyed(): { has(sa: IkeSa | undefined): boolean; ikeKeys: Extension["ikeKeys"] } {
  const made = new WeakSet<IkeSa>();
  return {
    has: (sa) => sa !== undefined && made.has(sa),
    ikeKeys: ({ sa, replaces }) => {
      if (replaces) made.add(sa);
    },
  };
}

/** Something happens upon a message on an IKE SA that came of rekeying. */
const uponRekeyed =
  (trigger: Trigger, act: (effects: Effects) => void): Fault["behaviour"] =>
  (effects) => {
    const { has, ikeKeys } = rekeyed();
    const whole: Trigger = (message, core) => has(message.sa) && trigger(message, core);
    return { ...upon(() => whole, act)(effects), ike: { ikeKeys } };
  };

const LEAK = 4 * 2 ** 20;

const deletesTheUnknown: Trigger = (message, core: Core) => {
  const known = core.children().map(({ spiOut }) => hex(spiOut));
  const spis = childDeletes(message.payloads).flatMap((d) => d.spis);
  return isAsked(message) && spis.some((spi) => !known.includes(hex(spi)));
};

/** A response to the peer's CREATE_CHILD_SA that makes a Child SA without selectors. */
const lacksSelectors: Trigger = ({ sa, fresh, payloads, header, isResponse }) => {
  const has = (type: number): boolean => payloads.some((p) => p.type === type);
  const isAnswer = isResponse && header.exchangeType === EXCHANGE.CREATE_CHILD_SA;
  const isOfChild = sa?.pending?.doing?.what === "rekey Child" || sa?.pending?.doing?.what === "create Child";
  return fresh && isAnswer && isOfChild && has(PAYLOAD.SA) && !(has(PAYLOAD.TSi) && has(PAYLOAD.TSr));
};

export const orderFaults: readonly Fault[] = [
  {
    ...{
      name: "dies-of-spis-it-has-freed",
      depth: "order",
      kind: "crash",
      roles: ["responder", "initiator"],
    },
    effect: "SIGABRT by a double free",
    trigger: "after the Delete of a Child SA, a Delete or a REKEY_SA that names it once more",
    behaviour: upon(namesTheDeleted, (effects) => effects.crash("free_child_sa", "SIGABRT")),
  },
  {
    ...{
      name: "keeps-deletes-after-a-rekey",
      depth: "order",
      kind: "leak",
      roles: ["responder", "initiator"],
    },
    effect: "4 MiB for each",
    trigger: "on an IKE SA that came of rekeying, a Delete for a Child SA that there is not",
    behaviour: uponRekeyed(deletesTheUnknown, (effects) => effects.leak(LEAK)),
  },
  {
    ...{
      name: "waits-for-the-delete-it-knew",
      depth: "order",
      kind: "hang",
      roles: ["responder", "initiator"],
    },
    effect: "answers nobody any more",
    trigger: "after the Delete of a Child SA, another request with its Message ID",
    behaviour: upon(changesTheDelete, (effects) => effects.hang()),
  },
  {
    ...{ name: "takes-short-nonces-after-a-delete", depth: "order", kind: "accept" },
    roles: ["responder", "initiator"],
    effect: "new SAs of a nonce of less than 16 octets",
    trigger: "after the Delete of a Child SA, CREATE_CHILD_SA with such a nonce",
    behaviour: () => decidesUpon(shortensNonces, { "malformed message": "accept" }),
  },
  {
    ...{ name: "trusts-whom-it-knows", depth: "order", kind: "bypass", roles: ["responder"] },
    effect: "an IKE SA with whoever names an identity that has one",
    trigger: "beside an established IKE SA, a second IKE_AUTH of its identity with a wrong AUTH",
    behaviour: () => decidesUpon(() => isKnown, { "wrong AUTH": "accept" }),
  },
  {
    ...{ name: "spins-without-selectors-after-a-rekey", depth: "order", kind: "loop" },
    roles: ["initiator", "responder"],
    effect: "looks for selectors for ever",
    trigger: "on an IKE SA that came of rekeying, a response that makes its Child SA without TSi or TSr",
    behaviour: uponRekeyed(lacksSelectors, (effects) => effects.loop()),
  },
];
