/** Additional key exchanges behind CREATE_CHILD_SA: RFC 9370 section 2.2.4. */
import type { KeyPair } from "../crypto/types.ts";
import { additionalMethods } from "../ike/additional-ke.ts";
import type { Doing } from "../ike/collisions.ts";
import type { Core } from "../ike/core.ts";
import type { Answer } from "../ike/exchanges/answer.ts";
import { endByKeValue } from "../ike/exchanges/child.ts";
import { kePayload } from "../ike/exchanges/ike-sa-init.ts";
import { deleteIke } from "../ike/exchanges/informational.ts";
import type { Extension, FurtherSecrets, Held, IncomingMessage } from "../ike/hooks.ts";
import { freshKeyPair } from "../ike/key-pair.ts";
import { errorNotify, hasNotify, notifies, notify, notifyText } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { sendRequest } from "../ike/send.ts";
import { equal } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import { keOf } from "./ke-of-round.ts";
import { perIkeSa } from "./per-ike-sa.ts";

/** Makes the data of ADDITIONAL_KEY_EXCHANGE, which only its maker understands. */
export type LinkMaker = (core: Core) => Uint8Array;

const LINK_OCTETS = 8;
const randomLink: LinkMaker = (core) => core.random(LINK_OCTETS);

/** Series of one IKE SA that are open at a time; the oldest gives way. */
const MOST_SERIES = 8;
/** So many times in a row the peer may have forgotten a series before we think that it has forgotten all. */
const MOST_FORGOTTEN = 3;

/** What the responder keeps until the next request. */
interface Series {
  link: Uint8Array;
  /** Methods that are still to come, in order. */
  methods: number[];
  secrets: Uint8Array[];
  held: Held;
  cancel: () => void;
}

/** The series of each IKE SA that wait for their next request. */
class OpenSeries {
  readonly of = perIkeSa<Series[]>(() => []);

  keep(core: Core, sa: IkeSa, series: Series): void {
    const all = this.of(sa);
    const [oldest] = all;
    if (oldest && all.length >= MOST_SERIES) this.drop(sa, oldest);
    series.cancel = core.after(core.decide("time for a series", 15_000), () => this.drop(sa, series));
    all.push(series);
  }

  take(sa: IkeSa, series: Series): void {
    series.cancel();
    const all = this.of(sa);
    const at = all.indexOf(series);
    if (at >= 0) all.splice(at, 1);
  }

  /** It will not go on. */
  drop(sa: IkeSa, series: Series): void {
    this.take(sa, series);
    series.held.dropped();
  }
}

/** Both ends of IKE_FOLLOWUP_KE. */
export function followUp(link: LinkMaker = randomLink): Extension {
  const open = new OpenSeries();
  const forgotten = new WeakMap<IkeSa, number>();
  return {
    name: "follow-up",
    continues: (core, sa, proposal, response, doing, done) => {
      const methods = additionalMethods(proposal);
      if (methods.length === 0) return false;
      next({ core, sa, methods, doing, done, forgotten }, response, []);
      return true;
    },
    holds: (core, sa, proposal, held) => {
      const methods = additionalMethods(proposal);
      if (methods.length === 0) return undefined;
      const series: Series = { link: link(core), methods, secrets: [], held, cancel: () => {} };
      open.keep(core, sa, series);
      return [notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, series.link)];
    },
    answers: (core, sa, request) => {
      if (request.header.exchangeType !== EXCHANGE.IKE_FOLLOWUP_KE) return undefined;
      const series = find(core, open.of(sa), request.payloads);
      if (!series) return { payloads: [notify(NOTIFY.STATE_NOT_FOUND)] };
      open.take(sa, series);
      const answer = answerRound(core, series, request.payloads, link);
      if (errorNotify(answer.payloads)) series.held.dropped();
      else if (series.methods.length > 0) open.keep(core, sa, series);
      return answer;
    },
    ikeClosed: (_core, sa) => {
      for (const series of [...open.of(sa)]) open.drop(sa, series);
    },
  };
}

function find(core: Core, all: Series[], request: Payload[]): Series | undefined {
  const [named] = notifies(request, NOTIFY.ADDITIONAL_KEY_EXCHANGE);
  const found = all.find(({ link }) => named && equal(named.data, link));
  return found ?? (core.decide("link of a series", "must match") === "ignore" ? all.at(-1) : undefined);
}

