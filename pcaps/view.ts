/**
 * What was seen, as trees of named fields: what `pcap show` prints, a ladder draws and `pcap diff` compares. Views come
 * from captures (`viewOf`) and from the event stream of a test, which is kept beside its capture.
 */
import type { Tree } from "../harness/wire/text.ts";

export type FieldTree = { [field: string]: Tree };

export interface View {
  /** Number of the packet in the capture, or of the line in an event stream; counted from 1. */
  at: number;
  /** Milliseconds; since 1970 in captures, since the start of the test in event streams. */
  timeMs: number;
  /** Address and port. Not set in event streams, where `from` tells it all. */
  source?: string;
  destination?: string;
  /** The side: `left` is who sent first in a capture, and our endpoint in an event stream. */
  from: "left" | "right";
  /** In a line, as in `IKE_AUTH request 1: SK { IDi AUTH SA TSi TSr }` or `ESP c0ffee01 number 1`. */
  text: string;
  /** What the reader should know beside it, as in `retransmission`, `3 fragments`, `no keys`. */
  note?: string;
  kind: "ike" | "esp" | "other";
  /** Of IKE: its header by field, exchange type by name. */
  header?: FieldTree;
  /** Of IKE: payloads in clear; of ESP: SPI, sequence number and the like. */
  clear: FieldTree[];
  /** Payloads inside SK, or the content of ESP; not set when nothing is encrypted or it is closed. */
  inner?: FieldTree[];
}
