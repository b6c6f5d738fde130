/** A group controller and group members, each a host of its own, on a network in memory. */
import { type SeededRandom, seededRandom } from "../crypto/seeded-random.ts";
import type { EspExtension } from "../esp/hooks.ts";
import { Controller } from "../group/controller.ts";
import type { GroupHooks } from "../group/hooks.ts";
import { Member, type MemberEvent, type MemberPolicy, ordinaryMember } from "../group/member.ts";
import { groupPolicy } from "../group/policy-of.ts";
import type { GroupSpec } from "../group/spec.ts";
import type { Extension } from "../ike/hooks.ts";
import { identity } from "../ike/identity.ts";
import type { Identity, Policy } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { MemoryNetwork } from "../link/memory.ts";
import type { Address, Link } from "../link/types.ts";
import type { Credential } from "../pki/types.ts";
import { Host, type HostEvent } from "../script/host.ts";
import { policyFor } from "../script/policy.ts";
import { ordinaryConfig } from "./config.ts";

export interface GroupHostsOptions {
  seed: string;
  spec: GroupSpec;
  /** Names of the members, which prove themselves with a shared secret. */
  members: readonly string[];
  /** Signs GSA_REKEY. */
  credential: Credential;
  memberPolicy?: Partial<MemberPolicy>;
  /** Changes to the policies of all hosts. */
  policy?: Partial<Policy>;
  /** Further extensions of a host, in front of what makes it one of the group's. */
  extensions?(): Extension[];
  hooks?: GroupHooks;
  hostEvent?(host: string, event: HostEvent): void;
  memberEvent?(host: string, event: MemberEvent): void;
}

export interface GroupMemberHost {
  host: Host;
  member: Member;
  address: Address;
}

export const CONTROLLER_NAME = "gcks.example";
const CONTROLLER: Address = { host: "192.0.2.1", port: 500 };
/** Last octet of the first member's address; those of the others follow. */
export const FIRST_MEMBER = 11;

export class GroupHosts {
  readonly network: MemoryNetwork;
  readonly group: Identity;
  readonly controller: Controller;
  readonly server: Host;
  readonly members = new Map<string, GroupMemberHost>();
  readonly #options: GroupHostsOptions;
  readonly #random: SeededRandom;

  constructor(options: GroupHostsOptions) {
    const { spec, credential, hooks, members } = options;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.network = new MemoryNetwork(this.#random.fork("network"));
    this.group = identity(spec.id);
    this.controller = new Controller([groupPolicy(spec)], {
      ...{ random: this.#random.fork("controller"), hooks: hooks ? [hooks] : [], credential },
      address: { host: CONTROLLER.host, port: 848 },
      report: () => {},
    });
    this.server = this.#host(CONTROLLER_NAME, CONTROLLER, this.network.attach(CONTROLLER.host), [
      this.controller.extension,
    ]);
    this.controller.begin(this.server.endpoint.core);
    for (const [index, name] of members.entries()) this.members.set(name, this.#member(name, index));
  }

  /** @throws Error for a name that is none of a member's */
  member(name: string): GroupMemberHost {
    const found = this.members.get(name);
    if (!found) throw new Error(`no member ${name}`);
    return found;
  }

  /** IKE_SA_INIT and GSA_AUTH; virtual time passes. */
  register(name: string, sender: boolean): IkeSa {
    const { host, member, address } = this.member(name);
    const application = member.application(this.group, { sender });
    const sa = host.endpoint.init(address, CONTROLLER, () => host.endpoint.auth(sa, { application }));
    host.settle();
    this.network.run(100);
    return sa;
  }

  /** False where the member has no SA to send on. */
  send(name: string, text: string): boolean {
    const { host, member } = this.member(name);
    const sent = member.send(this.group, new TextEncoder().encode(text));
    host.settle();
    this.network.run(100);
    return sent;
  }

  /** A verb of the controller, and virtual time after it. */
  command(verb: (controller: Controller, group: Identity) => void, milliseconds: number): void {
    verb(this.controller, this.group);
    this.server.settle();
    this.network.run(milliseconds);
  }

  #member(name: string, index: number): GroupMemberHost {
    const address: Address = { host: `192.0.2.${FIRST_MEMBER + index}`, port: 500 };
    const link = this.network.attach(address.host);
    const member = new Member({
      ...{ random: this.#random.fork(`member ${name}`), hooks: [] },
      policy: { ...ordinaryMember, ...this.#options.memberPolicy },
      join: (group) => link.join?.(group),
      event: (event) => this.#options.memberEvent?.(name, event),
    });
    const host = this.#host(name, address, link, [member.extension], [member.esp]);
    member.begin(host.endpoint.core, host);
    return { host, member, address };
  }

  #host(name: string, address: Address, link: Link, extensions: Extension[], esp: EspExtension[] = []): Host {
    const { spec, members, policy, hostEvent } = this.#options;
    const further = this.#options.extensions?.() ?? [];
    const ofController = address === CONTROLLER;
    const config = {
      ...ordinaryConfig(CONTROLLER, address),
      ...{ localId: CONTROLLER_NAME, remoteId: ofController ? (members[0] ?? name) : name },
      ...{ furtherRemoteIds: [...members], ikeProposals: ["aes256gcm16-prfsha256-x25519"], groups: [spec] },
    };
    return new Host({
      policy: { ...policyFor(config, ofController ? "peer" : "tester"), ...policy },
      extensions: [...further, ...extensions],
      ...{ esp, random: this.#random.fork(`host ${name}`) },
      ...{ clock: this.network.clock, link },
      ...{ natPort: 4500, remoteNatPort: 4500, answersEcho: false },
      event: (event) => hostEvent?.(name, event),
    });
  }
}
