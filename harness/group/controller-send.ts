/** The ways from a controller to its members: multicast, and their IKE SAs. */
import type { Core } from "../ike/core.ts";
import type { IkeSa } from "../ike/sa.ts";
import { sendRequest, startQueued } from "../ike/send.ts";
import type { Address } from "../link/types.ts";
import { formatAddress } from "../wire/ip.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG, type Payload } from "../wire/types.ts";
import { type GroupMember, type GroupState, ikeOf, type RekeySa } from "./controller-state.ts";
import type { Decide, GroupHooks, OutgoingRekey } from "./hooks.ts";
import { type Wrapping, wrappingOf } from "./keys.ts";
import { buildRekey } from "./rekey-message.ts";

/** What the parts of a controller share. */
export interface Env {
  core: Core;
  /** Where multicast comes from. */
  own: Address;
  decide: Decide;
  hooks: readonly GroupHooks[];
  report(finding: { reason: string }): void;
}

/** Nobody tells that a message got lost; so there are two of each (section 2.4.1.3). */
const COPY_AFTER_MS = 1000;
const STUBBORN_COPIES = 8;

/** Octets of inner payloads above which a message is fragmented, if every member can put it together. */
const CHUNK = 1200;

/** Sends GSA_REKEY on this Rekey SA. */
export function multicast(env: Env, state: GroupState, via: RekeySa, payloads: Payload[]): void {
  const message: OutgoingRekey = {
    ...{ spi: via.spi, messageId: via.nextMessageId++, flags: FLAG.initiator, payloads },
    signed: via.policy.auth !== "implicit",
  };
  for (const hook of env.hooks) hook.outgoingRekey?.(message);
  const chunk = takesFragments(env, state) ? CHUNK : undefined;
  const build = () => buildRekey(message, { ...via.sender, ...(chunk && { chunk }) });
  const datagrams = build();
  transmit(env, via, datagrams);
  const manner = env.decide("copies of GSA_REKEY", "same octets");
  for (let copy = 1; copy <= (manner === "until answered" ? STUBBORN_COPIES : 1); copy++) {
    const again = () => transmit(env, via, manner === "sealed anew" ? build() : datagrams);
    env.core.after(copy * COPY_AFTER_MS, again);
  }
}

/** Negotiated with every member (section 2.4.1.2). */
const takesFragments = ({ core }: Env, state: GroupState): boolean =>
  state.takesFragments && core.options.extensions.some(({ name }) => name === "fragmentation");

function transmit({ core, own }: Env, { policy }: RekeySa, datagrams: Uint8Array[]): void {
  const { startAddress, startPort } = policy.destination;
  const destination = { host: formatAddress(startAddress), port: startPort };
  for (const data of datagrams) core.options.send({ protocol: "udp", source: own, destination, data });
}

/**
 * Sends GSA_INBAND_REKEY to a member. Keys are wrapped when the request goes out: where one waits for it, the IKE SA
 * can be another one by then.
 */
export function inband(env: Env, member: GroupMember, payloads: (wrapping: Wrapping) => Payload[]): void {
  const ike = ikeOf(member);
  if (!ike.established) return;
  const answered = (response: { payloads: Payload[] } | undefined) => {
    if (response && response.payloads.length > 0)
      env.report({ reason: "an answer to GSA_INBAND_REKEY that is not empty" });
  };
  const start = (on: IkeSa) => {
    const wrapping = wrappingOf(on);
    if (!wrapping) return startQueued(on);
    sendRequest(env.core, on, EXCHANGE.GSA_INBAND_REKEY, payloads(wrapping), answered);
  };
  if (ike.pending) ike.queue.push({ start, answered });
  else start(ike);
}
