/** A session as configuration of the participant's daemon. */

import { DriverUnsupported } from "../../../peers/contract.ts";
import { espSettings, ikeSetting } from "../../../peers/libreswan/proposals.ts";
import type { SessionView } from "../types.ts";

/** Where no packet without the non-ESP marker can be sent but to this port. */
const IKE_PORT = 500;

/** Names of the connection, as the commands to dial have them. */
export const CONNECTION = "bakeoff";

const hexOf = (text: string): string => `0x${Buffer.from(text, "utf8").toString("hex")}`;

/**
 * `swanctl.conf`. To another port than 500, strongSwan speaks with the non-ESP marker only where its own is not 500
 * either.
 */
export function swanctlConf(session: SessionView): string {
  const { endpoint, identity, peerIdentity, secret, proposals, networks } = session;
  const ports =
    endpoint.ikePort === IKE_PORT
      ? []
      : ["local_port = 4500", `remote_port = ${endpoint.natPort}`, "encap = yes"];
  const lines = [
    "version = 2",
    `remote_addrs = ${endpoint.host}`,
    ...ports,
    `proposals = ${proposals.ike.join(", ")}`,
    ...section("local", ["auth = psk", `id = ${identity}`]),
    ...section("remote", ["auth = psk", `id = ${peerIdentity}`]),
    ...section(
      "children",
      section(CONNECTION, [
        `local_ts = ${networks.participant.join(", ")}`,
        `remote_ts = ${networks.ours.join(", ")}`,
        `esp_proposals = ${proposals.esp.join(", ")}`,
      ]),
    ),
  ];
  const secrets = section(`ike-${CONNECTION}`, [`id = ${peerIdentity}`, `secret = ${hexOf(secret)}`]);
  const all = [...section("connections", section(CONNECTION, lines)), ...section("secrets", secrets)];
  return all.map((line) => `${line}\n`).join("");
}

const section = (name: string, lines: readonly string[]): string[] => [
  `${name} {`,
  ...lines.map((line) => `  ${line}`),
  "}",
];

/** `ipsec.conf` and `ipsec.secrets`; proposals that libreswan has no words for are left out. */
export function ipsecConf(session: SessionView): string {
  const { endpoint, identity, peerIdentity, secret, proposals, networks } = session;
  const ports =
    endpoint.ikePort === IKE_PORT
      ? []
      : ["leftikeport=4500", `rightikeport=${endpoint.natPort}`, "encapsulation=yes"];
  const lines = [
    "left=%defaultroute",
    `leftid=@${identity}`,
    `leftsubnet=${networks.participant.join(",")}`,
    `right=${endpoint.host}`,
    `rightid=@${peerIdentity}`,
    `rightsubnet=${networks.ours.join(",")}`,
    ...ports,
    "keyexchange=ikev2",
    "authby=secret",
    ...known(proposals.ike, (words) => `ike=${ikeSetting(words)}`),
    ...known(proposals.esp, (words) => {
      const { esp, pfs, esn } = espSettings(words);
      return `esp=${esp}\n  pfs=${pfs}\n  esn=${esn}`;
    }),
    "auto=ignore",
  ];
  return `# ipsec.conf
conn ${CONNECTION}
${lines.map((line) => `  ${line}\n`).join("")}
# ipsec.secrets
@${identity} @${peerIdentity} : PSK ${hexOf(secret)}
`;
}

/** The setting with those words that it can be made of. */
function known(words: readonly string[], setting: (words: string[]) => string): string[] {
  const usable = words.filter((word) => isKnown(() => setting([word])));
  return usable.length > 0 && isKnown(() => setting(usable)) ? [setting(usable)] : [];
}

function isKnown(make: () => string): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (error instanceof DriverUnsupported) return false;
    throw error;
  }
}
