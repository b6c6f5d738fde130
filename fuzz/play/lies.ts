/** Tells the lies of a trace: counts our messages, and changes those that it names. */
import type { SeededRandom } from "../../harness/crypto/seeded-random.ts";
import type { EspExtension, OutgoingEsp } from "../../harness/esp/hooks.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { Extension, OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { Address } from "../../harness/link/types.ts";
import { type Dice, dice } from "../dice.ts";
import type { LieContext, Operator } from "../operators/operator.ts";
import type { Change } from "../trace.ts";
import { detach } from "./copy.ts";
import type { Running } from "./running.ts";

/** Which of our messages: its step, and its number in that, from 0. */
export interface Place {
  step: number;
  message: number;
}

/** Is shown every message before anything of it is changed. */
export type Sees = (place: Place, message: OutgoingMessage | OutgoingEsp) => void;

export interface LiesOptions {
  operators: ReadonlyMap<string, Operator>;
  sees?: Sees | undefined;
  random: SeededRandom;
  /** The datagrams of messages that were sent before the case began. */
  sent?: readonly Uint8Array[][] | undefined;
  /** The step that a message of ours belongs to. */
  stepOf(message: OutgoingMessage | "esp"): Running | undefined;
  /** This message was changed, or something went out beside the messages. */
  lied(what: OutgoingMessage | "esp" | "beside"): void;
}

/** What goes out in the place of a message, and around it. */
interface Plan {
  copies: number;
  hold: boolean;
  before: Uint8Array[];
  after: Uint8Array[];
  /** The message itself. */
  datagrams: Uint8Array[];
}

interface Held {
  datagrams: readonly Uint8Array[];
  route: Route;
}

interface Route {
  source: Address;
  destination: Address;
}

/** Bounds on what operators make of one message, and on what they may look back at. */
const MOST_COPIES = 64;
const MOST_BESIDE = 64;
const MOST_SENT = 64;

export class Lies {
  readonly extension: Extension;
  readonly esp: EspExtension;
  readonly #options: LiesOptions;
  readonly #plans = new Map<OutgoingMessage, Plan>();
  readonly #sent: Uint8Array[][] = [];
  readonly #held: Held[] = [];
  /** Whether anything went out beside the messages, or several times: an answer does not tell what became of that. */
  beside = false;
  /** Messages that were not sent. */
  skipped = 0;
  /** What follows once so many more datagrams have left. */
  #due?: { left: number; actions: (() => void)[] } | undefined;

