/** A pair of Child SAs as IKE sees it: what was negotiated and the keys. The data plane is in `harness/esp`. */
import type { DirectionKeys } from "../crypto/keys.ts";
import type { Encr, Integ } from "../crypto/types.ts";
import type { Proposal, TrafficSelector } from "../wire/types.ts";
import type { Crossing } from "./collisions.ts";
import type { IkeSa } from "./sa.ts";

export interface ChildSa {
  /** The IKE SA it belongs to; changes when that is rekeyed. */
  ike: IkeSa;
  protocolId: number;
  /** 4 octets; the SPI we receive on. */
  spiIn: Uint8Array;
  /** The SPI we send to. */
  spiOut: Uint8Array;
  mode: "tunnel" | "transport";
  localTs: TrafficSelector[];
  remoteTs: TrafficSelector[];
  encr: Encr;
  encrKeyBits?: number;
  integ?: Integ;
  esn: boolean;
  keysIn: DirectionKeys;
  keysOut: DirectionKeys;
  /** Whether the exchange that made it was begun by us. */
  initiatedByUs: boolean;
  /** The proposal as chosen. */
  proposal: Proposal;
  /** True if KEYMAT took in a fresh g^ir. */
  pfs: boolean;
  /** True if the peer said ESP_TFC_PADDING_NOT_SUPPORTED. */
  noTfc: boolean;
  state: "installed" | "rekeyed" | "deleting" | "closed";
  /** Set on an SA made by rekeying. */
  replaces?: ChildSa;
  /** The peer's rekeying of this SA, while it waits for IKE_FOLLOWUP_KE. */
  peersRekeying?: Crossing<ChildSa>;
}
