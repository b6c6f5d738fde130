/** What both ends of a session are told, and what our end is willing to negotiate with it. */
import { randomBytes } from "node:crypto";
import type { PeerConfig } from "../../peers/contract.ts";
import { identity } from "../ike/identity.ts";
import type { Policy } from "../ike/policy.ts";
import type { Address } from "../link/types.ts";
import { configFor, ordinaryConfig } from "../run/config.ts";
import { policyFor, selector } from "../script/policy.ts";
import type { ArenaWishes } from "../script/test.ts";
import type { StoredSession } from "./session-files.ts";

type Known = Pick<StoredSession, "identity" | "peerIdentity" | "secret">;

const ANYWHERE = { host: "192.0.2.1", port: 500 };
const ORDINARY = ordinaryConfig(ANYWHERE, ANYWHERE);

/** What a participant is told to propose and to protect: with that, all tests can be played. */
export const PROPOSED = { ike: ORDINARY.ikeProposals, esp: ORDINARY.espProposals };
export const NETWORKS = { participant: ORDINARY.localTs, ours: ORDINARY.remoteTs };

const GROUPS = "x25519-ecp256-ecp384-ecp521-modp2048-modp3072-modp4096";
const HASHES = "sha256-sha384-sha512";
const PRFS = "prfsha256-prfsha384-prfsha512";
const KEMS = "ke1_mlkem768-ke1_mlkem512-ke1_mlkem1024";
const AEADS = "aes256gcm16-aes128gcm16-chacha20poly1305";

/** What a dial without a test is taken with: whatever is sound. */
const WIDE = {
  ikeProposals: [
    `aes256-aes128-${HASHES}-${GROUPS}-${KEMS}`,
    `${AEADS}-${PRFS}-${GROUPS}-${KEMS}`,
    `aes256-aes128-${HASHES}-${GROUPS}`,
    `${AEADS}-${PRFS}-${GROUPS}`,
  ],
  espProposals: [`${AEADS}-esn-noesn`, `aes256-aes128-${HASHES}-esn-noesn`],
};
const EVERYTHING = ["0.0.0.0/0", "::/0"].map(selector);

/** Whom to be and to believe, before anybody is known: nobody has these. */
const nobody = (): Known => ({
  identity: `${randomBytes(16).toString("hex")}.invalid`,
  peerIdentity: "listen.invalid",
  secret: randomBytes(32).toString("hex"),
});

export interface Ends {
  local: Address;
  remote: Address;
}

/** What the participant is taken to be configured with. */
export function configOf(
  { local, remote }: Ends,
  known: Known | undefined,
  wishes: ArenaWishes = {},
): PeerConfig {
  const { identity: localId, peerIdentity: remoteId, secret: psk } = known ?? nobody();
  return configFor(remote, local, { ...wishes, config: { localId, remoteId, psk, ...wishes.config } });
}

/** Our policy in a test. */
export const testPolicy = (config: PeerConfig): Policy => policyFor(config, "tester");

/** Our policy in a dial that is no test: it takes what is sound, and any traffic selectors. */
export const widePolicy = (config: PeerConfig): Policy => ({
  ...policyFor({ ...config, ...WIDE }, "tester"),
  ...{ localTs: EVERYTHING, remoteTs: EVERYTHING },
});

/** For the one who initiates: what it proposes is what participants are told. */
export const narrowPolicy = (config: PeerConfig): Policy => policyFor(config, "tester");

/** Puts whom to be and to believe into a policy that is in use. */
export function introduce(policy: Policy, known: Known): void {
  policy.localId = identity(known.peerIdentity);
  policy.remoteId = identity(known.identity);
  policy.psk = new TextEncoder().encode(known.secret);
}
