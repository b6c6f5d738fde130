/** A group member (GM) of RFC 9838: registers, takes rekeys, sends and receives. It lives on an endpoint and its data plane. */
import type { DataPlane, EspExtension } from "../esp/hooks.ts";
import { idPayload } from "../ike/auth/octets.ts";
import type { Core } from "../ike/core.ts";
import type { Answer } from "../ike/exchanges/answer.ts";
import { startChild } from "../ike/exchanges/create-child-sa.ts";
import { deleteIke } from "../ike/exchanges/informational.ts";
import type { Application, Extension, IncomingMessage } from "../ike/hooks.ts";
import { identityKey } from "../ike/identity.ts";
import { errorNotify, hasNotify, notify, notifyText } from "../ike/payloads.ts";
import type { Identity } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { sendRequest } from "../ike/send.ts";
import { successorOf } from "../ike/succession.ts";
import type { Datagram } from "../link/types.ts";
import { concat, equal, readU32 } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Message, Payload } from "../wire/types.ts";
import { ignoreCritical } from "./group-payloads.ts";
import { type Decide, decider } from "./hooks.ts";
import type { Unwrap } from "./key-path.ts";
import { type Wrapping, wrappingOf } from "./keys.ts";
import { openFor, sendTo } from "./member-data.ts";
import { JoinedGroup, type Surroundings } from "./member-group.ts";
import { keysOf } from "./member-keys.ts";
import { groupPayloads, groupsFor, takeMessage } from "./member-message.ts";
import { type Acceptable, type Fault, isFault, planOf } from "./member-policy.ts";
import { reconnect } from "./member-reconnect.ts";
import { acceptRekey } from "./member-rekey.ts";
import { requestPayloads } from "./member-request.ts";
import type { GroupWishes, HeldRekey, MemberOptions, Membership } from "./member-types.ts";

export { everything, ordinaryMember } from "./member-request.ts";
export type { GroupWishes, MemberEvent, MemberOptions, MemberPolicy, Membership } from "./member-types.ts";

/** By which a member leaves a group, or refuses its policy (section 2.3.2). */
export type LeavingReason = "NO_PROPOSAL_CHOSEN" | "REGISTRATION_FAILED";

type Done = (failure?: string) => void;

export class Member {
  /** Answers GSA_INBAND_REKEY, takes GSA_REKEY, notices the end of IKE SAs. */
  readonly extension: Extension;
  /** Opens the ESP of data SAs. */
  readonly esp: EspExtension;
  readonly #options: MemberOptions;
  readonly #decide: Decide;
  readonly #groups = new Map<string, JoinedGroup>();
  readonly #around: Surroundings;
  #core?: Core;
  #plane?: DataPlane;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#decide = decider(options.hooks);
    this.#around = {
      ...{ options, decide: this.#decide },
      now: () => this.#plane?.now() ?? 0,
      after: (ms, action) => this.#core?.after(ms, action) ?? (() => {}),
      registerAgain: (group, reason, when) => this.#registerAgain(group, reason, when),
    };
    this.extension = {
      name: "group member",
      answers: (core, sa, request) => this.#answer(core, sa, request),
      incoming: ignoreCritical,
      foreign: (_core, message, octets, datagram) => this.#foreign(message, octets, datagram),
      ikeClosed: (_core, sa) => this.#ikeClosed(sa),
    };
    this.esp = { name: "group member", stray: (packet, datagram) => this.#takeEsp(packet, datagram) };
  }

  /** Before anything else. */
  begin(core: Core, plane: DataPlane): void {
    this.#core = core;
    this.#plane = plane;
  }

  membership(group: Identity): Membership | undefined {
    return this.#groups.get(identityKey(group));
  }

  /** The part of GSA_AUTH that registers. */
  application(group: Identity, wishes: GroupWishes): Application {
    return {
      exchangeType: EXCHANGE.GSA_AUTH,
      request: () => this.#request(group, wishes),
      take: (sa, response) => this.#registered(sa, group, wishes, response),
    };
  }

  /** Registers by GSA_REGISTRATION on an IKE SA that stands. */
  register(sa: IkeSa, group: Identity, wishes: GroupWishes, done: Done = () => {}): void {
    if (!this.#core) throw new Error("begin comes first");
    sendRequest(this.#core, sa, EXCHANGE.GSA_REGISTRATION, this.#request(group, wishes), (response, on) => {
      done(
        response ? this.#registered(on, group, wishes, response.payloads) : "no answer to GSA_REGISTRATION",
      );
    });
  }

