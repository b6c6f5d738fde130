/** The SAs of one group at a member: installing, replacing, ending (RFC 9838 sections 2.3.3, 2.4.1.4). */
import type { KeyObject } from "node:crypto";
import type { Encr } from "../crypto/types.ts";
import type { IkeSa } from "../ike/sa.ts";
import { isMulticast } from "../link/multicast-address.ts";
import { equal } from "../wire/bytes.ts";
import { formatAddress } from "../wire/ip.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { SN } from "../wire/registry/sn.ts";
import type { Decide } from "./hooks.ts";
import { dataSa, goOn, withdraw } from "./member-data-sa.ts";
import type { KeyedData, Keys } from "./member-keys.ts";
import type { Plan, PlannedData, PlannedRekey, PlannedSa, Way } from "./member-policy.ts";
import type { DataSa, GroupWishes, HeldRekey, MemberOptions, Membership } from "./member-types.ts";
import { RekeyFragments } from "./rekey-fragments.ts";
import type { RekeyAuth } from "./rekey-message.ts";

/** What a group needs of the member it belongs to. */
export interface Surroundings {
  options: MemberOptions;
  decide: Decide;
  /** Milliseconds. */
  now(): number;
  /** Returns a function that cancels. */
  after(ms: number, action: () => void): () => void;
  /** Has the group registered for anew, now or a moment later. */
  registerAgain(group: JoinedGroup, reason: string, when: "now" | "spread"): void;
}

const NO_SENDER_ID = "no Sender-ID";

/** Longest timer; a lifetime of 2^32 seconds is more than one can hold. */
const LONGEST_MS = 2 ** 31 - 1;
/** Seconds of a lifetime in which a member registers again. */
const SHORTEST = 2;

/** More than any group needs: who controls one does not fill the memory of its members. */
const MOST_DATA_SAS = 256;
const MOST_REKEY_SAS = 16;
const MOST_ADDRESSES = 64;

export class JoinedGroup implements Membership {
  readonly group: Membership["group"];
  wishes: GroupWishes;
  state: Membership["state"] = "registered";
  mode: Membership["mode"] = "tunnel";
  data: DataSa[] = [];
  rekeys: HeldRekey[] = [];
  path: Membership["path"] = [];
  senderIds: number[] = [];
  senderIdBits?: number;
  ATD = 0;
  DTD = 0;
  /** Of the last registration. */
  ike: IkeSa;
  /** Registrations in a row that brought nothing. */
  failures = 0;
  /** Set while it is going to register, or does. */
  registering?: () => void;
  readonly #joined = new Set<string>();
  readonly #around: Surroundings;

  constructor(group: Membership["group"], wishes: GroupWishes, ike: IkeSa, around: Surroundings) {
    this.group = group;
    this.wishes = wishes;
    this.ike = ike;
    this.#around = around;
  }

  tell(finding: string): void {
    this.#around.options.event({ type: "finding", group: this.group, finding });
  }

  /** The Rekey SA in use. */
  get rekey(): HeldRekey | undefined {
    return this.rekeys.findLast(({ state }) => state === "installed");
  }

