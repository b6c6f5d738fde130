/** PPKs and additional key exchanges in the words of vici. */
import { isIP } from "node:net";
import type { PeerConfig, PpkSpec } from "../contract.ts";
import type { ViciFields, ViciMessage } from "./vici-codec.ts";

/** What the daemon's parser of identities takes for a plain string, octet for octet. */
const PLAIN_ID = /^[\w+/-][\w+/=.-]*$/;

/** Its parser of settings has room for so many octets of an identity. */
const LONGEST_ID = 511;

/** Those that it can use: it mixes them in IKE_AUTH (RFC 8784), and has nothing of RFC 9867. */
export const usablePpks = ({ ppks = [], ppkIn = ["IKE_AUTH"] }: PeerConfig): PpkSpec[] =>
  ppkIn.includes("IKE_AUTH") ? ppks : [];

/** Those of them that the other end has. */
const ownPpks = (config: PeerConfig): PpkSpec[] =>
  usablePpks(config).filter(({ for: owner = config.remoteId }) => owner === config.remoteId);

/** What of these PPKs the daemon has no means for. */
export function unsupportedPpks(config: PeerConfig): string | undefined {
  const usable = usablePpks(config);
  const lost = usable.length === 0 || config.ppkIn?.includes("CREATE_CHILD_SA");
  if (config.ppks?.length && lost) return "strongSwan has PPKs in IKE_AUTH alone: it has no RFC 9867";
  if (usable.some(({ secret }) => secret === "")) return "strongSwan takes no empty PPK";
  if (usable.length > ownPpks(config).length && ownPpks(config).length !== 1)
    return "strongSwan can be told of one PPK that a peer has, or let it have all";
  const long = usable.find(({ id }) => id.length > LONGEST_ID);
  if (long) return `strongSwan takes no identity of more than ${LONGEST_ID} octets for a PPK_ID`;
  const odd = usable.find(({ id }) => !PLAIN_ID.test(id) || isIP(id));
  return odd && `strongSwan's parser does not leave the PPK_ID "${odd.id}" as it is`;
}

/** Commands that load the PPKs; what was loaded before must have been cleared. */
export const ppkCommands = (name: string, config: PeerConfig): [command: string, fields: ViciFields][] =>
  usablePpks(config).map(({ id, secret }, i) => [
    "load-shared",
    { id: `${name}-ppk-${i}`, type: "PPK", data: secret, owners: [id] },
  ]);

/**
 * Settings of a connection. The id is for an initiator alone: a responder that has one takes no other PPK, and not
 * even NO_PPK_AUTH, though it has more of them. That is what keeps the PPKs of other peers from being taken.
 */
export function ppkSettings(config: PeerConfig, role: "initiator" | "responder"): ViciFields {
  const own = ownPpks(config);
  const [preferred] = own;
  const named = role === "initiator" || own.length < usablePpks(config).length;
  return {
    ...(preferred && named && { ppk_id: preferred.id }),
    ...(config.ppkRequired && { ppk_required: "yes" }),
  };
}

/** True if a proposal names what not every version of the daemon has. */
export const namesKems = (config: PeerConfig): boolean =>
  [...config.ikeProposals, ...config.espProposals].some((proposal) => /ke[1-7]_|mlkem/.test(proposal));

/** What these proposals name that a daemon with these algorithms (`get-algorithms`) does not have. */
export function unsupportedKems(config: PeerConfig, algorithms: ViciMessage): string | undefined {
  const kes = algorithms.get("ke");
  // Up to 5.9 the section is "dh", of the one key exchange that there is.
  if (!(kes instanceof Map)) return "this strongSwan has no additional key exchanges (RFC 9370)";
  const words = [...config.ikeProposals, ...config.espProposals].flatMap((proposal) => proposal.split("-"));
  const lacking = words.find((word) => {
    const size = /^(?:ke[1-7]_)?mlkem(\d+)$/.exec(word)?.[1];
    return size !== undefined && !kes.has(`ML_KEM_${size}`);
  });
  return lacking && `none of this strongSwan's plugins has ${lacking}`;
}
