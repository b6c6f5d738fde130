/** What a group member is told, tells, and knows. */
import type { Random } from "../crypto/types.ts";
import type { EspReceiver } from "../esp/inbound.ts";
import type { EspSender } from "../esp/outbound.ts";
import type { Identity } from "../ike/policy.ts";
import type { Proposal } from "../wire/types.ts";
import type { GroupHooks } from "./hooks.ts";
import type { KeyPath } from "./key-path.ts";
import type { PlannedData, PlannedRekey } from "./member-policy.ts";
import type { RekeyFragments } from "./rekey-fragments.ts";
import type { RekeySa } from "./rekey-message.ts";

/** How a member takes part in any group. */
export interface MemberPolicy {
  /** What it takes of policies, and says so by SAg: protocols 6 and 3. SPIs are empty. */
  SAg: Proposal[];
  /** Share of a lifetime after which it registers again if nobody has rekeyed; 0 to 1. */
  softLifetime: number;
  /** Milliseconds within which it registers again after it was excluded, chosen at random. */
  spreadMs: number;
  /** Registrations in a row that may bring nothing before it gives up. */
  tries: number;
  /** UDP port of the inner datagrams, at both ends. */
  port: number;
}

/** What it wants of one group. */
export interface GroupWishes {
  /** Also sends. */
  sender: boolean;
  /** Sender-IDs that it asks for: one for each encryption module; not set: 1. */
  senderIds?: number;
  /** Offered in the place of the policy's; "none" leaves SAg out. */
  SAg?: Proposal[] | "none";
}

export interface DataSa {
  planned: PlannedData;
  KEYMAT: Uint8Array;
  /** Both for a sender of a group with several senders. */
  inbound?: EspReceiver;
  outbound?: EspSender;
  /** Since when it may be sent on, ms. */
  activeAt: number;
  /** `leaving`: deleted, and taken away when the deactivation delay is over. */
  state: "installed" | "leaving" | "removed";
  /** Of the IVs that have the Sender-ID in front. */
  ivs: bigint;
  cancel: (() => void)[];
}

export interface HeldRekey {
  planned: PlannedRekey;
  sa: RekeySa;
  /** The number that the next message has at least. */
  nextMessageId: number;
  fragments: RekeyFragments;
  state: "installed" | "leaving" | "removed";
  cancel: (() => void)[];
}

/** What it knows of one group. Times in seconds. */
export interface Membership {
  group: Identity;
  wishes: GroupWishes;
  state: "registered" | "excluded" | "left";
  mode: "tunnel" | "transport";
  /** In the order in which they came. */
  data: DataSa[];
  /** The newest last; those before it end with the deactivation delay. */
  rekeys: HeldRekey[];
  path: KeyPath;
  senderIds: number[];
  senderIdBits?: number;
  ATD: number;
  DTD: number;
}

export type MemberEvent =
  | { type: "registered"; group: Identity }
  | { type: "registration-failed"; group: Identity; reason: string }
  | { type: "rekeyed"; group: Identity; by: "multicast" | "inband"; messageId: number }
  | { type: "installed" | "removed"; group: Identity; protocolId: number; spi: Uint8Array; reason: string }
  | { type: "excluded" | "registers-again"; group: Identity; reason: string }
  /** `data` is the payload of the inner UDP datagram. */
  | { type: "data"; group: Identity; data: Uint8Array; spi: Uint8Array; from: string }
  /** Something of the other side's that cannot be right; the state is as before. */
  | { type: "finding"; group?: Identity; finding: string };

export interface MemberOptions {
  random: Random;
  hooks: GroupHooks[];
  policy: MemberPolicy;
  event(event: MemberEvent): void;
  /** Makes the host receive what is sent to this multicast address. */
  join(group: string): void;
}
