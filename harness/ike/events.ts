/** What an endpoint tells its owner, in the order in which it happened. */
import type { Datagram } from "../link/types.ts";
import type { ChildSa } from "./child.ts";
import type { IncomingMessage, OutgoingMessage } from "./hooks.ts";
import type { IkeSa } from "./sa.ts";

export type IkeEvent =
  /** A message left; `datagrams` are its IKE octets. `copy` counts retransmissions from 1. */
  | { type: "sent"; message: OutgoingMessage; datagrams: Uint8Array[]; copy: number }
  /** A message arrived whole and was opened. `repeated` marks a request seen before. */
  | { type: "received"; message: IncomingMessage; repeated: boolean }
  /** A datagram that was not acted on, and why. */
  | { type: "dropped"; datagram: Datagram; reason: string }
  | { type: "keys"; sa: IkeSa }
  | { type: "ike-established"; sa: IkeSa }
  | { type: "ike-closed"; sa: IkeSa; reason: string }
  | { type: "child-established"; child: ChildSa }
  | { type: "child-failed"; sa: IkeSa; reason: string }
  | { type: "child-closed"; child: ChildSa; reason: string };
