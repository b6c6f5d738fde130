/** The anti-replay status notification in the hands of a test, and copies of ESP packets. */
import type { PeerRole } from "../../peers/contract.ts";
import { type ReplayStatus, replayStatus, statusIn } from "../extensions/replay-status.ts";
import { notifies } from "../ike/payloads.ts";
import { hex } from "../wire/bytes.ts";
import {
  REPLAY_STATUS_NOTIFY,
  type ReplayStatusRevision,
} from "../wire/documents/anti-replay-notification.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { replies, sendEcho } from "./echo.ts";
import { require } from "./expectations.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Behind, Failure, Unsupported } from "./verdicts.ts";

/** The revision that this run of the test is for. */
export const replayRevisionOf = ({ arena }: Script): ReplayStatusRevision =>
  arena.config.drafts?.["anti-replay-notification"] === "00" ? "00" : "01";

/** The notify type of this run's revision, as the peer numbers it. */
export const replayTypeOf = (s: Script): number => s.codePoint(REPLAY_STATUS_NOTIFY[replayRevisionOf(s)]);

export { canEsn, type ReplayStatus } from "../extensions/replay-status.ts";

export const PROTECTS: ReplayStatus = { protects: true, esnWithout: true };
export const PROTECTS_NOT: ReplayStatus = { protects: false, esnWithout: true };

/**
 * Has our end announce this of every Child SA from now on, and heed what the peer announces; if it says that it does
 * not protect, it does not. The returned function ends that.
 */
export function announceReplayStatus(s: Script, own: ReplayStatus): () => void {
  const { codePoints } = s.arena.config;
  const { ike, esp } = replayStatus({ revision: replayRevisionOf(s), own, codePoints });
  const { window } = s.host.options;
  if (!own.protects) s.host.options.window = 0;
  s.extensions.push(ike);
  s.espExtensions.push(esp);
  return () => {
    s.extensions.splice(s.extensions.indexOf(ike), 1);
    s.espExtensions.splice(s.espExtensions.indexOf(esp), 1);
    if (window === undefined) delete s.host.options.window;
    else s.host.options.window = window;
  };
}

/** The status notifies of this run's revision. */
export const replayNotifies = (s: Script, payloads: Payload[]): NotifyPayload[] =>
  notifies(payloads, replayTypeOf(s));

/** What a message says in this run's revision. */
export const readReplayStatus = (s: Script, payloads: Payload[]): ReplayStatus | undefined =>
  statusIn(replayRevisionOf(s), payloads, s.arena.config.codePoints);

/** What the peer announced in IKE_AUTH; ends the test if it announced nothing, or only what an older revision has. */
export function needReplayStatus(s: Script): ReplayStatus {
  const revision = replayRevisionOf(s);
  const messages = s.trace
    .exchangesOf(EXCHANGE.IKE_AUTH)
    .map((e) => (e.by === "peer" ? e.request : e.response));
  const payloads = messages.flatMap((m) => m?.payloads ?? []);
  const status = readReplayStatus(s, payloads);
  if (status) return status;
  const [found] = replayNotifies(s, payloads);
  if (found) throw new Failure("a status that can be read", hex(found.data) || "no data");
  const older = notifies(payloads, s.codePoint(REPLAY_STATUS_NOTIFY["00"]));
  if (revision === "01" && older.length > 0) throw new Behind("00", "ANTI_REPLAY_STATUS is all it announces");
  throw new Unsupported(`no ${REPLAY_STATUS_NOTIFY[revision]} in the peer's IKE_AUTH`);
}

/** Both SAs, with our announcement in what makes them, and the peer's. */
export async function establishWithStatus(
  s: Script,
  peer: PeerRole,
  own: ReplayStatus = PROTECTS,
): Promise<{ session: Session; status: ReplayStatus }> {
  announceReplayStatus(s, own);
  const session = await s.establish(peer);
  return { session, status: needReplayStatus(s) };
}

/** Sends one packet as often as that; how many replies came within a moment of the first. */
export async function repliesToCopies(session: Session, copies: number): Promise<number> {
  const { script } = session;
  const all = (packet: Uint8Array) => new Array<Uint8Array>(copies).fill(packet);
  const echo = sendEcho(session, { octets: all });
  await script.until(() => replies(session, echo) > 0, script.arena.patience / 2);
  await script.until(() => replies(session, echo) >= copies, script.arena.quiet);
  return replies(session, echo);
}

/** Fails unless three copies of a packet are delivered once. */
export async function expectOneOfCopies(session: Session): Promise<void> {
  const count = await repliesToCopies(session, 3);
  require(count === 1, "one echo reply to three copies of a packet", `${count} replies`);
}

/** As {@link expectOneOfCopies} with replay protection; without, all are to come, and fewer are tolerated. */
export async function expectCopiesAsTold(session: Session, window: number): Promise<void> {
  if (window > 0) return expectOneOfCopies(session);
  const count = await repliesToCopies(session, 3);
  require(count > 0, "echo replies to three copies of a packet", "none");
  if (count < 3)
    session.script.tolerate(`drops copies of a packet although told not to: ${count} replies of 3`);
}
