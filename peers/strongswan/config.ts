/** strongSwan's configuration: the daemon's file, and a connection as vici takes it. */
import type { Material } from "../../harness/script/policy.ts";
import type { PeerConfig, PeerRole } from "../contract.ts";
import { authSections, unsupportedAuth } from "./auth.ts";
import { ppkSettings, unsupportedPpks } from "./post-quantum.ts";
import type { ViciFields } from "./vici-codec.ts";

/** Name of the connection and of its Child SA. */
export const CONNECTION = "lane";

/** What is in the daemon's own file: all but the last cannot be changed while it runs. */
export interface DaemonSettings {
  /** ESP in the kernel (a guest) or in the daemon (a namespace of a host without kernel ESP). */
  esp: "kernel" | "userspace";
  /** Userspace only: native ESP where no NAT is found. */
  rawEsp: boolean;
  /** Ask every initiator for a cookie while an IKE SA is half open. */
  cookies: boolean;
  /** Authenticate without RFC 7427. */
  oldMethods?: boolean;
}

const PLUGINS =
  "random nonce openssl aes sha1 sha2 md5 mgf1 gmp curve25519 gcm ccm ctr chapoly cmac xcbc pem x509 pubkey pkcs1 pkcs8 " +
  "fips-prf revocation constraints kdf hmac drbg KERNEL socket-default vici updown counters error-notify " +
  "eap-identity eap-md5 eap-gtc eap-mschapv2 eap-tls eap-ttls eap-aka xauth-eap";

/**
 * Text of strongswan.conf. Timers are short so that a test of a lost message is, too; what would keep a test out
 * (limits for half-open IKE SAs) is off. The mark on IKE packets keeps them out of routes into the tunnel.
 */
export function daemonConfig(settings: DaemonSettings): string {
  const userspace = settings.esp === "userspace";
  const plugins = PLUGINS.replace("KERNEL", userspace ? "kernel-libipsec kernel-netlink" : "kernel-netlink");
  const mark = userspace
    ? `kernel-libipsec { allow_peer_ts = yes\n raw_esp = ${settings.rawEsp ? "yes" : "no"} }
       kernel-netlink { fwmark = !0x42 }
       socket-default { fwmark = 0x42 }`
    : "";
  return `charon-systemd {
    load = ${plugins}
    retransmit_timeout = 1.0
    retransmit_base = 1.5
    retransmit_tries = 4
    half_open_timeout = 30
    dos_protection = ${settings.cookies ? "yes" : "no"}
    cookie_threshold = 1
    cookie_threshold_ip = 0
    block_threshold = 1000000
    init_limit_half_open = 0
    init_limit_job_load = 0
    delete_rekeyed_delay = 1
    retry_initiate_interval = 0
    make_before_break = yes
    close_ike_on_child_failure = no
    install_virtual_ip = yes
    signature_authentication = ${settings.oldMethods ? "no" : "yes"}
    plugins {
      vici { socket = unix:///lane/charon.vici }
      eap-gtc { backend = eap }
      eap-ttls { phase2_method = md5 }
      xauth-eap { backend = md5 }
      error-notify { socket = unix:///lane/charon.enfy }
      ${mark}
    }
    filelog { lane { path = /lane/charon.log
      flush_line = yes
      time_format = %H:%M:%S
      default = 1
      ike = 2
      enc = 1
      cfg = 2
      net = 2
      chd = 2 } }
    journal { default = -1 }
    syslog { daemon { default = -1 } }
  }
`;
}

/** What of this configuration the daemon cannot do: kernel-libipsec has tunnel mode and 32-bit sequence numbers only. */
export function unsupported(config: PeerConfig, settings: DaemonSettings): string | undefined {
  const missing = unsupportedAuth(config) ?? unsupportedPpks(config);
  if (missing) return missing;
  if (config.espCounter !== undefined) return "strongSwan cannot be told where its ESP counters begin";
  if (config.espProposals.some((proposal) => proposal.split("-").some((word) => word.endsWith("iiv"))))
    return "strongSwan has no ciphers with implicit IVs (RFC 8750)";
  if (settings.esp === "kernel") return undefined;
  if (config.replayWindow !== undefined) return "userspace ESP of strongSwan has a replay window of its own";
  if (config.mode !== "tunnel") return "userspace ESP of strongSwan has no transport mode";
  const proposals = config.espProposals.map((proposal) => proposal.split("-"));
  if (proposals.every((words) => words.some((word) => word.endsWith("gmac"))))
    return "userspace ESP of strongSwan has no AES-GMAC";
  const esn = proposals.some((words) => words.includes("esn"));
  return esn ? "userspace ESP of strongSwan has no extended sequence numbers" : undefined;
}

