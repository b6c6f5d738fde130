/** What the controller of our group sends to its members, opened as it comes: GSA_REKEY and GSA_INBAND_REKEY. */
import type { GroupDriver } from "../../peers/contract.ts";
import type { GroupWishes } from "../group/member-types.ts";
import { RekeyFragments } from "../group/rekey-fragments.ts";
import type { RekeySa } from "../group/rekey-message.ts";
import { openRekey } from "../group/rekey-open.ts";
import { identity } from "../ike/identity.ts";
import type { Datagram } from "../link/types.ts";
import { concat, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { Message, Payload } from "../wire/types.ts";
import { GROUP, type Granted, type GroupMember, memberOf } from "./group-member.ts";
import type { Script } from "./script.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** A GSA_REKEY that opens and whose AUTH is as it must be. */
export interface SeenRekey {
  datagram: Datagram;
  /** The Rekey SA that it came on. */
  sa: RekeySa;
  messageId: number;
  payloads: Payload[];
}

export class RekeyLog {
  readonly member: GroupMember;
  /** Every one that came, copies too. */
  readonly seen: SeenRekey[] = [];
  /** Why others do not count. */
  readonly refused: string[] = [];
  readonly #id: string;
  readonly #known = new Map<string, { sa: RekeySa; fragments: RekeyFragments }>();

  constructor(member: GroupMember, id = GROUP) {
    this.member = member;
    this.#id = id;
    // In front of the member, who forgets Rekey SAs.
    member.script.extensions.unshift({
      name: "rekey log",
      foreign: (_core, message, octets, datagram) => this.#note(message, octets, datagram),
    });
  }

  #note({ header }: Message, octets: Uint8Array, datagram: Datagram): false {
    if (header.exchangeType !== EXCHANGE.GSA_REKEY) return false;
    const held = this.member.member.membership(identity(this.#id))?.rekeys ?? [];
    for (const { sa } of held) {
      const known = this.#known.get(hex(sa.spi));
      if (known?.sa !== sa) this.#known.set(hex(sa.spi), { sa, fragments: new RekeyFragments() });
    }
    const known = this.#known.get(hex(concat(header.spiI, header.spiR)));
    if (!known) {
      this.refused.push("an SPI pair that is no Rekey SA's");
      return false;
    }
    const opened = openRekey(octets, known.sa, { fragments: known.fragments });
    if (opened === "wait") return false;
    if ("error" in opened) this.refused.push(`${opened.error}: ${opened.reason}`);
    else this.seen.push({ datagram, sa: known.sa, ...opened });
    return false;
  }

  /** Without copies. */
  get messages(): SeenRekey[] {
    const keys = this.seen.map(({ sa, messageId }) => `${hex(sa.spi)} ${messageId}`);
    return this.seen.filter((_, index) => keys.indexOf(keys[index] ?? "") === index);
  }

  /** Has the controller act; then waits for so many new messages, and a moment for their copies. */
  async after(verb: (driver: GroupDriver) => Promise<void>, count = 1): Promise<SeenRekey[]> {
    const { script } = this.member;
    const before = this.messages.length;
    await verb(groupDriver(script));
    await script.until(() => this.messages.length >= before + count);
    await script.wait();
    const fresh = this.messages.slice(before);
    if (fresh.length >= count) return fresh;
    throw new Failure(`${count} GSA_REKEY`, this.refused.at(-1) ?? `${fresh.length}`);
  }

  /** The same for one message. */
  async afterRekey(what: "data" | "rekey SA" | "both", id = this.#id): Promise<SeenRekey> {
    const [first] = await this.after((driver) => driver.rekey(id, what));
    if (!first) throw new Failure("GSA_REKEY", "none");
    return first;
  }
}

/** The peer's verbs as controller. */
export function groupDriver({ arena }: Script): GroupDriver {
  const { groups } = arena.driver;
  if (groups) return groups;
  throw new Unsupported("the peer is a controller, but its driver cannot make it act");
}

/** We register with the peer's group, and log its rekeys. */
export async function joined(
  s: Script,
  wishes: Partial<GroupWishes> = {},
  id = GROUP,
): Promise<{ member: GroupMember; log: RekeyLog; granted: Granted }> {
  const member = memberOf(s);
  const log = new RekeyLog(member, id);
  return { member, log, granted: await member.register(wishes, id) };
}

/** The payloads of every GSA_INBAND_REKEY that came, the oldest first. */
export const inbandRekeys = (s: Script): Payload[][] =>
  s.trace.exchangesOf(EXCHANGE.GSA_INBAND_REKEY, "peer").map(({ request }) => request.payloads);

/** Has the controller act, and waits for so many more GSA_INBAND_REKEY. */
export async function afterInband(
  s: Script,
  verb: (driver: GroupDriver) => Promise<void>,
  count = 1,
): Promise<Payload[][]> {
  const before = inbandRekeys(s).length;
  await verb(groupDriver(s));
  await s.until(() => inbandRekeys(s).length >= before + count);
  await s.wait();
  const fresh = inbandRekeys(s).slice(before);
  if (fresh.length >= count) return fresh;
  throw new Failure(`${count} GSA_INBAND_REKEY`, `${fresh.length}`);
}

/** Fails if our member found something wrong with what it got. */
export function expectNoFindings({ events }: GroupMember): void {
  const found = events.flatMap((event) =>
    event.type === "finding" ? [event.finding] : event.type === "registers-again" ? [event.reason] : [],
  );
  if (found.length > 0) throw new Failure("a policy and keys without fault", found.join("; "));
}
