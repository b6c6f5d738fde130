/** What the answers to requests have in common. */
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { Payload, Proposal } from "../../wire/types.ts";
import { errorNotify, notifies } from "../payloads.ts";
import { groups } from "./ike-sa-init.ts";

export interface Answer {
  payloads: Payload[];
  /** Set to close the IKE SA once the answer is sent. */
  close?: string;
  /** Called once the answer is sent. */
  sent?: () => void;
}

/** An answer that needs the event loop (TLS). */
export interface LaterAnswer {
  later: Promise<Answer>;
}

export const NO_ANSWER = "no answer to CREATE_CHILD_SA";

export const refusal = (payloads: Payload[]): string => {
  const error = errorNotify(payloads);
  return error ? `refused with notify ${error.notifyType}` : "the response lacks a Nonce";
};

/** The group that INVALID_KE_PAYLOAD names, if we offered it and did not just use it. */
export function otherGroup(
  payloads: Payload[],
  offers: Proposal[],
  used: number | undefined,
): number | undefined {
  const [wanted] = notifies(payloads, NOTIFY.INVALID_KE_PAYLOAD);
  if (wanted?.data.length !== 2) return undefined;
  const group = ((wanted.data[0] ?? 0) << 8) | (wanted.data[1] ?? 0);
  return group !== used && groups(offers).includes(group) ? group : undefined;
}
