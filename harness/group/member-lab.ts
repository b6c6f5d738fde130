/** For tests: a controller and whole members on a network in memory, in virtual time. */
import { seededRandom } from "../crypto/seeded-random.ts";
import type { DataPlane } from "../esp/hooks.ts";
import { Endpoint } from "../ike/endpoint.ts";
import type { Extension } from "../ike/hooks.ts";
import { identity } from "../ike/identity.ts";
import { ordinaryPolicy, type Policy } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { MemoryNetwork } from "../link/memory.ts";
import type { Datagram, Link } from "../link/types.ts";
import { pki } from "../pki/pki.ts";
import type { Credential } from "../pki/types.ts";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Proposal } from "../wire/types.ts";
import { Controller } from "./controller.ts";
import type { GroupHooks } from "./hooks.ts";
import { type GroupWishes, Member, type MemberEvent, type MemberPolicy, ordinaryMember } from "./member.ts";
import { groupPolicy } from "./policy-of.ts";
import type { GroupSpec } from "./spec.ts";

export const CONTROLLER = "192.0.2.100";
export const GROUP = identity("keyid:67727031");

function proposal(spec: string, protocolId: number): Proposal {
  const parsed = parseProposal(spec, protocolId);
  if (isSpecError(parsed)) throw new Error(parsed.reason);
  return parsed;
}

function policyOf(localId: string, [remote = "nobody.example", ...further]: string[]): Policy {
  return {
    ...{
      ...ordinaryPolicy,
      date: 0,
      psk: new Uint8Array(16).fill(7),
      mode: "tunnel",
      localTs: [],
      remoteTs: [],
    },
    localId: identity(localId),
    remoteId: identity(remote),
    furtherRemoteIds: further.map(identity),
    ike: [proposal("aes256gcm16-prfsha256-x25519-kw256", PROTOCOL.IKE)],
    esp: [proposal("aes128gcm16", PROTOCOL.ESP)],
  };
}

export interface Host {
  name: string;
  address: string;
  endpoint: Endpoint;
  link: Link;
  plane: DataPlane;
}

export interface MemberHost extends Host {
  member: Member;
  events: MemberEvent[];
  sa?: IkeSa;
}

export interface MemberLabOptions {
  group?: Partial<GroupSpec>;
  /** Further groups. */
  groups?: GroupSpec[];
  members?: string[];
  hooks?: GroupHooks[];
  policy?: Partial<MemberPolicy>;
  /** Multicast does not come to the members. */
  unreachable?: true;
}

/** Everything between the hosts that were there, in order. */
export class MemberLab {
  readonly network: MemoryNetwork;
  readonly controller: Controller;
  readonly server: Host;
  readonly hosts: MemberHost[];
  readonly sent: Datagram[] = [];
  readonly #random = seededRandom("member lab");
  readonly #options: MemberLabOptions;

  static async make(options: MemberLabOptions = {}): Promise<MemberLab> {
    return new MemberLab(options, await (await pki()).credential("gcks.example", "ed25519"));
  }

  private constructor(options: MemberLabOptions, credential: Credential) {
    this.#options = options;
    this.network = new MemoryNetwork(this.#random);
    const members = options.members ?? ["a.example"];
    const spec: GroupSpec = {
      ...{ id: "keyid:67727031", rekey: "ed25519", data: ["aes128gcm16-unspec32"] },
      ...options.group,
    };
    const address = { host: CONTROLLER, port: 848 };
    const report = () => {};
    const settings = { random: this.#random, hooks: [], address, credential, report };
    this.controller = new Controller([spec, ...(options.groups ?? [])].map(groupPolicy), settings);
    const extensions = [this.controller.extension];
    this.server = this.#host("gcks.example", CONTROLLER, members, extensions, () => false);
    this.controller.begin(this.server.endpoint.core);
    this.hosts = members.map((name, index) => this.#enter(name, `192.0.2.${index + 1}`));
  }

  #enter(name: string, address: string): MemberHost {
    const events: MemberEvent[] = [];
    const made: { link?: Link } = {};
    const member = new Member({
      ...{ random: this.#random, hooks: this.#options.hooks ?? [] },
      policy: { ...ordinaryMember, ...this.#options.policy },
      event: (event) => void events.push(event),
      join: (group) => {
        if (!this.#options.unreachable) made.link?.join?.(group);
      },
    });
    const host = this.#host(name, address, ["gcks.example"], [member.extension], (datagram) => {
      member.esp.stray?.(datagram.data, datagram, host.plane);
      return true;
    });
    made.link = host.link;
    member.begin(host.endpoint.core, host.plane);
    return { ...host, member, events };
  }

  #host(
    name: string,
    address: string,
    others: string[],
    extensions: Extension[],
    esp: (datagram: Datagram) => boolean,
  ): Host {
    const { clock } = this.network;
    const link = this.network.attach(address);
    const send = (datagram: Datagram) => {
      this.sent.push(datagram);
      link.send(datagram);
    };
    const endpoint = new Endpoint({
      ...{
        policy: policyOf(name, others),
        extensions,
        random: this.#random,
        natPort: 4500,
        remoteNatPort: 4500,
      },
      ...{ now: () => clock.now(), send, event: () => {} },
    });
    link.onReceive((datagram) => {
      if (datagram.protocol === "esp") esp(datagram);
      else endpoint.receive(datagram);
    });
    const plane: DataPlane = { pipes: [], now: () => clock.now(), send, sendEsp: () => {} };
    return { name, address, endpoint, link, plane };
  }

  /** Lets virtual time pass. */
  pass(ms: number): void {
    for (const end = this.network.clock.now() + ms; this.network.clock.now() < end; ) {
      this.network.run(Math.min(50, end - this.network.clock.now()));
      for (const { endpoint } of [this.server, ...this.hosts]) endpoint.runTimers();
    }
  }

  host(name = "a.example"): MemberHost {
    const found = this.hosts.find((host) => host.name === name);
    if (!found) throw new Error(name);
    return found;
  }

  /** IKE_SA_INIT and GSA_AUTH. Why it failed. */
  register(name = "a.example", wishes: GroupWishes = { sender: false }): string | undefined {
    const host = this.host(name);
    let failure: string | undefined = "no end";
    const [local, remote] = [
      { host: host.address, port: 500 },
      { host: CONTROLLER, port: 500 },
    ];
    const sa = host.endpoint.init(local, remote, () =>
      host.endpoint.auth(sa, { application: host.member.application(GROUP, wishes) }, (outcome) => {
        failure = outcome.failure ?? outcome.applicationFailure;
      }),
    );
    host.sa = sa;
    this.pass(100);
    return failure;
  }

  /** Application data that a member got. */
  data(name = "a.example"): string[] {
    return this.host(name).events.flatMap((e) =>
      e.type === "data" ? [new TextDecoder().decode(e.data)] : [],
    );
  }

  findings(name = "a.example"): string[] {
    return this.host(name).events.flatMap((e) => (e.type === "finding" ? [e.finding] : []));
  }

  send(name: string, text: string): boolean {
    const sent = this.host(name).member.send(GROUP, new TextEncoder().encode(text));
    this.pass(20);
    return sent;
  }
}