/** Answers one exchange; `series` has its next state after it. */
function answerRound(core: Core, series: Series, request: Payload[], link: LinkMaker): Answer {
  const method = series.methods.shift() ?? 0;
  const ke = keOf(core, request, method);
  const keyPair = ke && freshKeyPair(core, method, ke.data);
  const secret = ke && keyPair?.derive(ke.data);
  if (!keyPair || !(secret instanceof Uint8Array))
    return { payloads: [notify(NOTIFY.INVALID_SYNTAX)], close: "IKE_FOLLOWUP_KE: the KE payload is refused" };
  series.secrets.push(secret);
  const answer = [kePayload(method, keyPair.publicValue)];
  const last = series.methods.length === 0;
  if (last && !series.held.finish(series.secrets)) return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  if (last && core.decide("link in the last IKE_FOLLOWUP_KE", "left out") !== "sent")
    return { payloads: answer };
  series.link = link(core);
  return { payloads: [...answer, notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, series.link)] };
}

/** The initiator's way through a series. */
interface Run {
  core: Core;
  sa: IkeSa;
  /** Those still to come. */
  methods: number[];
  doing: Doing;
  done: FurtherSecrets;
  /** Times in a row that the peer said STATE_NOT_FOUND, by IKE SA. */
  forgotten: WeakMap<IkeSa, number>;
}

/** After `response`, which has the link for the next exchange. */
function next(run: Run, { payloads }: IncomingMessage, secrets: Uint8Array[]): void {
  const { core, sa, methods, doing, done } = run;
  const [method, ...rest] = methods;
  const [link] = notifies(payloads, NOTIFY.ADDITIONAL_KEY_EXCHANGE);
  const linkFault = faultOfLink(core, method, link?.data);
  if (linkFault) return done(linkFault);
  if (method === undefined) return done(secrets);
  const keyPair = freshKeyPair(core, method);
  if (!keyPair) return done("no code for the method of an additional key exchange");
  const request = [
    kePayload(method, keyPair.publicValue),
    ...(link ? [notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, link.data)] : []),
  ];
  const answered = (response: IncomingMessage | undefined): void => {
    if (!response) return done("no answer to IKE_FOLLOWUP_KE");
    const secret = takeRound(run, method, keyPair, response);
    if (typeof secret === "string") return done(secret);
    next({ ...run, methods: rest }, response, [...secrets, secret]);
  };
  sendRequest(core, sa, EXCHANGE.IKE_FOLLOWUP_KE, request, answered, { doing });
}

/** Why the series cannot go on, or end, with this link. */
function faultOfLink(
  core: Core,
  method: number | undefined,
  link: Uint8Array | undefined,
): string | undefined {
  const last = method === undefined;
  const expected = !last || core.decide("link in the last IKE_FOLLOWUP_KE", "left out") === "expected";
  if (expected && !link) return "the response lacks ADDITIONAL_KEY_EXCHANGE";
  const fixed = core.decide("size of a link", "any") === "8 octets only";
  return fixed && link && link.length !== LINK_OCTETS ? "the size of ADDITIONAL_KEY_EXCHANGE" : undefined;
}

/** The secret of one exchange, or why there is none. */
function takeRound(
  { core, sa, forgotten }: Run,
  method: number,
  keyPair: KeyPair,
  response: IncomingMessage,
): Uint8Array | string {
  const { payloads } = response;
  const unknown = hasNotify(payloads, NOTIFY.STATE_NOT_FOUND);
  const times = unknown ? (forgotten.get(sa) ?? 0) + 1 : 0;
  forgotten.set(sa, times);
  const keeps =
    core.decide("series that the peer has lost", "delete the IKE SA after some") === "keep the IKE SA";
  if (times >= MOST_FORGOTTEN && !keeps) deleteIke(core, sa, () => {});
  const error = errorNotify(payloads);
  if (error) return `IKE_FOLLOWUP_KE was refused with ${notifyText(error)}`;
  const ke = keOf(core, payloads, method);
  const secret = ke && keyPair.derive(ke.data);
  if (secret instanceof Uint8Array) return secret;
  endByKeValue(core, sa);
  return `additional key exchange: ${secret?.reason ?? "no KE of its method"}`;
}
