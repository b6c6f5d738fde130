/** How the acts of a trace begin. */
import type { Pipe } from "../../harness/esp/pipe.ts";
import type { ChildSa } from "../../harness/ike/child.ts";
import { errorNotify, notifyText } from "../../harness/ike/payloads.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Arena } from "../../harness/script/arena.ts";
import { formatAddress } from "../../harness/wire/address.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import type { Driver } from "../../peers/contract.ts";
import type { Act } from "../trace.ts";
import type { OurEnd } from "./our-end.ts";
import type { Record } from "./record.ts";
import { end, type Running } from "./running.ts";

/** What an act has at hand. */
export interface Scene {
  arena: Arena;
  ours: OurEnd;
  record: Record;
}

const NO_SA = "there is no IKE SA";
const NO_KEYS = "there is no IKE SA with keys";
const NO_CHILD = "there is no Child SA";
const NO_GROUP = "there is no group to join";

/**
 * Begins a step of ours; a string says what was missing. The caller must settle the host. `outOfTurn` is called before
 * a message to which a peer may lawfully say nothing.
 */
export function begin(scene: Scene, step: Running, outOfTurn: () => void): string | undefined {
  const { act, sa: number } = step.step;
  if (act === "init") return init(scene, step);
  const sas = scene.record.sas;
  const named = number === undefined ? (act === "auth" ? sas.at(-1) : newest(sas)) : sas[number];
  if (!named) return NO_SA;
  if (!named.keys) return NO_KEYS;
  step.sa = named;
  if (named.established === (act === "auth") || leftNothing(scene, named, act)) outOfTurn();
  // A closed one can be spoken on still: what the peer makes of that is worth seeing.
  scene.ours.host.endpoint.core.sas.set(hex(named.ownSpi), named);
  return ACTS[act]?.(scene, step, named);
}

/** Whether the act is on a closed SA. */
function leftNothing({ record }: Scene, sa: IkeSa, act: Act): boolean {
  if (sa.state === "closed") return true;
  return act === "esp" && childOf(record, sa)?.state === "closed";
}

/** The newest that can carry a message, closed ones last. */
const newest = (sas: readonly IkeSa[]): IkeSa | undefined =>
  sas.findLast((sa) => sa.keys && sa.state !== "closed") ?? sas.findLast((sa) => sa.keys) ?? sas.at(-1);

type Begin = (scene: Scene, step: Running, sa: IkeSa) => string | undefined;

const ACTS: Partial<{ [A in Act]: Begin }> = {
  auth: ({ ours }, step, sa) => {
    ours.host.endpoint.auth(sa, ours.authWishes(), (outcome) =>
      tell(step, outcome.failure ?? outcome.childFailure ?? outcome.applicationFailure),
    );
    return undefined;
  },
  "create-child": ({ ours }, step, sa) => {
    ours.host.endpoint.createChild(sa, {}, (child) => tell(step, failureOf(child)));
    return undefined;
  },
  "rekey-child": ({ ours, record }, step, sa) => {
    const old = childOf(record, sa);
    if (!old) return NO_CHILD;
    step.holds = () => old.state === "closed" || sa.state === "closed";
    ours.host.endpoint.rekeyChild(old, {}, (child) => {
      if (typeof child === "string") step.holds = undefined;
      tell(step, failureOf(child));
    });
    return undefined;
  },
  "rekey-ike": ({ ours }, step, sa) => {
    step.holds = () => sa.state === "closed";
    ours.host.endpoint.rekeyIke(sa, {}, (made) => {
      if (typeof made === "string") step.holds = undefined;
      tell(step, failureOf(made));
    });
    return undefined;
  },
  informational: ({ ours }, step, sa) => {
    ours.host.endpoint.request(sa, EXCHANGE.INFORMATIONAL, [], (response) => {
      const error = response && errorNotify(response.payloads);
      tell(step, error ? notifyText(error) : response ? undefined : (sa.closedBecause ?? "no answer"));
    });
    return undefined;
  },
  "delete-child": ({ ours, record }, step, sa) => {
    const child = childOf(record, sa);
    if (!child) return NO_CHILD;
    ours.host.endpoint.deleteChild(child, () => tell(step));
    return undefined;
  },
  "delete-ike": ({ ours }, step, sa) => {
    ours.host.endpoint.deleteIke(sa, () => tell(step));
    return undefined;
  },
  register: ({ ours }, step, sa) =>
    ours.register(sa, (failure) => tell(step, failure)) ? undefined : NO_GROUP,
  esp: (scene, step, sa) => echo(scene, step, sa),
};

