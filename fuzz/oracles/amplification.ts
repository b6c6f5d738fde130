/**
 * What a forger of our address could make the peer send to us, and what it sends again unasked (RFC 7296 sections 2.1
 * and 2.6).
 *
 * Judged of a peer that responds. Up to the first message of ours that its answer made possible (one that is protected,
 * or has its cookie), the return path is not proven. In that time
 * - each datagram of ours is answered by one at most: a responder repeats nothing by itself;
 * - its octets are at most 3 times ours and 1,500 more: certificate requests, vendor IDs and a hybrid key exchange make
 *   an honest answer larger than its request, but each fits a datagram.
 * At all times a response comes no more often than its request went out. A network may double a datagram or two.
 */
import type { TraceEntry } from "../../harness/script/trace.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import type { PeerRole } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import type { Heard, Said } from "./lint-heard.ts";
import { numbersOf } from "./lint-touched.ts";

const FACTOR = 3;
const ALLOWANCE = 1500;
const SLACK = 2;

const hasCookie = ({ event }: TraceEntry): boolean =>
  event.type === "sent" &&
  event.message.payloads.some((payload) => payload.kind === "Notify" && payload.notifyType === NOTIFY.COOKIE);

/** Place of the first entry at which the peer knows that we get what it sends. */
function provenAt(entries: readonly TraceEntry[]): number {
  const at = entries.findIndex(
    (entry) => hasCookie(entry) || (entry.event.type === "sent" && entry.event.message.protected),
  );
  return at < 0 ? entries.length : at;
}

interface Traffic {
  datagrams: number;
  octets: number;
}

/** What the peer begins by itself, as a driver or its configuration may have it do, answers nothing of ours. */
const isItsOwn = ({ event }: TraceEntry): boolean => {
  if (event.type !== "datagram-received") return false;
  const { kind, data } = partOf(event.datagram);
  return kind === "ike" && numbersOf(data)?.isResponse === false;
};

function trafficOf(entries: readonly TraceEntry[], type: "datagram-sent" | "datagram-received"): Traffic {
  const traffic = { datagrams: 0, octets: 0 };
  for (const { event } of entries) {
    if (event.type !== type || event.datagram.protocol === "tcp") continue;
    traffic.datagrams++;
    traffic.octets += event.datagram.data.length;
  }
  return traffic;
}

const numbers = (one: Traffic): string => `${one.octets} octets in ${one.datagrams} datagrams`;

function beforeProof({ entries }: Outcome): Alarm[] {
  const unproven = entries.slice(0, provenAt(entries));
  const out = trafficOf(unproven, "datagram-sent");
  const back = trafficOf(
    unproven.filter((entry) => !isItsOwn(entry)),
    "datagram-received",
  );
  const many = back.datagrams > out.datagrams + SLACK;
  if (!many && back.octets <= FACTOR * out.octets + ALLOWANCE) return [];
  return [
    {
      ...{ oracle: "state", title: "sends more to an address that nobody has proven than it got from there" },
      ...{ signature: `amplifies in ${many ? "datagrams" : "octets"}`, severity: "high", alone: true },
      detail: `${numbers(out)} brought ${numbers(back)}`,
    },
  ];
}

const keyOf = ({ sa, messageId }: Said): string => `${sa} ${messageId}`;

/** Responses that came again though nothing of ours asked for them again. */
function unasked({ ike }: Heard): Alarm[] {
  const repeats = new Map<string, number>();
  for (const said of ike)
    if (!said.ours && said.isResponse && said.opened && said.seen.repeats !== undefined)
      repeats.set(keyOf(said), (repeats.get(keyOf(said)) ?? 0) + 1);
  // To a peer that finds an IKE SA by its own SPI a request is a repeat whatever the other SPI says.
  const often = [...repeats].find(([key, count]) => {
    const asked = ike.filter(
      (said) => said.ours && !said.isResponse && key.endsWith(` ${said.messageId}`),
    ).length;
    return count > asked + SLACK;
  });
  if (!often) return [];
  return [
    {
      ...{ oracle: "requirement", title: "sends a response again and again without being asked" },
      ...{ signature: "repeats a response unasked", severity: "medium", alone: true },
      ...{ requirement: { document: "rfc7296", id: "IKEV2-054" }, detail: `${often[1]} repeats` },
    },
  ];
}

/** Alarms about a peer that responds; one that begins may send what it likes. */
export const amplificationAlarms = (outcome: Outcome, peer: PeerRole, heard: Heard): Alarm[] =>
  peer === "responder" ? [...beforeProof(outcome), ...unasked(heard)] : [];
