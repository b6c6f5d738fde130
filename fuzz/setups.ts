/** What both ends are told for a conversation: the ways to authenticate, and the extensions that stages need. */
import type { EapInnerName, EapMethodName } from "../harness/eap/types.ts";
import type { KeyKind } from "../harness/pki/types.ts";
import type { ArenaWishes } from "../harness/script/test.ts";
import type { AuthSpec, PeerConfig, PeerRole } from "../peers/contract.ts";
import type { Stage } from "./trace.ts";

export interface Setup {
  /** Kebab case: `eap-tls`. */
  name: string;
  /** What it is for, in one line. */
  effect: string;
  wishes: ArenaWishes;
  /** Roles of the peer in which it can be had. */
  roles: readonly PeerRole[];
  /** Where a peer may refuse all that is honest: it has no card for AKA, and yet reads what we send. */
  honestEnd?: "refused";
  /** Stages that it is for: those it reaches and in which it differs from `psk`. */
  stages: readonly Stage[];
}

const BOTH: readonly PeerRole[] = ["responder", "initiator"];
const TOGETHER: readonly Stage[] = ["auth", "create-child", "rekey-ike", "rekey-child", "informational"];

/** What only the configuration of the peer makes. */
const told = (
  name: string,
  effect: string,
  config: Partial<PeerConfig>,
  stages: readonly Stage[],
  roles: readonly PeerRole[] = BOTH,
): Setup => ({ name, effect, wishes: { config }, roles, stages });

const signature = (key: KeyKind): AuthSpec => ({ method: "signature", key });
const signedBoth = (auth: AuthSpec): Partial<PeerConfig> => ({ auth, testerAuth: auth });

const certificates: readonly Setup[] = [
  told("rsa", "certificates with RSA keys, RFC 7427", signedBoth(signature("rsa2048")), ["auth"]),
  told("ecdsa", "certificates with ECDSA keys, RFC 7427", signedBoth(signature("ecdsa256")), [
    "init",
    "auth",
  ]),
  told(
    "rsa-old",
    "certificates with RSA keys, by the methods before RFC 7427",
    signedBoth({ method: "signature", key: "rsa2048", oldMethods: true }),
    ["auth"],
  ),
  told(
    "ecdsa-old",
    "certificates with ECDSA keys, by the methods before RFC 7427",
    signedBoth({ method: "signature", key: "ecdsa256", oldMethods: true }),
    ["auth"],
  ),
];

/** One that logs in by EAP is always the initiator: `eap-md5` for a peer that asks, `eap-md5-login` for one that logs in. */
const byEap = (type: EapMethodName, more: Partial<PeerConfig> = {}, suffix = ""): Setup[] => {
  const login: AuthSpec = { method: "eap", type };
  const server = signature("rsa2048");
  const name = `eap-${type}${suffix}`;
  const text = `EAP-${type.toUpperCase()}${suffix.replace("-", ", ")}`;
  return [
    told(
      name,
      `the peer asks us for ${text}`,
      { auth: server, testerAuth: login, ...more },
      ["auth", "eap"],
      ["responder"],
    ),
    told(
      `${name}-login`,
      `the peer logs in to us by ${text}`,
      { auth: login, testerAuth: server, ...more },
      ["auth", "eap"],
      ["initiator"],
    ),
  ];
};

/** Only of a peer that logs in: what a peer asks for inside may not be ours to say. */
const withinTtls = (inner: EapInnerName): Setup =>
  told(
    `eap-ttls-${inner}-login`,
    `the peer logs in to us by ${inner.toUpperCase()} inside of EAP-TTLS`,
    { auth: { method: "eap", type: "ttls", inner }, testerAuth: signature("rsa2048") },
    ["auth", "eap"],
    ["initiator"],
  );

/** Where the MSK alone proves both ends (RFC 5998). */
const byEapAlone: readonly Setup[] = [
  told(
    "eap-only",
    "EAP-TLS without AUTH of the responder, RFC 5998",
    { auth: { method: "eap-only" }, testerAuth: { method: "eap", type: "tls" } },
    ["auth", "eap"],
    ["responder"],
  ),
  told(
    "eap-only-login",
    "the peer logs in by EAP-TLS without AUTH of ours, RFC 5998",
    { auth: { method: "eap", type: "tls" }, testerAuth: { method: "eap-only" } },
    ["auth", "eap"],
    ["initiator"],
  ),
];

/** A method more is a line more. */
const eap: readonly Setup[] = [
  ...byEap("md5"),
  ...byEap("gtc"),
  ...byEap("mschapv2"),
  ...byEap("tls"),
  ...byEap("ttls"),
  ...(["gtc", "mschapv2"] as const).map(withinTtls),
  ...byEap("sim"),
  ...byEap("aka").map((setup): Setup => ({ ...setup, honestEnd: "refused" })),
  ...byEap("md5", { eapIdentity: "somebody@bakeoff.example" }, "-identity"),
  ...byEapAlone,
];

const hybrid = (more: string): Partial<PeerConfig> => ({ ikeProposals: [`aes256-sha256-x25519-${more}`] });