  constructor(options: LiesOptions) {
    this.#options = options;
    this.#sent.push(...(options.sent ?? []));
    this.extension = { name: "lies", outgoing: (message, core) => this.#outgoing(message, core) };
    this.esp = { name: "lies", outgoing: (packet) => this.#outgoingEsp(packet) };
  }

  #outgoing(message: OutgoingMessage, core: Core): void {
    const running = this.#options.stepOf(message);
    if (!running) return;
    const place = { step: running.index, message: running.sent++ };
    this.#options.sees?.(place, message);
    const changes = changesAt(running, place);
    if (changes.length === 0) return;
    detach(message);
    const plan: Plan = { copies: 1, hold: false, before: [], after: [], datagrams: [] };
    const context = new MessageContext(core, plan, this.#sent, this.#options.random, place);
    const applied = changes.filter((change) => this.#applied(message, change, context, running)).length;
    if (applied === 0) return;
    if (plan.copies === 0 && !plan.hold) this.skipped++;
    this.#plans.set(message, plan);
    message.octets = planned(message.octets, plan);
    this.#options.lied(message);
  }

  /** Whether it fitted. */
  #applied(message: OutgoingMessage, change: Change, context: LieContext, running: Running): boolean {
    const operator = this.#options.operators.get(change.op);
    const before = message.octets;
    message.octets = undefined;
    const fitted = operator?.on === "ike" && safely(() => operator.apply(message, change, context));
    message.octets = following(before, message.octets);
    if (!fitted) running.unfit.push(`${change.message} ${change.op}`);
    return fitted;
  }

  #outgoingEsp(packet: OutgoingEsp): void {
    const running = this.#options.stepOf("esp");
    if (!running) return;
    const place = { step: running.index, message: running.sent++ };
    this.#options.sees?.(place, packet);
    const context = new PlaceContext(this.#options.random, place);
    for (const change of changesAt(running, place)) {
      const operator = this.#options.operators.get(change.op);
      const before = packet.octets;
      packet.octets = undefined;
      const fitted = operator?.on === "esp" && safely(() => operator.apply(packet, change, context));
      packet.octets = following(before, packet.octets);
      if (fitted) this.#options.lied("esp");
      else running.unfit.push(`${change.message} ${change.op}`);
    }
  }

  /** The datagrams of each message so far. */
  get sent(): readonly Uint8Array[][] {
    return this.#sent;
  }

  /** Must be told of every message of ours before its datagrams leave. */
  onSent(message: OutgoingMessage, datagrams: Uint8Array[], core: Core): void {
    const plan = this.#plans.get(message);
    const own = plan ? plan.datagrams : datagrams;
    if (plan && !isPlain(plan)) this.beside = true;
    if (this.#sent.length < MOST_SENT) this.#sent.push(own);
    const route = routeOf(message);
    if (!route) return;
    const send = (octets: Uint8Array) => core.transmit(octets, route.source, route.destination);
    for (const octets of plan?.before ?? []) send(octets);
    const actions = [
      ...(plan?.after ?? []).map((octets) => () => send(octets)),
      ...this.#held.splice(0).map((held) => () => release(core, held)),
    ];
    if (plan?.hold) this.#held.push({ datagrams: own, route });
    if (plan && (plan.hold || plan.copies === 0)) remember(message, own);
    if (actions.length === 0) return;
    if (datagrams.length === 0) for (const action of actions) action();
    else this.#due = { left: datagrams.length, actions };
  }

  /** Must be told of every datagram that has left. */
  onTransmitted(): void {
    const due = this.#due;
    if (!due || --due.left > 0) return;
    this.#due = undefined;
    for (const action of due.actions) action();
  }

  /** Sends what is held back still. */
  release(core: Core): void {
    const all = this.#held.splice(0);
    if (all.length > 0) this.#options.lied("beside");
    for (const held of all) release(core, held);
  }
}

/** Getters stand in a class: of a literal each would have a hidden class of its own, which holds on to everything here. */
class PlaceContext {
  readonly #random: SeededRandom;
  readonly #place: Place;
  #dice?: Dice;

  constructor(random: SeededRandom, place: Place) {
    this.#random = random;
    this.#place = place;
  }

  /** Made when it is asked for, as most operators need none. */
  get dice(): Dice {
    const { step, message } = this.#place;
    this.#dice ??= dice(this.#random.fork(`lie ${step} ${message}`));
    return this.#dice;
  }
}

class MessageContext extends PlaceContext implements LieContext {
  readonly core: Core;
  readonly sent: readonly Uint8Array[][];
  readonly #plan: Plan;

  constructor(core: Core, plan: Plan, sent: readonly Uint8Array[][], random: SeededRandom, place: Place) {
    super(random, place);
    this.core = core;
    this.sent = sent;
    this.#plan = plan;
  }

  // Operators take these out of it.
  readonly copies = (copies: number): void => {
    this.#plan.copies = Math.max(0, Math.min(MOST_COPIES, Math.trunc(copies)));
  };

  readonly hold = (): void => {
    this.#plan.hold = true;
  };

  readonly also = (octets: Uint8Array, when: "before" | "after"): void => {
    const { before, after } = this.#plan;
    if (before.length + after.length < MOST_BESIDE) this.#plan[when].push(octets);
  };
}

const changesAt = ({ step }: Running, { message }: Place): Change[] =>
  step.changes?.filter((change) => change.message === message) ?? [];

const isPlain = ({ before, after, copies, hold, datagrams }: Plan): boolean =>
  before.length + after.length === 0 && copies === 1 && !hold && datagrams.length === 1;

/** No operator can break a campaign. */
function safely(apply: () => boolean): boolean {
  try {
    return apply();
  } catch {
    return false;
  }
}

type Octets = OutgoingMessage["octets"];

/** Both changes of octets, one after the other. */
function following(first: Octets, then: Octets): Octets {
  if (!first || !then) return first ?? then;
  return (datagram) => first(datagram).flatMap((octets) => then(octets));
}

/** Keeps what the message became, and lets as much of it out as is planned. */
function planned(change: Octets, plan: Plan): Octets {
  return (datagram) => {
    const octets = change ? change(datagram) : [datagram];
    plan.datagrams.push(...octets);
    if (plan.hold || plan.copies === 0) return [];
    return Array.from({ length: plan.copies }, () => octets).flat();
  };
}

/** AUTH covers an IKE_SA_INIT request that is still to leave, too. */
function remember({ sa, isResponse }: OutgoingMessage, [first]: readonly Uint8Array[]): void {
  if (!sa || !first || sa.keys) return;
  if (isResponse) sa.initResponse = first;
  else sa.initRequest = first;
}

function routeOf({ sa, request, source, destination }: OutgoingMessage): Route | undefined {
  const from = source ?? request?.datagram.destination ?? sa?.local;
  const to = destination ?? request?.datagram.source ?? sa?.remote;
  return from && to && { source: from, destination: to };
}

function release(core: Core, { datagrams, route }: Held): void {
  for (const octets of datagrams) core.transmit(octets, route.source, route.destination);
}
