/** What a group must survive, on both sides: something bad is sent, and afterwards all goes on. */
import type { DataSa } from "../group/controller-state.ts";
import type { OutgoingRekey } from "../group/hooks.ts";
import { identity } from "../ike/identity.ts";
import { hasNotify } from "../ike/payloads.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";
import { expectNoAnswer, listPayloads, require } from "./expectations.ts";
import { changeGrants } from "./group-changes.ts";
import { controllerWithMember, type GroupController } from "./group-controller.ts";
import type { Damage } from "./group-damage.ts";
import { GROUP, type Registration } from "./group-member.ts";
import type { RekeyLog } from "./group-rekeys.ts";
import type { Script } from "./script.ts";

/** Damages all answers to registrations that grant one, until the returned function is called. */
export const damageGrants = (
  s: Script,
  damage: (payloads: Payload[], sa: GrantedSa) => Payload[],
): (() => void) =>
  changeGrants(s, (message) => {
    const { sa, payloads } = message;
    if (sa && payloads.some((p) => p.type === PAYLOAD.GSA)) message.payloads = damage(payloads, sa);
  });

type GrantedSa = NonNullable<Registration["sa"]>;

/** A controller with the peer as its member, who reads the group's data. */
export async function withMember(s: Script): Promise<GroupController> {
  const gc = await controllerWithMember(s);
  await expectReads(gc, "the peer to read data of the group once it has registered");
  return gc;
}

/** Fails unless the peer reads what is sent on the first data SA. */
export async function expectReads(
  gc: GroupController,
  expected: string,
  sa: DataSa = onlySa(gc),
): Promise<void> {
  require(await gc.reads(sa), expected, "it reads nothing");
}

export async function expectUnread(
  gc: GroupController,
  reason: string,
  sa: DataSa = onlySa(gc),
): Promise<void> {
  require(!(await gc.reads(sa)), `no data SA out of ${reason}`, "the peer reads what is sent on it");
}

/** The first data SA of the group. */
export function onlySa(gc: GroupController): DataSa {
  const [sa] = gc.dataSas();
  if (!sa) throw new Error("the group has no data SA yet");
  return sa;
}

/** The peer registers, and reads what is sent then. */
export async function expectServesMember(gc: GroupController): Promise<void> {
  await gc.registers();
  await expectReads(gc, "the peer to read data of the group once it has a good registration");
}

/** Sends GSA_REKEY for the data SAs, changed on the way, so many times. Returns the SA before and the one that the last tells of. */
export async function rekeyWith(
  gc: GroupController,
  change: (message: OutgoingRekey) => void,
  times = 1,
): Promise<{ old: DataSa; fresh: DataSa }> {
  const old = onlySa(gc);
  const hook = { outgoingRekey: change };
  gc.hooks.push(hook);
  await gc.act((controller) => {
    for (let count = 0; count < times; count++) controller.rekey(identity(GROUP), "data");
    gc.hooks.splice(gc.hooks.indexOf(hook), 1);
  });
  return { old, fresh: onlySa(gc) };
}

/** A GSA_REKEY that must change nothing and be answered by nothing; the next good one must. */
export async function expectRekeyDropped(
  gc: GroupController,
  change: (message: OutgoingRekey) => void,
): Promise<void> {
  const since = gc.script.mark();
  const { old, fresh } = await rekeyWith(gc, change);
  expectNoAnswer(gc.script, since, "no answer to GSA_REKEY");
  await expectUnread(gc, "a GSA_REKEY that must be dropped", fresh);
  await expectReads(gc, "the data SA from before to go on", old);
  await expectFollows(gc);
}

/** A GSA_REKEY of which the peer may make what it likes, but the group must go on. */
export async function expectRekeySurvived(
  gc: GroupController,
  change: (message: OutgoingRekey) => void,
): Promise<void> {
  const since = gc.script.mark();
  await rekeyWith(gc, change);
  expectNoAnswer(gc.script, since, "no answer to GSA_REKEY");
  await expectFollows(gc);
}

/** Fails unless the peer takes the next good GSA_REKEY. */
export async function expectFollows(gc: GroupController): Promise<void> {
  const { fresh } = await rekeyWith(gc, () => {});
  await expectReads(gc, "the peer to take the next good GSA_REKEY", fresh);
}

/** Asks for the group with a damaged request on the IKE SA that is there. */
export async function askBadly({ member }: RekeyLog, damage: Damage): Promise<Registration> {
  const { script } = member;
  const over = script.change(EXCHANGE.GSA_REGISTRATION, (message) => {
    message.payloads = damage(message.payloads);
  });
  const outcome = await member.tryRegisterMore();
  over();
  return outcome;
}

const REFUSALS = [
  NOTIFY.INVALID_SYNTAX,
  NOTIFY.INVALID_GROUP_ID,
  NOTIFY.AUTHORIZATION_FAILED,
  NOTIFY.REGISTRATION_FAILED,
  NOTIFY.NO_PROPOSAL_CHOSEN,
];

/** Fails if the controller granted something, or refused for a reason that makes no sense. */
export function expectRefused({ response }: Registration): void {
  const granted = response.some((p) => p.type === PAYLOAD.GSA || p.type === PAYLOAD.KD);
  const silent = response.length === 0;
  const refused = silent || REFUSALS.some((type) => hasNotify(response, type));
  require(refused && !granted, "an error notify, without GSA and KD", listPayloads({ payloads: response }), {
    payloads: response,
  });
}

/** Fails unless the group is as it was: its rekeys reach us, and we can register again, to the same Rekey SA. */
export async function expectGroupGoesOn(log: RekeyLog): Promise<void> {
  const { sa } = await log.afterRekey("data");
  await log.member.register();
  const { sa: later } = await log.afterRekey("data");
  require(later.spi.every((octet, at) => octet === sa.spi[at]), "the same Rekey SA as before", "another one");
}
