/** The payloads of G-IKEv2 (RFC 9838). As in `types.ts`, optional fields are overrides that keep what is not ordinary. */
import type { PayloadBase, TrafficSelector, Transform, TransformAttribute } from "./types.ts";

/** GSA policy substructure (section 4.4.2): one Rekey SA (protocol 6) or Data-Security SA (2, 3). */
export interface GsaPolicy {
  kind: "SA";
  /** 6 GIKE_UPDATE, 2 AH, 3 ESP. Anything but 0 reads as this kind. */
  protocolId: number;
  /** 16 octets for a Rekey SA, 4 for AH and ESP. */
  spi: Uint8Array;
  source: TrafficSelector;
  destination: TrafficSelector;
  transforms: Transform[];
  /** GSA attributes; see `GSA_ATTRIBUTE`. */
  attributes: TransformAttribute[];
  /** Set only when SPI Size differs from the octets of `spi`. */
  spiSize?: number;
  /** Set only when Length differs from the octets of the substructure. */
  length?: number;
  /** Octets inside that are no attribute. */
  trailing?: Uint8Array;
}

/** Group-wide policy substructure (section 4.4.3). */
export interface GroupWidePolicy {
  kind: "group-wide";
  /** The octet after Protocol. Not set means zero. */
  reserved?: number;
  /** See `GW_POLICY_ATTRIBUTE`. */
  attributes: TransformAttribute[];
  length?: number;
  trailing?: Uint8Array;
}

/** Section 4.4; payload type 51. */
export interface GsaPayload extends PayloadBase {
  kind: "GSA";
  policies: (GsaPolicy | GroupWidePolicy)[];
  trailing?: Uint8Array;
}

/** Group key bag (section 4.5.2): the keys of the SA with this protocol and SPI. */
export interface GroupKeyBag {
  kind: "group";
  protocolId: number;
  spi: Uint8Array;
  /** See `GROUP_KEY_BAG_ATTRIBUTE`. */
  attributes: TransformAttribute[];
  spiSize?: number;
  length?: number;
  trailing?: Uint8Array;
}

/** Member key bag (section 4.5.3): protocol 0. */
export interface MemberKeyBag {
  kind: "member";
  reserved?: number;
  /** See `MEMBER_KEY_BAG_ATTRIBUTE`. */
  attributes: TransformAttribute[];
  length?: number;
  trailing?: Uint8Array;
}

/** Section 4.5; payload type 52. */
export interface KdPayload extends PayloadBase {
  kind: "KD";
  bags: (GroupKeyBag | MemberKeyBag)[];
  trailing?: Uint8Array;
}

/** A wrapped key (section 4.5.1), the value of SA_KEY and WRAP_KEY. */
export interface WrappedKey {
  /** Of the key inside; 0 for the KEYMAT of an SA. */
  keyId: number;
  /** Of the key it is wrapped with; 0 for GSK_w of the SA that the message travels on. */
  kwkId: number;
  /** What the key wrap algorithm gave. */
  encryptedKey: Uint8Array;
}