  #request(group: Identity, wishes: GroupWishes): Payload[] {
    return requestPayloads(group, wishes, this.#options.policy);
  }

  /** Tells the controller, and forgets the group (section 2.3.2). */
  leave(sa: IkeSa, group: Identity, reason: LeavingReason, done: () => void = () => {}): void {
    this.#groups.get(identityKey(group))?.end("left", "we left");
    this.#groups.delete(identityKey(group));
    if (!this.#core) throw new Error("begin comes first");
    const payloads = [idPayload(PAYLOAD.IDg, group), notify(NOTIFY[reason])];
    sendRequest(this.#core, successorOf(sa), EXCHANGE.GSA_REGISTRATION, payloads, () => done());
  }

  /** Sends a UDP datagram to the group in multicast ESP; false where we have no SA to send on. */
  send(group: Identity, data: Uint8Array): boolean {
    const state = this.#groups.get(identityKey(group));
    if (!state || !this.#plane) return false;
    return sendTo(state, data, this.#plane, this.#decide, this.#options.policy.port);
  }

  /** How this member opens wrapped keys. */
  #own({ kwa, GSK_w }: Wrapping): Wrapping {
    const unwrap = this.#options.hooks.reduce(
      (before: Unwrap, hook) => hook.unwrap?.(before) ?? before,
      kwa.unwrap,
    );
    return { GSK_w, kwa: { ...kwa, unwrap } };
  }

  #acceptable({ SAg }: GroupWishes): Acceptable {
    return SAg === undefined || SAg === "none" ? this.#options.policy.SAg : SAg;
  }

  /** Takes the answer to a registration; a string says why nothing came of it. */
  #registered(sa: IkeSa, group: Identity, wishes: GroupWishes, response: Payload[]): string | undefined {
    const failure = this.#refused(response) ?? this.#takeRegistration(sa, group, wishes, response);
    if (failure !== undefined) this.#options.event({ type: "registration-failed", group, reason: failure });
    return failure;
  }

