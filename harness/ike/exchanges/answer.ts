/** What the answers to requests have in common. */
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { Payload, Proposal } from "../../wire/types.ts";
import { errorNotify, notifies, notifyText } from "../payloads.ts";
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
  return error ? `refused with ${notifyText(error)}` : "the response lacks a Nonce";
};

/** What the peer has made of a command so far. */
export interface Tried {
  /** How often it was put off. */
  putOff: number;
  /** Groups that were refused with INVALID_KE_PAYLOAD. */
  groups: readonly number[];
}

export const UNTRIED: Tried = { putOff: 0, groups: [] };

/**
 * What comes of `group`: the one that INVALID_KE_PAYLOAD names in its place, if we offered it and never used it. A peer that
 * names two in turn would keep us busy for ever.
 */
export function otherGroup(
  payloads: Payload[],
  offers: Proposal[],
  tried: Tried,
  group: number | undefined,
): { group: number; tried: Tried } | undefined {
  const [wanted] = notifies(payloads, NOTIFY.INVALID_KE_PAYLOAD);
  if (wanted?.data.length !== 2) return undefined;
  const other = ((wanted.data[0] ?? 0) << 8) | (wanted.data[1] ?? 0);
  const refused = group === undefined ? tried.groups : [...tried.groups, group];
  if (refused.includes(other) || !groups(offers).includes(other)) return undefined;
  return { group: other, tried: { ...tried, groups: refused } };
}
