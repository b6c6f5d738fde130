/** The Sequence Numbers transform (RFC 9827) in offers and choices, and the numbers of ESP packets. */
import type { ChildSa } from "../ike/child.ts";
import { payload } from "../ike/payloads.ts";
import { readU32 } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../wire/types.ts";
import { espFromPeer, expectTraffic, isDelivered } from "./echo.ts";
import { require } from "./expectations.ts";
import { espProposals, withoutKe } from "./policy.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";

const TWO_32 = 2n ** 32n;

export const isSn = ({ type }: Transform): boolean => type === TRANSFORM.SN;

/** The ESP proposals that the peer was told, with these Sequence Numbers transforms in the place of their own. */
export const withNumbers = (s: Script, ...numbers: (number | Transform)[]): Proposal[] =>
  espProposals(...s.arena.config.espProposals)
    .map(withoutKe)
    .map((p) => ({
      ...p,
      transforms: [
        ...p.transforms.filter((t) => !isSn(t)),
        ...numbers.map((n) => (typeof n === "number" ? { type: TRANSFORM.SN, id: n, attributes: [] } : n)),
      ],
    }));

/** The Sequence Numbers ids of a proposal. */
export const numbersIn = ({ transforms }: Proposal): number[] => transforms.filter(isSn).map(({ id }) => id);

/** ESP proposals in the peer's messages: its offers, or its choices. */
export function espProposalsOfPeer(s: Script, which: "offers" | "choices"): Proposal[] {
  const messages = s.trace.exchanges
    .filter(({ by }) => (by === "peer") === (which === "offers"))
    .map((e) => (which === "offers" ? e.request : e.response));
  const all = messages.flatMap((m) => payload(m?.payloads ?? [], "SA")?.proposals ?? []);
  return all.filter(({ protocolId }) => protocolId === PROTOCOL.ESP);
}

/** Has the peer rekey its Child SA, so that there is an offer of its own, and waits for that. */
export async function provokeOffer(session: Session): Promise<void> {
  const { script } = session;
  await script.arena.driver.rekeyChild();
  await script.until(() => script.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").length > 0);
}

/** Goes near the end of the low half in steps below 2^31, as a receiver may not follow wider ones. */
export async function goNearTwo32(session: Session): Promise<void> {
  for (const counter of [2n ** 30n, 3n * 2n ** 30n - 1n, TWO_32 - 10n]) {
    session.pipe().outbound.counter = counter;
    await expectTraffic(session, `a jump to sequence number ${counter}`);
  }
}

/** The Sequence Number fields of the peer's packets on this Child SA, in the order they came. */
export const numbersFromPeer = (session: Session, child: ChildSa): number[] =>
  espFromPeer(session, child).map(({ packet }) => readU32(packet, 4));

/** The Child SA that the peer made to replace this one. */
export const replacedByPeer = ({ script }: Session, old: ChildSa): ChildSa | undefined =>
  script.trace.childSas().find((c) => c.replaces === old && !c.initiatedByUs);

/** Has the peer send until it replaces the Child SA, or until as many echo requests have gone. */
async function wearOut(session: Session, child: ChildSa, most = 30): Promise<ChildSa | undefined> {
  for (let sent = 0; sent < most && !replacedByPeer(session, child); sent++) await isDelivered(session);
  return replacedByPeer(session, child);
}

/**
 * The peer's counter, which began behind `start`, comes to its end. Fails if a number comes twice or is not behind
 * `start`; that the peer then sends no more, in the place of a new Child SA, is tolerated.
 */
export async function expectNoCycle(
  session: Session,
  start: number,
  numbersOf: (session: Session, child: ChildSa) => number[] = numbersFromPeer,
): Promise<void> {
  const { child } = session;
  const replaced = await wearOut(session, child);
  const numbers = numbersOf(session, child);
  const odd = numbers.find((n, i) => n <= start || numbers.indexOf(n) !== i);
  require(numbers.length > 0, "packets of the peer", "none");
  require(odd === undefined, `every number once, and behind ${start}`, `${odd} among ${numbers.join(", ")}`);
  if (replaced) await session.proveTraffic(replaced);
  else session.script.tolerate("sends no more at the end of its numbers, in the place of a new Child SA");
}