  /** Takes what a registration or a rekey brought. Returns why it has to register again, if it has to. */
  take(plan: Plan, keys: Keys, way: Way): string | undefined {
    for (const finding of [...plan.findings, ...keys.findings]) this.tell(finding);
    this.ATD = plan.ATD;
    this.DTD = plan.DTD;
    if (way === "registration") {
      this.senderIds = keys.senderIds;
      if (this.#around.decide("old SAs at registration", "replace") === "replace") this.#dropOthers(plan);
    }
    if (plan.senderIdBits !== undefined) this.senderIdBits = plan.senderIdBits;
    else if (way === "registration") this.senderIdBits = undefined;
    this.#takeRekey(plan, keys, way);
    const troubles = keys.data.map((keyed) => this.#takeData(keyed));
    const left = plan.data.length - keys.data.length;
    if (keys.excluded && plan.rekey) return `no key path: ${keys.excluded}`;
    if (left > 0 && way === "registration") return `no key for ${left} data SAs`;
    return troubles.find((trouble) => trouble !== undefined);
  }

  /** A registration says what there is: everything else ends. */
  #dropOthers(plan: Plan): void {
    const stays = ({ planned }: DataSa | HeldRekey) => {
      const named: PlannedSa[] = plan.rekey ? [...plan.data, plan.rekey] : plan.data;
      return named.some((sa) => sa.protocolId === planned.protocolId && equal(sa.spi, planned.spi));
    };
    for (const sa of [...this.data, ...this.rekeys])
      if (!stays(sa)) this.remove(sa, "replaced by registration");
  }

  #takeRekey(plan: Plan, { rekey, path, authKey }: Keys, way: Way): void {
    const before = way === "registration" ? undefined : this.rekey;
    if (before && authKey) this.#takeAuthKey(before.sa, authKey);
    const auth = rekey && authOf(rekey.planned, before, authKey);
    if (rekey && !auth) this.tell("a Rekey SA without AUTH_KEY");
    if (before && plan.rekey && !equal(before.planned.spi, plan.rekey.spi)) this.#retire(before);
    if (!rekey || !auth) return;
    this.path = path;
    const { planned, keys } = rekey;
    const { spi, suite, kwa } = planned;
    const known = this.rekeys.find((held) => equal(held.planned.spi, spi));
    if (known) this.#forget(known);
    const point = "more sets of fragments than are kept";
    const dropsOldest = this.#around.decide(point, "drop the oldest") === "drop the oldest";
    const held: HeldRekey = {
      ...{ planned, sa: { spi, suite, kwa, auth, ...keys }, fragments: new RekeyFragments(dropsOldest) },
      ...{ nextMessageId: this.#firstNumber(planned, known), state: "installed", cancel: [] },
    };
    this.rekeys.push(held);
    this.#say("installed", held, this.state);
    this.#begin(held, addressOf(planned));
  }

  /** Another key of the same kind: the method stays (section 4.4.2.1.1). */
  #takeAuthKey(sa: HeldRekey["sa"], publicKey: KeyObject): void {
    if (sa.auth !== "implicit" && sa.auth.scheme.fits(publicKey)) sa.auth = { ...sa.auth, publicKey };
    else this.tell("an AUTH_KEY that does not fit");
  }

