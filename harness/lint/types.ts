/** A rule of the catalogue that can be judged by looking on, and what is found by it. */
import type { End, Seen } from "./seen.ts";

/** Who began the IKE SA, or the rekey that made it, and who answered: the `original initiator` and responder. */
export type Role = "initiator" | "responder";

/** A breach of a requirement by the sender of a packet. */
export interface LintFinding {
  /** Of the catalogue: `rfc7296`. */
  document: string;
  /** Of the catalogue: `IKEV2-001`. */
  requirement: string;
  /** Name of the rule: it says the breach, as in `cookie-not-first`. */
  rule: string;
  /** Who sent the packet, and whether it began the IKE SA; no role where that was not seen. */
  sender: End;
  role?: Role;
  /** Number of the packet, counted from 1; of a message in fragments, the last. */
  packet: number;
  /** Octets from the start of the IKE message or ESP packet; with `inside`, of the decrypted content. Not set for what is missing. */
  offset?: number;
  /** Set when the offset counts within the decrypted content. */
  inside?: true;
  /** Path of the field, as in `SA > proposal 1 > transform 2 > key length`. */
  field?: string;
  /** What is wrong, in one sentence. */
  reason: string;
}

/** What a rule says of a packet; the linter adds all else. */
export type Breach = Pick<LintFinding, "offset" | "inside" | "field" | "reason"> & {
  /** Which requirement it is, for a rule that is of several. Not set: the rule's first. */
  requirement?: string;
};

export type { End, Seen };
