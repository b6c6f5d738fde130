/** What a group is: the policy that its controller hands out, and what a member makes of it. */
import type { SchemeName } from "../crypto/signatures.ts";
import type { Identity } from "../ike/policy.ts";
import type { TrafficSelector, Transform } from "../wire/types.ts";

/** A kind of Data-Security SA (RFC 9838 section 4.4.2), without SPI and keys. */
export interface DataPolicy {
  /** 2 AH or 3 ESP. */
  protocolId: number;
  source: TrafficSelector;
  destination: TrafficSelector;
  /** One ENCR, INTEG unless that is an AEAD cipher, one SN. */
  transforms: Transform[];
  lifetimeSeconds: number;
}

/** The Rekey SA of a group with multicast rekeying. */
export interface RekeyPolicy {
  source: TrafficSelector;
  destination: TrafficSelector;
  /** ENCR, INTEG unless that is an AEAD cipher, KWA. GCAUTH follows from `auth`. */
  transforms: Transform[];
  auth: "implicit" | SchemeName;
  lifetimeSeconds: number;
}

export interface GroupPolicy {
  id: Identity;
  /** Who may register and who may send; not set: everybody who is authenticated. */
  members?: Identity[];
  senders?: Identity[];
  full: boolean;
  mode: "tunnel" | "transport";
  data: DataPolicy[];
  /** Not set: keys are renewed over each member's IKE SA. */
  rekey?: RekeyPolicy;
  /** Seconds; not set: the attribute is left out, which means 0. */
  ATD?: number;
  DTD?: number;
  senderIdBits: number;
  mostSenderIds: number;
  /** Degree of the key tree; not set: no tree. */
  keyTree?: number;
  promisesNextSpi: boolean;
  /** Set: who is excluded does not see the policy of what comes after it either. */
  hidesPolicy?: true;
  /** Seconds until the controller closes the IKE SA of a member that has a Rekey SA; not set: never. */
  closesIkeAfter?: number;
}
