/** For tests: a controller and members who only ask and keep what they get, in memory and in virtual time. */
import { seededRandom } from "../crypto/seeded-random.ts";
import { Endpoint } from "../ike/endpoint.ts";
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import type { Extension } from "../ike/hooks.ts";
import { identity } from "../ike/identity.ts";
import { notify } from "../ike/payloads.ts";
import { ordinaryPolicy, type Policy } from "../ike/policy.ts";
import { IkeSa } from "../ike/sa.ts";
import type { Datagram } from "../link/types.ts";
import type { Credential } from "../pki/types.ts";
import { u32 } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Payload, Proposal } from "../wire/types.ts";
import { Controller } from "./controller.ts";
import type { GroupHooks } from "./hooks.ts";
import { groupPolicy, hostSelector } from "./policy-of.ts";
import type { GroupSpec } from "./spec.ts";

const CONTROLLER = "192.0.2.100";
export const GROUP = "keyid:67727031";

function proposal(spec: string, protocolId: number): Proposal {
  const parsed = parseProposal(spec, protocolId);
  if (isSpecError(parsed)) throw new Error(parsed.reason);
  return parsed;
}

function policyOf(localId: string, remoteIds: string[], keyWrap: string): Policy {
  const [remote = "nobody.example", ...further] = remoteIds;
  return {
    ...{
      ...ordinaryPolicy,
      date: 0,
      psk: new Uint8Array(16).fill(7),
      mode: "tunnel",
      localTs: [hostSelector(CONTROLLER)],
      remoteTs: [hostSelector(CONTROLLER)],
    },
    localId: identity(localId),
    remoteId: identity(remote),
    furtherRemoteIds: further.map(identity),
    ike: [proposal(`aes256gcm16-prfsha256-x25519-${keyWrap}`, PROTOCOL.IKE)],
    esp: [proposal("aes128gcm16", PROTOCOL.ESP)],
  };
}

/** What a registration asks for beside IDg. */
export const wish = (...more: Payload[]): Payload[] => [idg(GROUP), ...more];

export function idg(group: string): Payload {
  const { type, data } = identity(group);
  return { kind: "ID", type: PAYLOAD.IDg, idType: type, data };
}

export const groupSender = (ids: number): Payload => notify(NOTIFY.GROUP_SENDER, u32(ids));

/** SAg: each text is a proposal, `6:1:aes256gcm16-kw256` of a protocol under a number. */
export function sag(...specs: string[]): Payload {
  const proposals = specs.map((spec) => {
    const [protocolId = "", number = "", ...words] = spec.split(":");
    return { ...proposal(words.join(":"), Number(protocolId)), number: Number(number) };
  });
  return { kind: "SA", type: PAYLOAD.SA, proposals };
}

export interface MemberEnd {
  name: string;
  endpoint: Endpoint;
  sa?: IkeSa;
  /** Payloads of the last response, and of every GSA_INBAND_REKEY. */
  response: Payload[];
  inband: Payload[][];
  outcome?: AuthOutcome;
}

export interface LabOptions {
  group?: Partial<GroupSpec>;
  /** Further groups. */
  groups?: GroupSpec[];
  members?: string[];
  hooks?: GroupHooks[];
  credential?: Credential;
  keyWrap?: string;
}

export class Lab {
  readonly controller: Controller;
  readonly findings: string[] = [];
  readonly multicast: Datagram[] = [];
  readonly members = new Map<string, MemberEnd>();
  readonly server: Endpoint;
  readonly #wire: Datagram[] = [];
  readonly #random = seededRandom("controller lab");
  readonly #keyWrap: string;
  #now = 0;