  #refused(response: Payload[]): string | undefined {
    const error = errorNotify(response);
    return error && `refused with ${notifyText(error)}`;
  }

  #takeRegistration(
    sa: IkeSa,
    group: Identity,
    wishes: GroupWishes,
    response: Payload[],
  ): string | undefined {
    const found = groupPayloads(response);
    const wrapping = wrappingOf(sa);
    if (!wrapping) return "the IKE SA has no key wrap algorithm";
    if (!found) return "neither GSA nor KD";
    if (isFault(found)) return this.#refuse(sa, group, found);
    const takesAny = this.#decide("unacceptable policy", "refuse") === "take it";
    const plan = planOf(found.gsa, "registration", this.#acceptable(wishes), { takesAny });
    if (isFault(plan)) return this.#refuse(sa, group, plan);
    const keys = keysOf(found.kd, plan, { wrapping: this.#own(wrapping), path: [], way: "registration" });
    if (isFault(keys)) return this.#refuse(sa, group, keys);
    const state = this.#groups.get(identityKey(group)) ?? new JoinedGroup(group, wishes, sa, this.#around);
    this.#groups.set(identityKey(group), state);
    state.ike = sa;
    state.wishes = wishes;
    state.state = "registered";
    state.mode = hasNotify(response, NOTIFY.USE_TRANSPORT_MODE) ? "transport" : "tunnel";
    state.registering?.();
    state.registering = undefined;
    const trouble = state.take(plan, keys, "registration");
    this.#options.event({ type: "registered", group });
    if (trouble) this.#registerAgain(state, trouble, "spread");
    else state.failures = 0;
    this.#useFurther(sa);
    return undefined;
  }

  /** Who is no liar leaves the IKE SA as it is: its controller closes it, or sends rekeys on it. */
  #useFurther(sa: IkeSa): void {
    const core = this.#core;
    const manner = this.#decide("IKE SA after registration", "keep");
    if (!core || manner === "keep") return;
    core.after(0, () => {
      if (manner === "delete") deleteIke(core, sa, () => {});
      else startChild(core, sa, {}, () => {});
    });
  }

  /** Section 2.3.2: a policy that we cannot live with is refused by leaving the group. */
  #refuse(sa: IkeSa, group: Identity, { reason, fault: kind }: Fault): string {
    this.#options.event({ type: "finding", group, finding: reason });
    // The exchange that brought the policy has to end first.
    this.#core?.after(0, () => {
      if (successorOf(sa).established)
        this.leave(sa, group, kind === "malformed" ? "REGISTRATION_FAILED" : "NO_PROPOSAL_CHOSEN");
    });
    return `the policy is ${kind}: ${reason}`;
  }

  #registerAgain(group: JoinedGroup, reason: string, when: "now" | "spread"): void {
    if (group.registering || group.state === "left") return;
    const { policy, random, event } = this.#options;
    if (++group.failures > policy.tries) {
      group.end("excluded", "registrations bring nothing");
      return event({
        type: "excluded",
        group: group.group,
        reason: `${policy.tries} registrations brought nothing`,
      });
    }
    event({ type: "registers-again", group: group.group, reason });
    const share = readU32(random(4), 0) / 2 ** 32;
    const wait = when === "now" ? 0 : share * policy.spreadMs * group.failures;
    group.registering = this.#around.after(wait, () => this.#registerNow(group));
  }

  #registerNow(group: JoinedGroup): void {
    const core = this.#core;
    if (!core) return;
    const done: Done = (failure) => {
      if (!failure || group.state === "left") return;
      group.registering = undefined;
      this.#registerAgain(group, failure, "spread");
    };
    const sa = this.#standing(group);
    if (sa) this.register(sa, group.group, group.wishes, done);
    else reconnect(core, group.ike, this.application(group.group, group.wishes), done);
  }

  /** An IKE SA with the controller of the group: its own, or that of another group. */
  #standing(group: JoinedGroup): IkeSa | undefined {
    const sas = [group, ...this.#groups.values()].map(({ ike }) => successorOf(ike));
    return sas.find((sa) => sa.established && sa.remote.host === group.ike.remote.host);
  }

  #exclude(group: JoinedGroup, reason: string): void {
    const manner = this.#decide("exclusion", "register again");
    if (manner === "go on") return;
    group.end("excluded", reason);
    this.#options.event({ type: "excluded", group: group.group, reason });
    if (manner !== "stay out") this.#registerAgain(group, reason, "spread");
  }

  /** Without a Rekey SA the IKE SA is all that keeps the member in the group (section 2.3.3). */
  #ikeClosed(sa: IkeSa): void {
    for (const group of this.#groups.values()) {
      if (group.ike !== sa) continue;
      const now = successorOf(sa);
      if (now !== sa && now.established) group.ike = now;
      else if (group.state === "registered") this.#lostIke(group);
    }
  }

  #lostIke(group: JoinedGroup): void {
    const excluded = group.rekey
      ? this.#decide("end of the IKE SA beside a Rekey SA", "stays") === "excluded"
      : this.#decide("IKE SA without Rekey SA ends", "excluded") === "excluded";
    if (excluded) this.#exclude(group, "its IKE SA ended");
  }

  /** Unicast Child SAs have no place on the IKE SA of a registration (section 2.3). */
  #refuseChild({ payloads }: IncomingMessage): Answer | undefined {
    const refuses = this.#decide("Child SA on a registration SA", "refuse") === "refuse";
    const child = payloads.some(({ kind }) => kind === "TS");
    return refuses && child ? { payloads: [notify(NOTIFY.NO_ADDITIONAL_SAS)] } : undefined;
  }

  /** GSA_INBAND_REKEY (section 2.4.2), and no Child SA beside a group (section 2.3). */
  #answer(_core: Core, sa: IkeSa, request: IncomingMessage): Answer | undefined {
    const { exchangeType } = request.header;
    const groups = [...this.#groups.values()].filter(({ ike }) => successorOf(ike) === sa);
    if (exchangeType === EXCHANGE.CREATE_CHILD_SA && groups.length > 0) return this.#refuseChild(request);
    if (exchangeType !== EXCHANGE.GSA_INBAND_REKEY) return undefined;
    const addressed = groupsFor(groups, request.payloads);
    const wrapping = wrappingOf(sa);
    if (addressed.length === 0 || !wrapping) return undefined;
    for (const group of addressed) {
      const malformed = this.#takeInband(group, sa, request, this.#own(wrapping));
      if (malformed) return { payloads: [notify(NOTIFY.INVALID_SYNTAX)], close: `malformed: ${malformed}` };
    }
    const manner = this.#decide("answer to GSA_INBAND_REKEY", "empty");
    if (manner === "none") return undefined;
    return { payloads: manner === "empty" ? [] : [notify(NOTIFY.GROUP_SENDER, new Uint8Array(4))] };
  }

  /** Why the message is malformed. */
  #takeInband(
    group: JoinedGroup,
    sa: IkeSa,
    { header: { messageId }, payloads }: IncomingMessage,
    wrapping: Wrapping,
  ): string | undefined {
    const acceptable = this.#acceptable(group.wishes);
    const effect = takeMessage(group, payloads, { way: "inband", wrapping, acceptable });
    if (!isFault(effect)) this.#afterwards(group, effect, { by: "inband", messageId });
    else if (effect.fault === "unacceptable") this.#refuse(sa, group.group, effect);
    else group.tell(effect.reason);
    return isFault(effect) && effect.fault === "malformed" ? effect.reason : undefined;
  }

  #afterwards(
    group: JoinedGroup,
    effect: { trouble?: string; excluded?: true },
    how: { by: "multicast" | "inband"; messageId: number },
  ): void {
    this.#options.event({ type: "rekeyed", group: group.group, ...how });
    if (effect.excluded) this.#exclude(group, "the controller deleted everything");
    else if (effect.trouble) this.#registerAgain(group, effect.trouble, "spread");
  }

  /** GSA_REKEY, and whatever else goes to a group: nothing of that is ever answered. */
  #foreign({ header }: Message, octets: Uint8Array, datagram: Datagram): boolean {
    const spi = concat(header.spiI, header.spiR);
    for (const group of this.#groups.values()) {
      const held = group.rekeys.find(({ planned }) => equal(planned.spi, spi));
      if (held) {
        this.#takeRekey(group, held, octets, datagram);
        return true;
      }
      const promised = group.rekeys.some(({ planned }) => planned.nextSpis.some((next) => equal(next, spi)));
      if (promised) this.#promiseBroken(group);
    }
    return header.exchangeType === EXCHANGE.GSA_REKEY;
  }

  /** An SPI of the future is in use: a rekey was lost (section 4.4.2.2.3). */
  #promiseBroken(group: JoinedGroup): void {
    this.#registerAgain(group, "an SPI that was promised is used already", "spread");
  }

  #takeRekey(group: JoinedGroup, held: HeldRekey, octets: Uint8Array, datagram: Datagram): void {
    if (this.#decide("GSA_REKEY that came", "say nothing") === "send it back")
      this.#plane?.send({ ...datagram, source: group.ike.local, destination: datagram.source });
    const accepted = acceptRekey(group, held, octets, datagram, this.#options.hooks);
    if (!accepted) return;
    const { messageId, payloads } = accepted;
    const effect = takeMessage(group, payloads, {
      ...{ way: "multicast", wrapping: this.#own(held.sa), acceptable: this.#acceptable(group.wishes) },
      lenience: { takesGcauth: this.#decide("GCAUTH in a rekey", "ignore the message") === "take it" },
    });
    if (isFault(effect)) {
      group.tell(`GSA_REKEY ${messageId}: ${effect.reason}`);
      if (effect.fault === "unacceptable") this.#refuse(group.ike, group.group, effect);
      return;
    }
    held.nextMessageId = Math.max(held.nextMessageId, messageId + 1);
    this.#afterwards(group, effect, { by: "multicast", messageId });
  }

  #takeEsp(packet: Uint8Array, datagram: Datagram): Uint8Array[] {
    if (datagram.protocol !== "esp") return [];
    for (const group of this.#groups.values()) {
      const came = openFor(group, datagram, this.#decide);
      if (came) this.#deliver(group, came, datagram);
      else if (this.#isPromised(group, packet)) this.#takePromised(group, packet, datagram);
    }
    return [];
  }

  #takePromised(group: JoinedGroup, packet: Uint8Array, datagram: Datagram): void {
    if (this.#decide("promised SPI unannounced", "register again") === "register again")
      return this.#promiseBroken(group);
    const spi = group.data.at(-1)?.planned.spi ?? new Uint8Array(4);
    const came = openFor(group, { ...datagram, data: concat(spi, packet.subarray(4)) }, this.#decide);
    if (came) this.#deliver(group, came, datagram);
  }

  #isPromised({ data }: JoinedGroup, packet: Uint8Array): boolean {
    const spi = packet.subarray(0, 4);
    // Who alone sends on an SA has no inbound end of it, and can still get its own packets back.
    if (data.some(({ planned }) => equal(planned.spi, spi))) return false;
    return data.some(({ planned }) => planned.nextSpis.some((next) => equal(next, spi)));
  }

  #deliver(
    group: JoinedGroup,
    { sa, delivery }: NonNullable<ReturnType<typeof openFor>>,
    from: Datagram,
  ): void {
    if (delivery === "echo") return;
    if ("finding" in delivery) return group.tell(delivery.finding);
    const { spi } = sa.planned;
    this.#options.event({
      type: "data",
      group: group.group,
      data: delivery.data,
      spi,
      from: from.source.host,
    });
  }
}
