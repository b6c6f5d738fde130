/** Our end of a conversation: a host as a test has one, with the group's member or controller where the setup has groups. */
import type { Random } from "../../harness/crypto/types.ts";
import { fragmentation } from "../../harness/extensions/fragmentation.ts";
import { postQuantum } from "../../harness/extensions/post-quantum.ts";
import { Controller } from "../../harness/group/controller.ts";
import { Member, ordinaryMember } from "../../harness/group/member.ts";
import { groupPolicy } from "../../harness/group/policy-of.ts";
import type { AuthWishes } from "../../harness/ike/exchanges/ike-auth.ts";
import type { Extension } from "../../harness/ike/hooks.ts";
import { identity } from "../../harness/ike/identity.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Link } from "../../harness/link/types.ts";
import type { Credential } from "../../harness/pki/types.ts";
import type { Arena } from "../../harness/script/arena.ts";
import { Host, type HostEvent } from "../../harness/script/host.ts";
import type { PeerRole } from "../../peers/contract.ts";
import type { Lies } from "./lies.ts";

export interface OurEndOptions {
  arena: Arena;
  policy: Policy;
  peer: PeerRole;
  link: Link;
  random: Random;
  lies: Lies;
  /** With which a controller signs; not set where no group needs it. */
  credential?: Credential | undefined;
  event(event: HostEvent): void;
  settled(): void;
  failed(error: unknown): void;
}

/** Nobody in the lab forges errors, and what the peer makes of an SA is for the oracles to see. */
const FRANK: Extension = {
  name: "frank",
  decide: {
    "INVALID_SYNTAX in a response": "keep the IKE SA",
    "unprotected error notify": "give up",
  },
};

const PORT = 848;

export class OurEnd {
  readonly host: Host;
  readonly #member?: Member;
  readonly #group?: string;

  constructor(options: OurEndOptions) {
    const { arena, policy, link, random, lies, event, settled, failed } = options;
    const { natPort, remoteNatPort, world, config } = arena;
    const [first] = config.groups ?? [];
    const joins = first !== undefined && options.peer === "responder";
    const member = joins ? ourMember(options) : undefined;
    const controller = first !== undefined && !joins ? ourController(options) : undefined;
    const groups = [member?.extension, controller?.extension].filter((e) => e !== undefined);
    this.host = new Host({
      ...{ policy, random, link, natPort, remoteNatPort, clock: world.clock },
      extensions: [
        fragmentation(),
        ...postQuantum({ codePoints: config.codePoints }),
        ...[FRANK, ...(arena.extensions ?? []), ...groups, lies.extension],
      ],
      esp: [...(member ? [member.esp] : []), lies.esp],
      answersEcho: true,
      ...{ event, settled, failed },
    });
    member?.begin(this.host.endpoint.core, this.host);
    controller?.begin(this.host.endpoint.core);
    if (member && first) [this.#member, this.#group] = [member, first.id];
  }

  /** With what IKE_AUTH is begun: in a group it is GSA_AUTH. */
  authWishes(): AuthWishes {
    if (!this.#member || this.#group === undefined) return {};
    return { application: this.#member.application(identity(this.#group), { sender: false }) };
  }

  /** GSA_REGISTRATION; false where there is no group to join. */
  register(sa: IkeSa, done: (failure?: string) => void): boolean {
    if (!this.#member || this.#group === undefined) return false;
    this.#member.register(sa, identity(this.#group), { sender: false }, done);
    return true;
  }
}

const ourMember = ({ link, random }: OurEndOptions): Member =>
  new Member({
    ...{ random, hooks: [], policy: ordinaryMember },
    join: (address) => link.join?.(address),
    event: () => {},
  });

const ourController = ({ arena, random, credential }: OurEndOptions): Controller =>
  new Controller((arena.config.groups ?? []).map(groupPolicy), {
    ...{ random, hooks: [], address: { host: arena.local.host, port: PORT } },
    ...(credential && { credential }),
    report: () => {},
  });
