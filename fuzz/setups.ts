/** What both ends are told for a conversation: the ways to authenticate, and the extensions that stages need. */
import type { ArenaWishes } from "../harness/script/test.ts";
import type { PeerRole } from "../peers/contract.ts";
import type { Stage } from "./trace.ts";

export interface Setup {
  /** Kebab case: `eap-tls`. */
  name: string;
  /** What it is for, in one line. */
  effect: string;
  wishes: ArenaWishes;
  /** Roles of the peer in which it can be had. */
  roles: readonly PeerRole[];
  /** Stages that it reaches. */
  stages: readonly Stage[];
}

export const setups: readonly Setup[] = [
  {
    name: "psk",
    effect: "a shared secret at both ends",
    wishes: {},
    roles: ["responder", "initiator"],
    stages: ["init", "auth", "create-child", "rekey-ike", "rekey-child", "informational", "esp"],
  },
];

export const findSetup = (name: string): Setup | undefined => setups.find((setup) => setup.name === name);