const keyExchanges: readonly Setup[] = [
  told("intermediate", "an additional key exchange of elliptic curves, RFC 9370", hybrid("ke1_ecp256"), [
    "init",
    "intermediate",
    "auth",
    "rekey-ike",
    "followup",
  ]),
  told("mlkem", "an additional key exchange by ML-KEM", hybrid("ke1_mlkem768"), [
    "init",
    "intermediate",
    "followup",
  ]),
  told(
    "followup-child",
    "additional key exchanges for Child SAs, RFC 9370",
    { espProposals: ["aes256gcm16-x25519-ke1_ecp256"] },
    ["create-child", "rekey-child", "followup"],
  ),
  told("bare-intermediate", "IKE_INTERMEDIATE that nothing needs, RFC 9242", { intermediate: true }, [
    "intermediate",
  ]),
  told(
    "pfs",
    "a key exchange for every Child SA",
    { espProposals: ["aes256gcm16-x25519", "aes128-sha256-ecp256"] },
    ["create-child", "rekey-child"],
  ),
  told("modp", "a MODP group", { ikeProposals: ["aes256-sha256-modp2048"] }, ["init", "rekey-ike"]),
];

/** In the alphabet of base64, which all daemons read. */
const PPKS = [{ id: "bakeoff/ppk+1", secret: "oB3mJc0p6N2yYt8kq5Zs7Vw1xUeRfDgHiLaQnTzXvC4=" }];

const secrets: readonly Setup[] = [
  told(
    "null",
    "NULL authentication of our end, RFC 7619",
    { testerAuth: { method: "null" }, remoteId: "null:" },
    ["auth"],
    ["responder"],
  ),
  told("ppk", "a postquantum preshared key, RFC 8784", { ppks: PPKS }, ["init", "auth"]),
  told(
    "ppk-intermediate",
    "a postquantum preshared key in IKE_INTERMEDIATE, RFC 9867",
    { ppks: PPKS, ppkIn: ["IKE_INTERMEDIATE"] },
    ["init", "intermediate"],
  ),
  told(
    "ppk-later",
    "postquantum preshared keys in CREATE_CHILD_SA, RFC 9867",
    { ppks: PPKS, ppkIn: ["CREATE_CHILD_SA"] },
    ["create-child", "rekey-ike", "rekey-child"],
  ),
];

const forms: readonly Setup[] = [
  told("cookies", "the peer demands cookies", { cookies: "always" }, ["init", "cookie"], ["responder"]),
  told("childless", "IKE_AUTH without a Child SA, RFC 6023", { childless: "force" }, [
    "auth",
    "create-child",
  ]),
  told(
    "fragments",
    "messages that do not fit one datagram, RFC 7383",
    { ...signedBoth(signature("rsa2048")), fragmentation: true, mtu: 600 },
    ["auth", "informational"],
  ),
  told(
    "address-pool",
    "the peer leases inner addresses",
    { addressPools: ["203.0.113.0/28"] },
    ["auth"],
    ["responder"],
  ),
  told(
    "address-request",
    "the peer asks for an inner address",
    { requestAddresses: ["ipv4"] },
    ["auth"],
    ["initiator"],
  ),
  {
    ...{ name: "ipv6", effect: "IPv6, both outside and in Child SAs", wishes: { outer: 6, inner: 6 } },
    ...{ roles: BOTH, stages: ["auth", "esp"] },
  },
  told("transport", "Child SAs in transport mode", { mode: "transport" }, ["auth", "create-child", "esp"]),
  told("aead", "an AEAD cipher for the IKE SA", { ikeProposals: ["aes256gcm16-prfsha256-x25519"] }, TOGETHER),
  told(
    "cbc",
    "CBC for IKE SA and ESP",
    { ikeProposals: ["aes256-sha256-x25519"], espProposals: ["aes128-sha256"] },
    ["informational", "esp"],
  ),
  told("tcp", "IKE and ESP in a TCP connection, RFC 9329", { transport: "tcp" }, [
    "init",
    "auth",
    "informational",
    "esp",
  ]),
];

const groups: readonly Setup[] = [
  told(
    "group",
    "group key management, RFC 9838",
    { groups: [{ id: "keyid:67727031", rekey: "ed25519", data: ["aes128gcm16-unspec32"] }] },
    ["init", "group"],
  ),
  told(
    "group-inband",
    "group key management with rekeying over the IKE SA",
    { groups: [{ id: "keyid:67727031", rekey: "inband", data: ["aes128gcm16-unspec32"] }] },
    ["group"],
  ),
];

export const setups: readonly Setup[] = [
  {
    name: "psk",
    effect: "a shared secret at both ends",
    wishes: {},
    roles: BOTH,
    stages: ["init", "auth", "create-child", "rekey-ike", "rekey-child", "informational", "esp"],
  },
  ...certificates,
  ...eap,
  ...keyExchanges,
  ...secrets,
  ...forms,
  ...groups,
];

const byName = new Map(setups.map((setup) => [setup.name, setup]));

export const findSetup = (name: string): Setup | undefined => byName.get(name);