  constructor({
    group,
    groups = [],
    members = ["a.example"],
    hooks = [],
    credential,
    keyWrap = "kw256",
  }: LabOptions) {
    this.#keyWrap = keyWrap;
    const spec: GroupSpec = { id: GROUP, rekey: "implicit", data: ["aes128gcm16-unspec32"], ...group };
    this.controller = new Controller([spec, ...groups].map(groupPolicy), {
      ...{ random: this.#random, hooks, address: { host: CONTROLLER, port: 848 } },
      ...(credential && { credential }),
      report: ({ reason }) => void this.findings.push(reason),
    });
    this.server = this.#endpoint(policyOf("gcks.example", members, keyWrap), [this.controller.extension]);
    this.controller.begin(this.server.core);
    for (const [index, name] of members.entries()) this.#enter(name, index + 1);
  }

  #enter(name: string, index: number): void {
    const inband: MemberEnd["inband"] = [];
    const extension: Extension = {
      name: "member",
      answers: (_core, _sa, { header, payloads }) => {
        if (header.exchangeType !== EXCHANGE.GSA_INBAND_REKEY) return undefined;
        inband.push(payloads);
        return { payloads: [] };
      },
    };
    const endpoint = this.#endpoint(policyOf(name, ["gcks.example"], this.#keyWrap), [extension]);
    this.members.set(`192.0.2.${index}`, { name, endpoint, response: [], inband });
  }

  #endpoint(policy: Policy, extensions: Extension[]): Endpoint {
    return new Endpoint({
      ...{ policy, extensions, random: this.#random, natPort: 4500, remoteNatPort: 4500 },
      now: () => this.#now,
      send: (datagram) => void this.#wire.push(datagram),
      event: () => {},
    });
  }

  run(): void {
    for (let datagram = this.#wire.shift(); datagram; datagram = this.#wire.shift()) {
      const { host } = datagram.destination;
      if (host === CONTROLLER) this.server.receive(datagram);
      else if (this.members.has(host)) this.members.get(host)?.endpoint.receive(datagram);
      else this.multicast.push(datagram);
    }
  }

  pass(ms: number): void {
    for (const end = this.#now + ms; this.#now < end; ) {
      this.#now = Math.min(end, this.#now + 500);
      this.server.runTimers();
      for (const { endpoint } of this.members.values()) endpoint.runTimers();
      this.run();
    }
  }

  get now(): number {
    return this.#now;
  }

  member(name = "a.example"): MemberEnd {
    const found = [...this.members.values()].find((member) => member.name === name);
    if (!found) throw new Error(name);
    return found;
  }

  /** IKE_SA_INIT and GSA_AUTH; or GSA_REGISTRATION on an SA that stands. The payloads of the response, without IDr and AUTH. */
  register(payloads: Payload[] = wish(), name = "a.example"): Payload[] {
    const member = this.member(name);
    member.response = [];
    if (member.sa?.established) this.#again(member, member.sa, payloads);
    else this.#auth(member, payloads);
    this.run();
    return member.response;
  }

  /** Registers one of whom there is nothing but the controller's end of an IKE SA, as many as a test may want. */
  enroll(name: string, payloads: Payload[] = wish()): Payload[] {
    const [like] = this.server.core.sas.values();
    if (!like) throw new Error("a real member comes first");
    const { suite, keys, proposal } = like;
    const sa = new IkeSa("responder", this.#random(8), like.local, like.remote);
    Object.assign(sa, { state: "established", suite, keys, proposal, remoteIdentity: identity(name) });
    return this.controller.extension.admission?.answer(this.server.core, sa, payloads).payloads ?? [];
  }

  #auth(member: MemberEnd, payloads: Payload[]): void {
    const [host = ""] = [...this.members].find(([, end]) => end === member) ?? [];
    const take = (_sa: IkeSa, response: Payload[]) => {
      member.response = response.filter(({ kind }) => kind !== "ID" && kind !== "AUTH");
      return undefined;
    };
    const application = { exchangeType: EXCHANGE.GSA_AUTH, request: () => payloads, take };
    const { endpoint } = member;
    const sa = endpoint.init({ host, port: 500 }, { host: CONTROLLER, port: 500 }, () =>
      endpoint.auth(sa, { application }, (outcome) => {
        member.outcome = outcome;
      }),
    );
    member.sa = sa;
  }

  #again({ endpoint, ...member }: MemberEnd, sa: IkeSa, payloads: Payload[]): void {
    endpoint.request(sa, EXCHANGE.GSA_REGISTRATION, payloads, (response) => {
      this.member(member.name).response = response?.payloads ?? [];
    });
  }
}

export const notifiesOf = (payloads: Payload[]): number[] =>
  payloads.flatMap((p) => (p.kind === "Notify" ? [p.notifyType] : []));
