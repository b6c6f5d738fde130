/** What must not come of a message that was changed as it was, by the word of its operator. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { isIpError, parseEcho, parseIp } from "../../harness/wire/ip.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Alarm } from "../alarm.ts";
import { findOperator } from "../operators/index.ts";
import type { Demand, Operator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import { type Act, type Change, changesOf } from "../trace.ts";
import { carries, hasError, provenAt } from "./claims-proof.ts";
import { type Heard, type Said, saKey } from "./lint-heard.ts";
import { isChanged } from "./lint-touched.ts";

type Never = Demand["never"];

/** What no AUTH payload may say but the right one. */
const PROOF: ReadonlySet<string> = new Set(["AUTH/method", "AUTH/data"]);
const UNPROVEN: Demand = { document: "rfc7296", requirement: "IKEV2-001", never: "established" };

/** What must not come of a change: its operator says so, or what it changes does. */
export const demandOf = (change: Change): Demand | undefined =>
  findOperator(change.op)?.demand ?? (PROOF.has(change.at ?? "") ? UNPROVEN : undefined);

const WORDS: Record<Never, { title: string; severity: Alarm["severity"]; oracle: Alarm["oracle"] }> = {
  answer: { title: "answers what it must drop", severity: "high", oracle: "requirement" },
  established: {
    title: "takes an IKE SA for established that nobody was authenticated for",
    ...{ severity: "critical", oracle: "state" },
  },
  child: { title: "makes a Child SA of what it must refuse", severity: "high", oracle: "requirement" },
  delivery: { title: "delivers a packet that it must drop", severity: "high", oracle: "requirement" },
};

/**
 * Judged where there is one change alone, and it was applied: with two of them, one may have undone the other. A message
 * that was repeated as an honest one is not judged.
 */
export function demandAlarms(outcome: Outcome, heard: Heard): Alarm[] {
  const [change, ...more] = changesOf(outcome.case.trace);
  const operator = change && findOperator(change.op);
  const demand = change && demandOf(change);
  if (!operator || !demand || more.length > 0 || !isChanged(outcome)) return [];
  const { never, document, requirement } = demand;
  if (!came(operator, never, outcome, heard)) return [];
  return [
    {
      ...WORDS[never],
      signature: `demand ${never} ${document} ${requirement} ${operator.family}`,
      requirement: { document, id: requirement },
      detail: `after ${operator.name}: ${operator.effect}`,
      alone: true,
    },
  ];
}

function came(operator: Operator, never: Never, outcome: Outcome, heard: Heard): boolean {
  if (operator.on === "esp") return never === "delivery" && isLieInOnlyEcho(outcome) && isDelivered(outcome);
  const [message, ...others] = outcome.changed ?? [];
  if (!message?.sa || others.length > 0) return false;
  const since = outcome.entries.findIndex(({ event }) => event.type === "sent" && event.message === message);
  if (since < 0 || never === "delivery" || isRepeatedHonestly(message, outcome)) return false;
  const sa = saKey(message.sa);
  if (never === "established")
    return !isProvenElsewhere(message, outcome) && provenAt(heard, outcome.entries, sa, since) !== undefined;
  if (message.isResponse) return false;
  const answers = heard.ike.filter(
    (said) => !said.ours && said.opened && said.isResponse && said.sa === sa && said.index > since,
  );
  return never === "answer"
    ? answers.some((said) => answersTo(said, message) && !rejectsVersion(said))
    : answers.some((said) => makesChild(said) && (answersTo(said, message) || endsAuth(said, message)));
}

/** Whether AUTH went out in another message of this IKE SA: then the peer may have heard what is right. */
const isProvenElsewhere = (message: OutgoingMessage, { entries }: Outcome): boolean =>
  message.header.exchangeType !== EXCHANGE.IKE_SA_INIT &&
  entries.some(
    ({ event }) =>
      event.type === "sent" &&
      event.message !== message &&
      event.message.sa === message.sa &&
      event.message.payloads.some(({ type }) => type === PAYLOAD.AUTH),
  );

const answersTo = ({ exchangeType, messageId }: Said, { header }: OutgoingMessage): boolean =>
  exchangeType === header.exchangeType && messageId === header.messageId;

/** What a higher version is answered with (RFC 7296 section 2.5). */
const rejectsVersion = ({ payloads }: Said): boolean =>
  payloads.some(
    (payload) => payload.kind === "Notify" && payload.notifyType === NOTIFY.INVALID_MAJOR_VERSION,
  );

/** In IKE_AUTH the last response grants what the first request asked for. */
const endsAuth = ({ exchangeType }: Said, { header }: OutgoingMessage): boolean =>
  exchangeType === EXCHANGE.IKE_AUTH && header.exchangeType === EXCHANGE.IKE_AUTH;

const makesChild = (said: Said): boolean =>
  carries(said, PAYLOAD.SA) && carries(said, PAYLOAD.TSi) && !hasError(said);

/** Whether another request (or response) of the same Message ID went out, which may be what was answered. */
const isRepeatedHonestly = (message: OutgoingMessage, { entries }: Outcome): boolean =>
  entries.some(
    ({ event }) =>
      event.type === "sent" &&
      event.message !== message &&
      event.message.sa === message.sa &&
      event.message.isResponse === message.isResponse &&
      event.message.header.messageId === message.header.messageId,
  );

/** Whether the change is one of the only packet that we sent, and no step but its own could send another. */
function isLieInOnlyEcho({ case: { trace }, steps }: Outcome): boolean {
  const senders = trace.steps.flatMap((step, at) => (ECHOES.has(step.act) ? [{ step, at }] : []));
  const [only, ...others] = senders;
  if (!only || others.length > 0 || steps[only.at]?.ended === "not begun") return false;
  return only.step.changes?.[0]?.message === 0;
}

const ECHOES: ReadonlySet<Act> = new Set<Act>(["esp", "peer-esp"]);

/** Whether there is an echo reply, though the only echo request that we sent was changed; of copies, more than one reply. */
function isDelivered({ entries }: Outcome): boolean {
  const sent = entries.flatMap(({ event }) => (event.type === "esp-sent" ? [event] : []));
  const [only, ...others] = sent;
  if (!only || others.length > 0) return false;
  const ip = parseIp(only.inner);
  const echo = isIpError(ip) ? ip : parseEcho(ip);
  if (isIpError(echo)) return false;
  const packets = entries.filter(
    ({ event }) => event.type === "datagram-sent" && holds(event.datagram.data, only.packet),
  ).length;
  const replies = entries.filter(
    ({ event }) => event.type === "esp-received" && event.inner?.echo?.reply === true,
  ).length;
  return replies > (packets > 1 ? 1 : 0);
}

/** Whether a datagram is this packet, whatever is in front of it. */
const holds = (datagram: Uint8Array, packet: Uint8Array): boolean =>
  Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).includes(
    Buffer.from(packet.buffer, packet.byteOffset, packet.length),
  );
