/** A group controller and key server (GCKS) of RFC 9838, on an endpoint that others connect to. */
import type { Random } from "../crypto/types.ts";
import type { Core } from "../ike/core.ts";
import type { Answer } from "../ike/exchanges/answer.ts";
import { deleteIke } from "../ike/exchanges/informational.ts";
import type { Extension, IncomingMessage } from "../ike/hooks.ts";
import { identityKey } from "../ike/identity.ts";
import { notify } from "../ike/payloads.ts";
import type { Identity } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { sendClearAnswer } from "../ike/send.ts";
import { successorOf } from "../ike/succession.ts";
import type { Address, Datagram } from "../link/types.ts";
import type { Credential } from "../pki/types.ts";
import { concat, equal } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Message, Payload } from "../wire/types.ts";
import { answerRegistration } from "./controller-registration.ts";
import { deleteSas, exclude, rekey, type What } from "./controller-rekey.ts";
import type { Env } from "./controller-send.ts";
import { type GroupMember, GroupState, ikeOf } from "./controller-state.ts";
import { ignoreCritical } from "./group-payloads.ts";
import { decider, type GroupHooks } from "./hooks.ts";
import type { GroupPolicy } from "./policy.ts";

export interface ControllerOptions {
  random: Random;
  hooks: readonly GroupHooks[];
  /** Signs GSA_REKEY. */
  credential?: Credential;
  /** Where multicast comes from: a host and port 848. */
  address: Address;
  /** Hears of what members do that they should not. */
  report(finding: { reason: string }): void;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #policies: GroupPolicy[];
  readonly #groups = new Map<string, GroupState>();
  /** IKE SAs that were used to register, and those that replaced them. */
  readonly #registrations = new WeakSet<IkeSa>();
  /** How the closing of IKE SAs that have become idle is called off. */
  readonly #closing = new WeakMap<IkeSa, () => void>();
  #env?: Env;

  constructor(policies: GroupPolicy[], options: ControllerOptions) {
    this.#policies = policies;
    this.#options = options;
  }

  /** Once there is an endpoint. */
  begin(core: Core): void {
    const { random, hooks, credential, address: own, report } = this.#options;
    const decide = decider(hooks);
    this.#env = { core, own, decide, hooks, report };
    const means = { random, decide, now: core.options.now, ...(credential && { credential }) };
    for (const policy of this.#policies)
      this.#groups.set(identityKey(policy.id), new GroupState(policy, means));
  }

  /** Fresh keys: by GSA_REKEY, or by GSA_INBAND_REKEY to each member. */
  rekey(group: Identity, what: What): void {
    rekey(this.#running(), this.#group(group), what);
  }

  /** Puts a member out of a group, for good. */
  exclude(group: Identity, member: Identity): void {
    exclude(this.#running(), this.#group(group), member);
  }

  /** Deletes the data SAs, or all SAs of the group, whose members must then register anew. */
  delete(group: Identity, what: "data" | "all"): void {
    deleteSas(this.#running(), this.#group(group), what);
  }

  members(group: Identity): GroupMember[] {
    return this.#group(group).members();
  }

  /** The group as it is now, with its keys: for tests and benches. */
  state(group: Identity): GroupState {
    return this.#group(group);
  }

  #running(): Env {
    if (!this.#env) throw new Error("the controller has no endpoint yet");
    return this.#env;
  }

  #group(id: Identity): GroupState {
    const state = this.#groups.get(identityKey(id));
    if (!state) throw new Error("the controller has no such group");
    return state;
  }

  readonly extension: Extension = {
    name: "group controller",
    admission: {
      exchangeType: EXCHANGE.GSA_AUTH,
      answer: (_core, sa, request) => this.#register(sa, request, true),
    },
    answers: (_core, sa, request) => this.#answer(sa, request),
    incoming: ignoreCritical,
    foreign: (core, message, octets, datagram) => this.#foreign(core, message, octets, datagram),
    ikeKeys: ({ sa, replaces }) => {
      if (replaces && this.#registrations.has(replaces)) this.#registrations.add(sa);
    },
  };

  #answer(sa: IkeSa, { header, payloads }: IncomingMessage): Answer | undefined {
    if (header.exchangeType === EXCHANGE.GSA_REGISTRATION) return this.#register(sa, payloads, false);
    const child = header.exchangeType === EXCHANGE.CREATE_CHILD_SA && payloads.some((p) => p.kind === "TS");
    if (!child || !this.#registrations.has(sa)) return undefined;
    // Section 2.3: unicast Child SAs have no place here.
    const refuses = this.#running().decide("Child SA on a registration SA", "refuse") === "refuse";
    return refuses ? { payloads: [notify(NOTIFY.NO_ADDITIONAL_SAS)] } : undefined;
  }

  #register(sa: IkeSa, payloads: Payload[], inAuth: boolean): Answer {
    this.#registrations.add(sa);
    const env = this.#running();
    const answer = answerRegistration(env, this.#groups, sa, payloads, inAuth);
    this.#closeLater(env, sa);
    return answer;
  }

  /** Who has a Rekey SA needs no IKE SA any more (section 2.3.4). */
  #closeLater(env: Env, sa: IkeSa): void {
    const groups = [...this.#groups.values()].filter(({ policy }) => policy.closesIkeAfter !== undefined);
    const joined = groups.filter((state) => sa.remoteIdentity && state.member(sa.remoteIdentity)?.ike === sa);
    if (joined.length === 0 || env.decide("idle IKE SA", "close") === "keep") return;
    const seconds = Math.max(...joined.map(({ policy }) => policy.closesIkeAfter ?? 0));
    this.#closing.get(sa)?.();
    const close = () => {
      const now = successorOf(sa);
      if (now.established && !this.#needs(now)) deleteIke(env.core, now, () => {});
    };
    this.#closing.set(sa, env.core.after(seconds * 1000, close));
  }

  /** True if somebody's keys come over this IKE SA. */
  #needs(sa: IkeSa): boolean {
    const identity = sa.remoteIdentity;
    return [...this.#groups.values()].some((state) => {
      const member = identity && state.member(identity);
      return !state.policy.rekey && member !== undefined && ikeOf(member) === sa;
    });
  }

  /** On our Rekey SAs it is ours alone to send: what comes here is a reflection or a forgery. */
  #foreign(core: Core, { header }: Message, octets: Uint8Array, datagram: Datagram): boolean {
    const spi = concat(header.spiI, header.spiR);
    const ours = [...this.#groups.values()].some(({ rekeySpis }) => rekeySpis.some((own) => equal(own, spi)));
    if (!ours) return false;
    const reason = "a GSA_REKEY that came to its controller";
    this.#options.report({ reason });
    core.emit({ type: "dropped", datagram, reason });
    if (this.#running().decide("GSA_REKEY from a member", "ignore") === "answer") {
      const request: IncomingMessage = {
        ...{ header, isResponse: false, payloads: [], clear: [], protected: false, octets, datagram },
        findings: [],
      };
      sendClearAnswer(core, request, [notify(NOTIFY.INVALID_IKE_SPI)]);
    }
    return true;
  }
}
