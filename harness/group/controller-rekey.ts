/** New keys, exclusion and deletion: RFC 9838 sections 2.4, 3.2.1, 4.6. */

import { identityKey } from "../ike/identity.ts";
import { notify } from "../ike/payloads.ts";
import type { Identity } from "../ike/policy.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Payload } from "../wire/types.ts";
import { type Circumstances, deleteAllOf, deleteOf, gsaPayload, kdPayload } from "./controller-payloads.ts";
import { type Env, inband, multicast } from "./controller-send.ts";
import type { DataSa, GroupState, RekeySa } from "./controller-state.ts";
import type { TreeKey, Wrap } from "./key-tree.ts";
import type { Wrapping } from "./keys.ts";

export type What = "data" | "rekey SA" | "both";

/** What one rekey brings. */
interface Renewal {
  rekey?: { sa: RekeySa; by: TreeKey[] } | undefined;
  data: DataSa[];
  /** Data SAs that it replaces. */
  old: DataSa[];
  wraps: Wrap[];
}

/** One USE_TRANSPORT_MODE goes for all data SAs beside it. */
export const modeNotify = (state: GroupState, data: DataSa[]): Payload[] =>
  state.policy.mode === "transport" && data.length > 0 ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : [];

const deletesOf = (old: DataSa[]): Payload[] =>
  [PROTOCOL.AH, PROTOCOL.ESP].flatMap((protocolId) => {
    const spis = old.filter(({ policy }) => policy.protocolId === protocolId).map(({ spi }) => spi);
    return spis.length > 0 ? [deleteOf(protocolId, spis)] : [];
  });

/** GSA, KD, [N], [D]. */
function renewalPayloads(env: Env, state: GroupState, renewal: Renewal, wrapping: Wrapping): Payload[] {
  const { rekey, data, old, wraps } = renewal;
  const { core, own } = env;
  const circumstances: Circumstances = {
    ...{ policy: state.policy, own, now: core.options.now() },
    registration: false,
  };
  const each = env.decide("SA_KEYs of a bag", "same keys") === "each its own";
  const bag = rekey && {
    ...rekey,
    ...(each && {
      KEYMAT: (at: number) => (at === 0 ? rekey.sa.KEYMAT : core.random(rekey.sa.KEYMAT.length)),
    }),
  };
  return [
    gsaPayload({ rekey: rekey?.sa, data }, circumstances),
    kdPayload({ wrapping, data, wraps, senderIds: [], ...(bag && { rekey: bag }) }),
    ...modeNotify(state, data),
    ...deletesOf(old),
  ];
}

function renew(env: Env, state: GroupState, via: RekeySa | undefined, renewal: Renewal): void {
  if (via) multicast(env, state, via, renewalPayloads(env, state, renewal, via.wrapping));
  else {
    for (const member of state.members())
      inband(env, member, (wrapping) => renewalPayloads(env, state, renewal, wrapping));
  }
  watch(env, state);
}

/** Fresh keys for everybody who is in; nothing where nobody has come yet. */
export function rekey(env: Env, state: GroupState, what: What): void {
  const via = state.rekey;
  if (state.policy.rekey && !via) return;
  const old = what === "rekey SA" ? [] : state.makeData();
  const data = what === "rekey SA" ? [] : state.data;
  const sa = what === "data" || !via ? undefined : state.makeRekey();
  if (data.length === 0 && !sa) return;
  renew(env, state, via, { data, old, wraps: [], ...(sa && { rekey: { sa, by: [] } }) });
}

/** Makes the SAs that are not there; who was a member before their data SAs were deleted gets the new ones, too. */
export function supply(env: Env, state: GroupState): void {
  const deleted = state.data.length === 0 && state.policy.data.length > 0;
  if (deleted && state.members().length > 0) rekey(env, state, "data");
  state.complete();
}

/** Puts a member out for good: it may not register again. */
export function exclude(env: Env, state: GroupState, identity: Identity): void {
  const keeps = env.decide("keys of an excluded member", "renew") === "keep";
  if (keeps && !state.policy.rekey) return rekey(env, state, "data");
  state.bar(identity);
  const member = state.member(identity);
  state.forget(identity);
  if (!state.policy.rekey) {
    if (member) inband(env, member, () => everything(state));
    return rekey(env, state, "data");
  }
  if (state.tree) cutOff(env, state, identity);
  else if (state.rekey) deleteSas(env, state, "all");
}

/** Takes a member out that wishes to be out. */
export function leave(env: Env, state: GroupState, identity: Identity): void {
  const known = state.forget(identity);
  if (known && state.tree) cutOff(env, state, identity);
}

/**
 * A new Rekey SA that the member cannot have, and only then new data SAs on it: it must not see those. Nor the policy
 * of the Rekey SA that lasts, where that is to be hidden: then there is another one in between (section 3.2.1).
 */
function cutOff(env: Env, state: GroupState, identity: Identity): void {
  const { tree, rekey: via } = state;
  if (!tree || !via) return;
  const keeps = env.decide("keys of an excluded member", "renew") === "keep";
  const wraps = keeps ? [] : tree.leave(identityKey(identity));
  if (tree.size === 0) return state.clear();
  const sa = state.makeRekey();
  if (!sa) return;
  const atOnce = env.decide("data keys in an excluding rekey", "later") === "at once";
  const old = atOnce ? state.makeData() : [];
  renew(env, state, via, {
    rekey: { sa, by: keeps ? [] : tree.tops() },
    data: atOnce ? state.data : [],
    old,
    wraps,
  });
  if (state.policy.hidesPolicy) rekey(env, state, "rekey SA");
  if (!atOnce) rekey(env, state, "data");
}

/** The data SAs, then the Rekey SA: who gets this is excluded (section 2.4.3). */
function everything({ policy }: GroupState): Payload[] {
  return deleteAllOf([...policy.data.map(({ protocolId }) => protocolId), PROTOCOL.GIKE_UPDATE]);
}

/** Deletes the data SAs, or all SAs of the group, whose members must then register anew. */
export function deleteSas(env: Env, state: GroupState, what: "data" | "all"): void {
  const payloads =
    what === "all" ? everything(state) : deleteAllOf(state.policy.data.map(({ protocolId }) => protocolId));
  if (state.rekey) multicast(env, state, state.rekey, payloads);
  else for (const member of state.members()) inband(env, member, () => payloads);
  if (what === "all") state.clear();
  else {
    state.data = [];
    state.minded.get("data")?.cancel();
    state.minded.delete("data");
  }
}

/** Part of a lifetime after which keys are renewed. */
const IN_TIME = 0.8;

/** Renews what is there now before its lifetime ends, unless something else has done so until then. */
export function watch(env: Env, state: GroupState): void {
  const { data, rekey: rekeySa } = state;
  const seconds = Math.min(...data.map(({ policy }) => policy.lifetimeSeconds));
  mind(env, state, "data", data[0], seconds);
  mind(env, state, "rekey SA", rekeySa, rekeySa?.policy.lifetimeSeconds ?? 0);
}

function mind(
  env: Env,
  state: GroupState,
  what: "data" | "rekey SA",
  sa: DataSa | RekeySa | undefined,
  seconds: number,
): void {
  const before = state.minded.get(what);
  if (!sa || before?.sa === sa) return;
  before?.cancel();
  const wait = sa.madeAt + seconds * 1000 * IN_TIME - env.core.options.now();
  const cancel = env.core.after(wait, () => {
    if (state.members().length > 0) rekey(env, state, what);
    else state.clear();
  });
  state.minded.set(what, { sa, cancel });
}
