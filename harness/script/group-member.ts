/** Our end as members of the groups that the peer controls (RFC 9838). */

import type { PeerConfig } from "../../peers/contract.ts";
import type { GroupHooks } from "../group/hooks.ts";
import { Member, ordinaryMember } from "../group/member.ts";
import type { GroupWishes, MemberEvent, MemberPolicy, Membership } from "../group/member-types.ts";
import type { GroupSpec } from "../group/spec.ts";
import { identity } from "../ike/identity.ts";
import { hasNotify, payload } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { GsaPayload, KdPayload } from "../wire/group-types.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import { Script } from "./script.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** The group of a test that does not care. */
export const GROUP = "keyid:67727031";

/** Tells both ends of a group; what `spec` leaves out is ordinary. More groups may follow. */
export const group = (spec: Partial<GroupSpec> = {}, ...more: GroupSpec[]): Partial<PeerConfig> => ({
  groups: [{ id: GROUP, rekey: "ed25519", data: ["aes128gcm16-unspec32"], ...spec }, ...more],
});

/** What came of a registration. */
export interface Registration {
  sa: IkeSa;
  /** Why we are no member. */
  failure?: string;
  request: Payload[];
  /** Empty if there was no response. */
  response: Payload[];
}

/** GSA and KD of a registration that succeeded. */
export interface Granted extends Registration {
  GSA: GsaPayload;
  KD: KdPayload;
}

export class GroupMember {
  readonly script: Script;
  readonly member: Member;
  readonly events: MemberEvent[] = [];
  /** Change how the member behaves. */
  readonly hooks: GroupHooks[] = [];
  /** The IKE SA of the registration. */
  sa?: IkeSa;

  constructor(script: Script, policy: MemberPolicy = ordinaryMember) {
    this.script = script;
    const { random, link } = script.arena;
    this.member = new Member({
      ...{ random, hooks: this.hooks, policy },
      join: (address) => link.join?.(address),
      event: (event) => {
        this.events.push(event);
      },
    });
    // Nobody in the lab forges errors: a peer without key wrap algorithms has said so once it has refused.
    script.decide("unprotected error notify", "give up");
    script.extensions.push(this.member.extension);
    script.espExtensions.push(this.member.esp);
    this.member.begin(script.host.endpoint.core, script.host);
  }

  /** IKE_SA_INIT and GSA_AUTH, whatever comes of it. */
  async tryRegister(wishes: Partial<GroupWishes> = {}, id = GROUP): Promise<Registration> {
    const { script } = this;
    const { sa, failure } = await script.tryInit();
    if (failure) throw withoutKeyWrap(script, failure);
    this.sa = sa;
    const application = this.member.application(identity(id), { sender: false, ...wishes });
    const attempt = await script.tryAuth(sa, { application });
    return this.#outcome(sa, EXCHANGE.GSA_AUTH, attempt.failure ?? attempt.applicationFailure);
  }

  /** The same; fails unless we are a member then. */
  async register(wishes: Partial<GroupWishes> = {}, id = GROUP): Promise<Granted> {
    return granted(await this.tryRegister(wishes, id));
  }

  /** GSA_REGISTRATION on the IKE SA that is there. */
  async tryRegisterMore(wishes: Partial<GroupWishes> = {}, id = GROUP): Promise<Registration> {
    const { script, sa } = this;
    if (!sa) throw new Error("register comes first");
    let outcome: { failure?: string } | undefined;
    this.member.register(sa, identity(id), { sender: false, ...wishes }, (failure) => {
      outcome = { ...(failure !== undefined && { failure }) };
    });
    script.host.settle();
    await script.until(() => outcome !== undefined);
    return this.#outcome(sa, EXCHANGE.GSA_REGISTRATION, outcome ? outcome.failure : "no answer");
  }

  async registerMore(wishes: Partial<GroupWishes> = {}, id = GROUP): Promise<Granted> {
    return granted(await this.tryRegisterMore(wishes, id));
  }

  #outcome(sa: IkeSa, exchangeType: number, failure: string | undefined): Registration {
    const { request, response } = this.script.exchange(exchangeType);
    const payloads = { request: request.payloads, response: response?.payloads ?? [] };
    return { sa, ...(failure !== undefined && { failure }), ...payloads };
  }

  /** What we know of the group; fails if that is nothing. */
  membership(id = GROUP): Membership {
    const found = this.member.membership(identity(id));
    if (!found) throw new Failure("membership of the group", "none");
    return found;
  }

  /** Waits for an event since `mark`; undefined if it does not come. */
  async sees<T extends MemberEvent["type"]>(
    type: T,
    mark = 0,
    ms?: number,
  ): Promise<Extract<MemberEvent, { type: T }> | undefined> {
    const find = () =>
      this.events
        .slice(mark)
        .find((event): event is Extract<MemberEvent, { type: T }> => event.type === type);
    await this.script.until(() => find() !== undefined, ms);
    return find();
  }

  /** The same; fails if it does not come. */
  async expects<T extends MemberEvent["type"]>(
    type: T,
    mark = 0,
  ): Promise<Extract<MemberEvent, { type: T }>> {
    const seen = await this.sees(type, mark);
    if (seen) return seen;
    const finding = this.events.slice(mark).findLast((event) => event.type === "finding");
    throw new Failure(`the member's event "${type}"`, finding ? `only: ${finding.finding}` : "none");
  }
}

/** A daemon that knows no transform of type KWA cannot choose a proposal with it (RFC 7296 section 3.3.6). */
function withoutKeyWrap(script: Script, failure: string): Error {
  const [last] = script.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "us").slice(-1);
  const declined = hasNotify(last?.response?.payloads ?? [], NOTIFY.NO_PROPOSAL_CHOSEN);
  const why = "NO_PROPOSAL_CHOSEN to proposals that all have a key wrap algorithm: no group key management";
  return declined
    ? new Unsupported(why)
    : new Failure("an IKE_SA_INIT response with a key wrap algorithm", failure);
}

function granted(registration: Registration): Granted {
  const { failure, response } = registration;
  const [GSA, KD] = [payload(response, "GSA"), payload(response, "KD")];
  if (failure !== undefined || !GSA || !KD)
    throw new Failure("GSA and KD of the group", failure ?? "a response without them");
  return { ...registration, GSA, KD };
}

/** Our end as one member of the peer's group. */
export const memberOf = (s: Script, policy?: MemberPolicy): GroupMember => new GroupMember(s, policy);

/** A further member on a host of its own, with this identity. What happens to it stands in the trace of `s`, too. */
export function furtherMember(s: Script, name: string, host: string, policy?: MemberPolicy): GroupMember {
  const { further, local } = s.arena;
  if (!further) throw new Unsupported("members on hosts of their own need a network in memory");
  const arena = { ...s.arena, link: further(host), local: { ...local, host } };
  const script = new Script(arena, s.trace);
  script.policy.localId = identity(name);
  return new GroupMember(script, policy);
}
