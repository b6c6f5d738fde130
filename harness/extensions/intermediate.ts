/** Exchanges between IKE_SA_INIT and IKE_AUTH: RFC 9242. */
import type { Core } from "../ike/core.ts";
import type { Answer } from "../ike/exchanges/answer.ts";
import { awaitAuth } from "../ike/exchanges/ike-sa-init.ts";
import type { Extension, IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { errorNotify, hasNotify, notify, notifyText } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { sendRequest } from "../ike/send.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { IntAuth } from "./int-auth.ts";
import { perIkeSa } from "./per-ike-sa.ts";

/** One IKE_INTERMEDIATE exchange. */
export interface Round {
  /** From 0. */
  number: number;
  /** Whether IKE_AUTH follows; only the initiator knows. */
  last: boolean;
}

/** A document that puts something into these exchanges. Several can share one. */
export interface IntermediateUser {
  /** Whether the exchange is announced for it: the initiator's own wish, or as responder what was agreed on. */
  wants(core: Core, sa: IkeSa): boolean;
  /** How many exchanges it has use for, once both announced them. */
  needs(core: Core, sa: IkeSa): number;
  /** Initiator: its part of the request. */
  request(core: Core, sa: IkeSa, round: Round): Payload[];
  /** Initiator: why the response is refused; undefined if it is not. */
  take(core: Core, sa: IkeSa, round: Round, response: Payload[]): string | undefined;
  /** Responder: its part of the response, or the error that ends the IKE SA. */
  answer(core: Core, sa: IkeSa, round: Round, request: Payload[]): Payload[] | NotifyPayload;
  /** Either end, after the exchange: takes new keys into use. */
  finish(core: Core, sa: IkeSa): void;
  /** Responder: why IKE_AUTH comes too early after so many exchanges. */
  missing(core: Core, sa: IkeSa, rounds: number): string | undefined;
}

/** Exchanges without any need that a responder lets pass where it is told to have some (section 5). */
const MOST_IDLE = 4;

/** What is known of an IKE SA that is being set up. */
interface State {
  /** Whether we announced it ourselves. */
  announced: boolean;
  /** Exchanges that are over. */
  rounds: number;
}

/** Announces the exchange where one of its users wants it, runs it as initiator, answers it, and has AUTH cover it. */
export function intermediate(users: IntermediateUser[]): Extension {
  const stateOf = perIkeSa<State>(() => ({ announced: false, rounds: 0 }));
  const negotiated = (sa: IkeSa): boolean => stateOf(sa).announced && announcedBy(sa);
  const intAuth = new IntAuth();
  return {
    name: "intermediate",
    outgoing: (message, core) => announce(core, message, users, stateOf),
    beforeSeal: (message, inner) => intAuth.sent(message, inner),
    incoming: (message) => {
      intAuth.received(message);
      return undefined;
    },
    authOctets: (inputs) => intAuth.append(inputs),
    beforeAuth: (core, sa, done) => {
      const needed = Math.max(core.policy.intermediate ? 1 : 0, ...users.map((u) => u.needs(core, sa)));
      if (!negotiated(sa) || needed === 0) return false;
      run({ core, sa, users, needed, done: once(done) }, stateOf(sa));
      return true;
    },
    early: (core, sa, request) => {
      if (!negotiated(sa)) return undefined;
      const { exchangeType } = request.header;
      if (AUTHENTICATING.includes(exchangeType)) return tooEarly(core, sa, users, stateOf(sa));
      const late =
        sa.authRounds && core.decide("IKE_INTERMEDIATE between rounds of EAP", "ignore") === "ignore";
      if (exchangeType !== EXCHANGE.IKE_INTERMEDIATE || late) return undefined;
      return answer(core, sa, users, stateOf(sa), request);
    },
  };
}

/** What comes after the last of them (section 3.2). */
const AUTHENTICATING: readonly number[] = [EXCHANGE.IKE_AUTH, EXCHANGE.GSA_AUTH];

const announcedBy = (sa: IkeSa): boolean => sa.announced.has(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);

/** Section 3.1: the responder answers with it, if the initiator announced it. */
function announce(
  core: Core,
  { sa, header, isResponse, payloads }: OutgoingMessage,
  users: IntermediateUser[],
  stateOf: (sa: IkeSa) => State,
): void {
  if (!sa || header.exchangeType !== EXCHANGE.IKE_SA_INIT || !payloads.some((p) => p.kind === "SA")) return;
  const wanted = core.policy.intermediate || users.some((u) => u.wants(core, sa));
  if (!wanted || (isResponse && !announcedBy(sa))) return;
  stateOf(sa).announced = true;
  payloads.push(notify(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED));
}

interface Run {
  core: Core;
  sa: IkeSa;
  users: IntermediateUser[];
  /** Exchanges in all. */
  needed: number;
  done: (failure?: string) => void;
}

/** IKE_AUTH begins once, though it may be told not to wait for the end of the exchanges. */
function once(done: Run["done"]): Run["done"] {
  let called = false;
  return (failure) => {
    if (called) return;
    called = true;
    done(failure);
  };
}

/** The next exchange, or the end of them. */
function run(all: Run, state: State): void {
  const { core, sa, users, needed, done } = all;
  if (state.rounds >= needed) return done();
  const round: Round = { number: state.rounds, last: state.rounds + 1 === needed };
  const payloads = users.flatMap((u) => u.request(core, sa, round));
  sendRequest(core, sa, EXCHANGE.IKE_INTERMEDIATE, payloads, (response) => {
    if (!response) return done(sa.closedBecause ?? "no answer to IKE_INTERMEDIATE");
    const failure = refusal(all, round, response);
    if (failure) return done(failure);
    finish(core, sa, users);
    state.rounds++;
    run(all, state);
  });
  if (core.decide("IKE_AUTH beside IKE_INTERMEDIATE", "wait for the response") === "at once") done();
}

function finish(core: Core, sa: IkeSa, users: IntermediateUser[]): void {
  const order = core.decide("order of new keys in IKE_INTERMEDIATE", "PPK last");
  for (const user of order === "PPK last" ? users : users.toReversed()) user.finish(core, sa);
}

function refusal({ core, sa, users }: Run, round: Round, response: IncomingMessage): string | undefined {
  const error = errorNotify(response.payloads);
  if (error) return `IKE_INTERMEDIATE was refused with ${notifyText(error)}`;
  for (const user of users) {
    const failure = user.take(core, sa, round, response.payloads);
    if (failure) return failure;
  }
  return undefined;
}

function answer(
  core: Core,
  sa: IkeSa,
  users: IntermediateUser[],
  state: State,
  { payloads: request }: IncomingMessage,
): Answer {
  // Who does not let two share an exchange needs one for each.
  const most = users.reduce((sum, u) => sum + u.needs(core, sa), core.policy.intermediate ? MOST_IDLE : 0);
  const beyond = state.rounds >= most;
  if (beyond && core.decide("IKE_INTERMEDIATE beyond the last round", "refuse") === "refuse")
    return { payloads: [notify(NOTIFY.INVALID_SYNTAX)], close: "more IKE_INTERMEDIATE than agreed on" };
  const payloads: Payload[] = [];
  for (const user of users) {
    const part = user.answer(core, sa, { number: state.rounds, last: false }, request);
    if (!Array.isArray(part))
      return { payloads: [part], close: `answered IKE_INTERMEDIATE with ${notifyText(part)}` };
    payloads.push(...part);
  }
  state.rounds++;
  awaitAuth(core, sa);
  return { payloads, sent: () => finish(core, sa, users) };
}

/** IKE_AUTH must wait until all that was agreed on is done. */
function tooEarly(core: Core, sa: IkeSa, users: IntermediateUser[], { rounds }: State): Answer | undefined {
  const missing = users.map((u) => u.missing(core, sa, rounds)).find((m) => m !== undefined);
  if (missing === undefined || core.decide("IKE_AUTH before the last round", "refuse") === "accept")
    return undefined;
  return { payloads: [notify(NOTIFY.AUTHENTICATION_FAILED)], close: missing };
}

/** Whether the peer announced it in this message. */
export const announcesIntermediate = (payloads: Payload[]): boolean =>
  hasNotify(payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