function init({ arena, ours, record }: Scene, step: Running): undefined {
  const sa = ours.host.endpoint.init(arena.local, arena.remote, (failure) => tell(step, failure));
  record.began(sa);
  step.sa = sa;
}

function tell(step: Running, failure?: string): void {
  if (failure === undefined) end(step, "done");
  else end(step, step.answers.length > 0 ? "refused" : "silence", failure);
}

const failureOf = (made: unknown): string | undefined => (typeof made === "string" ? made : undefined);

/** The newest Child SA of this IKE SA, a closed one if there is no other. */
function childOf(record: Record, sa: IkeSa): ChildSa | undefined {
  const own = record.pipes.map(({ child }) => child).filter((child) => child.ike === sa);
  return own.findLast((child) => child.state === "installed") ?? own.at(-1);
}

const FIRST_IDENTIFIER = 0x4200;
const DATA = new Uint8Array(56).fill(0xa5);

function echo({ arena, ours, record }: Scene, step: Running, sa: IkeSa): string | undefined {
  const pipe = pipeOf(record, childOf(record, sa) ?? record.pipes.at(-1)?.child);
  if (!pipe) return NO_CHILD;
  const identifier = FIRST_IDENTIFIER + step.index;
  step.reached = () => record.echoes.has(identifier);
  const { ownAddresses, leased } = pipe.child.ike;
  const [from, to] = [ownAddresses?.[0], leased?.[0]].map(
    (found) => found && formatAddress(found.startAddress),
  );
  const { tester, peer } = arena.inner;
  const data = DATA.slice();
  ours.host.sendEcho(pipe, { from: from ?? tester, to: to ?? peer, identifier, sequence: 1, data });
  return undefined;
}

const pipeOf = (record: Record, child: ChildSa | undefined): Pipe | undefined =>
  record.pipes.findLast((pipe) => pipe.child === child);

/** Why the peer cannot begin this; undefined if it can. */
export function missingFor({ record }: Scene, act: Act): string | undefined {
  const stands = act === "peer-initiate" || record.sas.some((sa) => sa.established);
  return stands ? undefined : "there is no IKE SA that stands";
}

/** Has the driver make the peer begin; it rejects with why that cannot be. */
export function provoke({ arena }: Scene, act: Act): Promise<void> {
  const { driver, inner, config } = arena;
  const [group] = config.groups ?? [];
  if (act === "peer-initiate" && group) return register(driver, group.id);
  if (act === "peer-initiate") return driver.initiate();
  if (act === "peer-rekey-child") return driver.rekeyChild();
  if (act === "peer-rekey-ike") return driver.rekeyIke();
  if (act === "peer-esp") return driver.sendTraffic({ from: inner.peer, to: inner.tester, count: 1 });
  return driver.delete(act === "peer-delete-ike" ? "ike" : "child");
}

async function register({ groups }: Driver, id: string): Promise<void> {
  if (!groups) throw new Error("the peer knows no groups");
  await groups.register(id);
}

/** When a step of the peer's has come to its end; to be asked before the driver acts. */
export function reachedOf({ arena, record }: Scene, act: Act): () => boolean {
  const before = { ...record.counts };
  const more =
    (...whats: (keyof Record["counts"])[]) =>
    () =>
      whats.every((what) => record.counts[what] > before[what]);
  const childless = arena.config.childless === "force" || arena.config.groups !== undefined;
  if (act === "peer-initiate") return more(childless ? "established" : "children");
  // Who rekeys deletes the old one: by that he shows that he took our answer.
  if (act === "peer-rekey-child") return more("children", "childrenClosed");
  if (act === "peer-rekey-ike") return more("established", "closed");
  if (act === "peer-esp") return more("echoRequests");
  return more(act === "peer-delete-ike" ? "closed" : "childrenClosed");
}