  /** A number below one that is known of this SA is stale (section 4.4.2.2.2). */
  #firstNumber({ initialMessageId }: PlannedRekey, known: HeldRekey | undefined): number {
    const { decide } = this.#around;
    const first = decide("first number of a Rekey SA that is taken", "zero") === "zero" ? 0 : 1;
    const told = initialMessageId ?? first;
    if (!known || decide("stale GSA_INITIAL_MESSAGE_ID", "ignore") === "take") return told;
    return Math.max(known.nextMessageId, told);
  }

  /** The deactivation delay begins for an SA that was replaced or deleted. */
  #retire(sa: DataSa | HeldRekey): void {
    if (sa.state !== "installed") return;
    const point = "sn" in sa.planned ? "deleted data SA" : "replaced Rekey SA";
    const manner = this.#around.decide(point, "drop after DTD");
    if (manner === "keep") return;
    sa.state = "leaving";
    const wait = manner === "drop at once" ? 0 : this.DTD * 1000;
    sa.cancel.push(this.#around.after(wait, () => this.remove(sa, "deactivated")));
  }

  /** Why the SA does not serve. */
  #takeData({ planned, KEYMAT, keys }: KeyedData): string | undefined {
    const { decide } = this.#around;
    const problem = this.wishes.sender ? this.#counterProblem(planned.suite.encr) : undefined;
    if (problem === NO_SENDER_ID && decide("missing Sender-ID", "register again") === "do without the SA")
      return undefined;
    if (problem) return problem;
    const sa = dataSa(planned, {
      ...{ KEYMAT, keys, directions: this.#directions(planned), ordered: this.#isOrdered(planned) },
      ...{ random: this.#around.options.random, activeAt: this.#activation(planned) },
    });
    const known = this.data.find((other) => equal(other.planned.spi, planned.spi));
    const same = known !== undefined && equal(known.KEYMAT, KEYMAT);
    if (same) {
      goOn(sa, known);
      this.#forget(known);
    } else if (known) this.remove(known, "another key");
    this.data.push(sa);
    if (!same) this.#say("installed", sa, this.state);
    this.#begin(sa, sa.inbound && addressOf(planned));
    return undefined;
  }

  #directions({ sn }: PlannedData): { inbound: boolean; outbound: boolean } {
    const { decide } = this.#around;
    const sends = this.wishes.sender;
    // Who alone sends on an SA would get nothing but its own packets.
    const both = sn !== SN.SEQUENTIAL_32 || decide("echo of a sender", "dropped") === "delivered";
    return {
      inbound: !sends || both,
      outbound: sends || decide("sending of a receiver", "never") === "anyway",
    };
  }

  #isOrdered({ sn }: PlannedData): boolean {
    const drops = this.#around.decide("equal numbers of several senders", "take") === "drop";
    return sn === SN.SEQUENTIAL_32 || drops;
  }

  /** Since when an SA may be sent on: where it takes the place of another, others get a moment to install it. */
  #activation(planned: PlannedData): number {
    const { decide, now } = this.#around;
    const replaces = this.data.some((sa) => sa.state === "installed" && sameSelectors(sa, planned));
    return now() + (replaces && decide("activation delay", "wait") === "wait" ? this.ATD * 1000 : 0);
  }

  /** Why a cipher whose IVs count cannot be used to send (sections 2.5.2, 2.4.1.4). */
  #counterProblem({ randomIv, ivLength }: Encr): string | undefined {
    const { decide } = this.#around;
    if (randomIv || ivLength === 0) return undefined;
    const [id] = this.senderIds;
    const bits = this.senderIdBits;
    if (id === undefined || bits === undefined)
      return decide("missing Sender-ID", "register again") === "send without" ? undefined : NO_SENDER_ID;
    const tooLarge = id >= 2 ** bits || bits >= 8 * ivLength;
    if (!tooLarge || decide("Sender-ID too large", "register again") === "use") return undefined;
    return `Sender-ID ${id} does not fit ${bits} bits`;
  }

  /** Deletes as the controller says (section 2.4.3). True if it excludes the member. */
  deleted(protocolId: number, spis: Uint8Array[]): boolean {
    if (isDeleteOfAll(protocolId, spis)) return true;
    const size = protocolId === PROTOCOL.GIKE_UPDATE ? 16 : 4;
    if (spis.some(({ length }) => length !== size)) {
      this.tell(`a Delete with SPIs of another size than protocol ${protocolId} has`);
      return false;
    }
    const sas: (DataSa | HeldRekey)[] = [...this.data, ...this.rekeys];
    for (const spi of spis) {
      const named = sas.filter(
        ({ planned }) => planned.protocolId === protocolId && (isAll(spi) || equal(planned.spi, spi)),
      );
      if (named.length === 0) this.tell("a Delete of an SA that is not there");
      for (const sa of named) this.#retire(sa);
    }
    return false;
  }

  /** Takes every SA away; the member is no more one until it registers. */
  end(state: "excluded" | "left", reason: string): void {
    this.state = state;
    this.registering?.();
    this.registering = undefined;
    for (const sa of [...this.data, ...this.rekeys]) this.remove(sa, reason);
    this.path = [];
    this.senderIds = [];
  }

  /** `address`: where to listen. */
  #begin(sa: DataSa | HeldRekey, address: string | undefined): void {
    if (address !== undefined && isMulticast(address)) this.#join(address);
    this.#lives(sa);
    const [oldestData, oldestRekey] = [this.data[0], this.rekeys[0]];
    if (oldestData && this.data.length > MOST_DATA_SAS) this.remove(oldestData, "too many SAs");
    if (oldestRekey && this.rekeys.length > MOST_REKEY_SAS) this.remove(oldestRekey, "too many SAs");
  }

  #join(address: string): void {
    if (!this.#joined.has(address) && this.#joined.size >= MOST_ADDRESSES)
      return this.tell("more multicast addresses than are listened to");
    this.#joined.add(address);
    this.#around.options.join(address);
  }

  #lives(sa: DataSa | HeldRekey): void {
    const { lifetime } = sa.planned;
    if (lifetime === undefined) return;
    const { options, after, decide } = this.#around;
    const ms = Math.min(lifetime * 1000, LONGEST_MS);
    // What ends so soon is for the controller to mind: to ask for it would bring no more.
    if (lifetime >= SHORTEST) sa.cancel.push(after(ms * options.policy.softLifetime, () => this.#ages(sa)));
    if (decide("end of a lifetime", "delete") === "delete")
      sa.cancel.push(after(ms, () => this.remove(sa, "the end of its lifetime")));
  }

  /** Nearly over: if nothing has taken its place, a rekey was lost (section 2.4.1.4). */
  #ages(sa: DataSa | HeldRekey): void {
    const followers: (DataSa | HeldRekey)[] = "sn" in sa.planned ? this.data : this.rekeys;
    const later = followers.slice(followers.indexOf(sa) + 1);
    const replaced = later.some((other) => other.state === "installed" && sameSelectors(other, sa.planned));
    if (sa.state !== "installed" || replaced) return;
    this.#around.registerAgain(this, "an SA was not rekeyed in time", "now");
  }

  #forget(sa: DataSa | HeldRekey): void {
    for (const cancel of sa.cancel.splice(0)) cancel();
    this.data = this.data.filter((other) => other !== sa);
    this.rekeys = this.rekeys.filter((other) => other !== sa);
  }

  remove(sa: DataSa | HeldRekey, reason: string): void {
    if (sa.state === "removed") return;
    sa.state = "removed";
    this.#forget(sa);
    withdraw(sa);
    this.#say("removed", sa, reason);
  }

  #say(type: "installed" | "removed", { planned }: DataSa | HeldRekey, reason: string): void {
    const { protocolId, spi } = planned;
    this.#around.options.event({ type, group: this.group, protocolId, spi, reason });
  }
}

const isAll = (spi: Uint8Array): boolean => spi.every((octet) => octet === 0);

/** Section 2.4.3, and protocol 0 as section 4.6 has it: who gets this is excluded. */
export const isDeleteOfAll = (protocolId: number, spis: Uint8Array[]): boolean =>
  protocolId === 0
    ? spis.length === 0
    : protocolId === PROTOCOL.GIKE_UPDATE && spis.some((spi) => spi.length === 16 && isAll(spi));

const addressOf = ({ destination }: PlannedSa): string => formatAddress(destination.startAddress);

const sameSelectors = ({ planned }: DataSa | HeldRekey, { source, destination }: PlannedSa): boolean =>
  equal(planned.destination.startAddress, destination.startAddress) &&
  equal(planned.source.startAddress, source.startAddress) &&
  planned.destination.startPort === destination.startPort;

/** At registration as the policy says; later the method stays, and only the key can be another (section 4.4.2.1.1). */
function authOf(planned: PlannedRekey, before?: HeldRekey, authKey?: KeyObject): RekeyAuth | undefined {
  if (!planned.auth) return before?.sa.auth;
  if (planned.auth === "implicit") return "implicit";
  return authKey && { ...planned.auth, publicKey: authKey };
}
