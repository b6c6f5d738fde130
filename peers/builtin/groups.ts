/** Group key management of the builtin peer: controller of its configured groups, and member of others' (RFC 9838). */
import type { Random } from "../../harness/crypto/types.ts";
import type { EspExtension } from "../../harness/esp/hooks.ts";
import { Controller } from "../../harness/group/controller.ts";
import type { GroupHooks } from "../../harness/group/hooks.ts";
import { Member, ordinaryMember } from "../../harness/group/member.ts";
import { groupPolicy } from "../../harness/group/policy-of.ts";
import type { GroupSpec } from "../../harness/group/spec.ts";
import type { Extension } from "../../harness/ike/hooks.ts";
import { identity, sameIdentity } from "../../harness/ike/identity.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Address, Link } from "../../harness/link/types.ts";
import type { Credential } from "../../harness/pki/types.ts";
import type { Host } from "../../harness/script/host.ts";
import type { GroupDriver } from "../contract.ts";

export interface BuiltinGroupsOptions {
  groups: GroupSpec[];
  random: Random;
  link: Link;
  /** Addresses of the IKE packets. */
  local: Address;
  remote: Address;
  /** Signs GSA_REKEY. */
  credential: Credential | undefined;
  hooks: GroupHooks[];
  log(line: string): void;
}

export class BuiltinGroups implements GroupDriver {
  readonly #options: BuiltinGroupsOptions;
  readonly #controller: Controller;
  readonly #member: Member;
  readonly #received: { group: string; data: Uint8Array }[] = [];
  #host?: Host;

  constructor(options: BuiltinGroupsOptions) {
    this.#options = options;
    const { groups, random, link, local, credential, hooks, log } = options;
    this.#controller = new Controller(groups.map(groupPolicy), {
      ...{ random, hooks, credential },
      address: { host: local.host, port: 848 },
      report: ({ reason }) => log(`controller: ${reason}`),
    });
    this.#member = new Member({
      ...{ random, hooks, policy: ordinaryMember },
      join: (group) => link.join?.(group),
      event: (event) => {
        if (event.type === "finding") log(`member: ${event.finding}`);
        if (event.type !== "data") return;
        const group = groups.find(({ id }) => sameIdentity(identity(id), event.group));
        if (group) this.#received.push({ group: group.id, data: event.data });
      },
    });
  }

  get ike(): Extension[] {
    // The controller first: of what comes on Rekey SAs it takes only that of its own.
    return [this.#controller.extension, this.#member.extension];
  }

  get esp(): EspExtension[] {
    return [this.#member.esp];
  }

  begin(host: Host): void {
    this.#host = host;
    this.#controller.begin(host.endpoint.core);
    this.#member.begin(host.endpoint.core, host);
  }

  #act(verb: (host: Host) => void): void {
    if (!this.#host) throw new Error("configure comes first");
    verb(this.#host);
    this.#host.settle();
  }

  #ikeSa(host: Host): IkeSa | undefined {
    return [...host.endpoint.core.sas.values()].find((sa) => sa.state === "established");
  }

  async register(group: string, options: { sender?: boolean; senderIds?: number } = {}): Promise<void> {
    const wishes = { sender: false, ...options };
    const id = identity(group);
    const { local, remote, log } = this.#options;
    this.#act((host) => {
      const sa = this.#ikeSa(host);
      if (sa) return this.#member.register(sa, id, wishes, (failure) => failure && log(`member: ${failure}`));
      const fresh = host.endpoint.init(local, remote, (failure) => {
        if (!failure) host.endpoint.auth(fresh, { application: this.#member.application(id, wishes) });
      });
    });
  }

  async leave(group: string): Promise<void> {
    this.#act((host) => {
      const sa = this.#ikeSa(host);
      if (sa) this.#member.leave(sa, identity(group), "REGISTRATION_FAILED", () => {});
    });
  }

  async send(group: string, data: Uint8Array): Promise<void> {
    this.#act(() => this.#member.send(identity(group), data));
  }

  async received(): Promise<{ group: string; data: Uint8Array }[]> {
    return [...this.#received];
  }

  async rekey(group: string, what: "data" | "rekey SA" | "both"): Promise<void> {
    this.#act(() => this.#controller.rekey(identity(group), what));
  }

  async exclude(group: string, member: string): Promise<void> {
    this.#act(() => this.#controller.exclude(identity(group), identity(member)));
  }

  async delete(group: string, what: "data" | "all"): Promise<void> {
    this.#act(() => this.#controller.delete(identity(group), what));
  }
}