/**
 * The connection of a test. Nothing happens by timer: no rekeying, no liveness check, no MOBIKE.
 * @param role which matters for PPKs alone
 */
export function connection(
  config: PeerConfig,
  material: Material = { trust: [] },
  role: PeerRole = "responder",
): ViciFields {
  const port = (key: string, value: number, usual: number) =>
    value && value !== usual ? { [key]: value } : {};
  const { addressPools: pools = [], requestAddresses: asks = [] } = config;
  return {
    version: 2,
    local_addrs: [config.local.host],
    remote_addrs: [config.remote.host],
    ...port("remote_port", config.remote.port, 500),
    proposals: config.ikeProposals,
    mobike: "no",
    unique: config.unique ?? "never",
    ...(pools.length > 0 && { pools: Object.keys(addressPools(config)) }),
    ...(asks.length > 0 && { vips: asks.map((family) => (family === "ipv4" ? "0.0.0.0" : "::")) }),
    childless: config.childless ?? "allow",
    keyingtries: 1,
    dpd_delay: 0,
    rekey_time: 0,
    reauth_time: 0,
    over_time: 0,
    rand_time: 0,
    ...(config.fragmentation !== undefined && { fragmentation: config.fragmentation ? "yes" : "no" }),
    ...ppkSettings(config, role),
    ...authSections(config, material),
    children: { [CONNECTION]: childSection(config) },
  };
}

function childSection(config: PeerConfig): ViciFields {
  const { addressPools: pools = [], requestAddresses: asks = [] } = config;
  return {
    // What an end is assigned are its selectors.
    local_ts: asks.length > 0 ? ["dynamic"] : config.localTs,
    remote_ts: pools.length > 0 ? ["dynamic"] : config.remoteTs,
    esp_proposals: config.espProposals,
    mode: config.mode,
    ...(config.replayWindow !== undefined && { replay_window: config.replayWindow }),
    rekey_time: 0,
    life_time: 0,
    rand_time: 0,
    start_action: "none",
    close_action: "none",
    dpd_action: "none",
  };
}

/** Pools of inner addresses by name, each as `load-pool` takes it. */
export const addressPools = (config: PeerConfig): Record<string, ViciFields> =>
  Object.fromEntries((config.addressPools ?? []).map((addrs, i) => [`${CONNECTION}-${i}`, { addrs }]));

/** Initiator's SPI of `halfOpenInit`. */
export const HALF_OPEN_SPI = "b0".repeat(8);

/** Connection that lets the daemon take the half-open IKE SA of `halfOpenInit` from its own host. */
export function primer(): ViciFields {
  return {
    version: 2,
    local_addrs: ["127.0.0.1"],
    remote_addrs: ["127.0.0.1"],
    proposals: ["aes128-sha256-x25519"],
    "local-1": { auth: "psk" },
    "remote-1": { auth: "psk" },
    children: { primer: { esp_proposals: ["aes128gcm16"] } },
  };
}

/**
 * An IKE_SA_INIT request (RFC 7296 section 1.2) that is never followed by an IKE_AUTH: AES-CBC-128,
 * HMAC-SHA2-256-128, PRF HMAC-SHA2-256, X25519. The daemon counts it as half open for `half_open_timeout`.
 */
export function halfOpenInit(): Uint8Array {
  const transforms = [
    "0300000c0100000c800e0080",
    "030000080300000c",
    "0300000802000005",
    "000000080400001f",
  ].join("");
  const payload = (next: number, body: string) => {
    const length = (body.length / 2 + 4).toString(16).padStart(4, "0");
    return `${next.toString(16).padStart(2, "0")}00${length}${body}`;
  };
  const proposal = `0000${(transforms.length / 2 + 8).toString(16).padStart(4, "0")}01010004${transforms}`;
  const payloads =
    payload(34, proposal) + payload(40, `001f0000${"42".repeat(32)}`) + payload(0, "17".repeat(32));
  const length = (28 + payloads.length / 2).toString(16).padStart(8, "0");
  const header = `${HALF_OPEN_SPI}${"00".repeat(8)}21202208${"00000000"}${length}`;
  return Buffer.from(header + payloads, "hex");
}
