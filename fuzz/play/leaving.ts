/** How our end leaves off: what is outstanding is given up, and SAs that stand are deleted. */
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Host } from "../../harness/script/host.ts";

/** The Message ID that our last request on an SA had before any lie. */
export type LastIds = Map<IkeSa, number>;

/**
 * Lets the next requests go. `took`: the peer has taken the Message ID of the outstanding one; it never did that of one
 * that it said nothing to.
 */
export function abandon(host: Host, lastIds: LastIds, took: boolean): void {
  for (const sa of host.endpoint.core.sas.values()) {
    if (!sa.pending) continue;
    sa.pending.cancelTimer?.();
    sa.pending = undefined;
    sa.queue.length = 0;
    const id = lastIds.get(sa);
    if (id !== undefined && !took) sa.nextMessageId = id;
  }
}

/** Sends a Delete for each IKE SA that stands; nobody waits for the answers. */
export function part(host: Host, lastIds: LastIds): void {
  const { endpoint } = host;
  const standing = [...endpoint.core.sas.values()].filter(({ established }) => established);
  const outstanding = new Map(standing.map((sa) => [sa, sa.pending && lastIds.get(sa)]));
  abandon(host, lastIds, true);
  for (const sa of standing) {
    guarded(() => void endpoint.deleteIke(sa));
    const id = outstanding.get(sa);
    if (id === undefined) continue;
    // Perhaps the peer never took that one's Message ID. If it did, this finds no SA any more; sent first, it would be
    // another request under a Message ID that the peer knows.
    abandon(host, lastIds, true);
    sa.nextMessageId = id;
    guarded(() => void endpoint.deleteIke(sa));
  }
  host.settle();
}

/** An act out of turn must not end more than itself; the reason if our endpoint cannot do it. */
export function guarded(act: () => string | undefined): string | undefined {
  try {
    return act();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
