/** A planted bug: one named way in which the builtin peer breaks a requirement. */
import type { EspExtension } from "../../../harness/esp/hooks.ts";
import type { EchoManners } from "../../../harness/extensions/esp-echo-manners.ts";
import type { FragmentationOptions } from "../../../harness/extensions/fragmentation.ts";
import type { GroupHooks } from "../../../harness/group/hooks.ts";
import type { Extension } from "../../../harness/ike/hooks.ts";
import type { Policy } from "../../../harness/ike/policy.ts";
import type { PeerConfig } from "../../contract.ts";
import type { Effects } from "../faults/effects.ts";
import type { Eye } from "../faults/watch.ts";

/** All members but the texts are optional; a lie sets those it needs. State it keeps must be made by the function. */
export interface LieBehaviour {
  ike?: Omit<Extension, "name">;
  esp?: Omit<EspExtension, "name">;
  /** Of controller and member of groups. */
  group?: GroupHooks;
  policy?: (policy: Policy) => void;
  /** Another configuration in place of the one that it was told. */
  config?: (config: PeerConfig) => PeerConfig;
  fragmentation?: Partial<FragmentationOptions> | "off";
  /** How it speaks ESP echo. */
  echo?: EchoManners;
  /** The driver ignores these verbs. */
  deafTo?: ("initiate" | "rekeyIke" | "rekeyChild" | "delete" | "sendTraffic" | "ping")[];
  /** Sees every message that can be read before the core judges it. */
  sees?: Eye;
  /** Dies of the first such datagram. */
  diesOf?: (octets: Uint8Array) => boolean;
  /** Everything it sends leaves so many milliseconds later. */
  delayMs?: number;
  /** Asks for liveness on each IKE SA, and sends a NAT keepalive, every so many milliseconds. */
  livenessMs?: number;
}

export interface Lie {
  /** Verb first, in kebab case: `omits-nonce`. */
  name: string;
  /** The requirement it breaks, as in the catalogue. */
  breaks: string;
  /** What a tester sees of it. */
  effect: string;
  behaviour: () => LieBehaviour;
}

/** What a peer can be made with: a lie, or a fault. */
export interface Planted {
  name: string;
  behaviour: (effects: Effects) => LieBehaviour;
}

/** Shortens the tables of lies. */
export const lie = (name: string, breaks: string, effect: string, behaviour: Lie["behaviour"]): Lie => ({
  name,
  breaks,
  effect,
  behaviour,
});
