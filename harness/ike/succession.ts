/** A new IKE SA in the place of an old one: RFC 7296 section 2.18. */
import { ikeKeys, rekeyedSkeyseed } from "../crypto/keys.ts";
import type { Prf } from "../crypto/types.ts";
import type { Proposal } from "../wire/types.ts";
import type { Core } from "./core.ts";
import type { IkeKeyInputs } from "./hooks.ts";
import { type IkeSa, ikeSuite } from "./sa.ts";
import { startQueued } from "./send.ts";

/** Derives the keys of `sa` from SK_d of `old` and enters it; false if the transforms cannot be used. */
export function deriveFrom(
  core: Core,
  old: IkeSa,
  sa: IkeSa,
  proposal: Proposal,
  sharedSecret: Uint8Array,
  further: Uint8Array[],
): boolean {
  const suite = ikeSuite(proposal);
  if (!suite || !old.suite || !old.keys) return false;
  const inputs: IkeKeyInputs = {
    ...{ sa, replaces: old, SK_d: old.keys.SK_d, sharedSecret, further },
    ...{ Ni: sa.Ni, Nr: sa.Nr, spiI: sa.spiI, spiR: sa.spiR },
  };
  for (const extension of core.options.extensions) extension.ikeKeys?.(inputs);
  const { SK_d = old.keys.SK_d, Ni, Nr, spiI, spiR } = inputs;
  const [ofSeed, ofKeys] = prfsOfRekey(core, old.suite.prf, suite.prf);
  const seed = rekeyedSkeyseed(ofSeed, SK_d, inputs.sharedSecret, Ni, Nr, inputs.further);
  const keys = ikeKeys(ofKeys, suite.encr, suite.integ, seed, Ni, Nr, spiI, spiR);
  for (const extension of core.options.extensions) extension.afterIkeKeys?.(sa, keys);
  sa.proposal = proposal;
  sa.replaces = old;
  sa.remoteIdentity = old.remoteIdentity;
  sa.ownAddresses = old.ownAddresses;
  sa.leased = old.leased;
  for (const type of old.announced) sa.announced.add(type);
  sa.nat = old.nat;
  sa.install(suite, keys);
  sa.state = "established";
  if (core.decide("message ids of a rekeyed IKE SA", "from zero") === "go on") {
    sa.nextMessageId = old.nextMessageId;
    sa.expectedMessageId = old.expectedMessageId + 1;
  }
  core.add(sa);
  return true;
}

/** The PRF that makes SKEYSEED, which is that of the old IKE SA, and the one that expands it, which is that of the new one. */
function prfsOfRekey(core: Core, old: Prf, fresh: Prf): [seed: Prf, keys: Prf] {
  const manner = core.decide("PRFs of an IKE rekey", "SKEYSEED by the old one, prf+ by the new one");
  if (manner === "the new one") return [fresh, fresh];
  return [old, manner === "the old one" ? { ...old, keyLength: fresh.keyLength } : fresh];
}

/** Says that an SA made by rekeying is there. */
export function announce(core: Core, sa: IkeSa): void {
  core.emit({ type: "keys", sa });
  core.emit({ type: "ike-established", sa });
}

/** The SA that has taken the place of this one, or itself. */
export function successorOf(sa: IkeSa): IkeSa {
  let newest = sa;
  while (newest.replacedBy) newest = newest.replacedBy;
  return newest;
}

/**
 * Moves what the old SA has, Child SAs and waiting requests, to the new one. When rekeys cross, the peer can have
 * rekeyed the new one already: then to the newest.
 */
export function succeed(core: Core, old: IkeSa, successor: IkeSa): void {
  const sa = successorOf(successor);
  old.state = "rekeyed";
  old.replacedBy = sa;
  if (sa.state === "closed") return endWith(core, old, sa);
  moveChildren(core, old, sa);
  const waiting = old.queue.splice(0);
  if (waiting.length === 0) return;
  sa.queue.push(...waiting);
  // Not at once: the peer has yet to see the response that makes the new SA.
  core.after(0, () => startQueued(sa));
}

/** The peer deleted the new SA, and with it all that the old one had, before we knew that it had won. */
function endWith(core: Core, old: IkeSa, sa: IkeSa): void {
  for (const child of [...old.children]) core.closeChild(child, sa.closedBecause ?? "closed with its IKE SA");
  for (const request of old.queue.splice(0)) request.answered(undefined, old);
}

function moveChildren(core: Core, old: IkeSa, sa: IkeSa): void {
  const keep = core.decide("Child SAs of a replaced IKE SA", "move") === "move";
  for (const child of [...old.children]) {
    if (!keep) core.closeChild(child, "dropped with the replaced IKE SA");
    else child.ike = sa;
  }
  sa.children.push(...old.children);
  old.children.length = 0;
}
