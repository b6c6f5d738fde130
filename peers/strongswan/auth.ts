/** Identities, ways to authenticate and credentials in the words of vici. */
import { identity } from "../../harness/ike/identity.ts";
import { eapUserOf, type Material } from "../../harness/script/policy.ts";
import type { AuthSpec, PeerConfig } from "../contract.ts";
import { certificatePem } from "../pem.ts";
import type { ViciFields } from "./vici-codec.ts";

/** An identity as strongSwan's parser takes it for what it is; binary kinds in hex, which nothing encodes anew. */
export function viciIdentity(spec: string): string {
  const hexOf = () => Buffer.from(identity(spec).data).toString("hex");
  if (spec.startsWith("keyid:")) return `@#${hexOf()}`;
  return spec.startsWith("dn:") ? `asn1dn:#${hexOf()}` : spec;
}

const PSK: AuthSpec = { method: "psk" };
const authOf = ({ auth = PSK, testerAuth = PSK }: PeerConfig) => ({ auth, testerAuth });

/** What of these ways to authenticate the daemon has no means for. */
export function unsupportedAuth(config: PeerConfig): string | undefined {
  const { auth, testerAuth } = authOf(config);
  const methods = [auth.method, testerAuth.method];
  if (methods.includes("null")) return "strongSwan has no NULL authentication (RFC 7619)";
  if ([config.localId, config.remoteId].some((id) => id.startsWith("null:")))
    return "strongSwan knows no identity of type ID_NULL";
  const eap = [auth, testerAuth].find((spec) => spec.method === "eap");
  if (eap?.method === "eap" && eap.type === "sim") return "strongSwan is built without EAP-SIM here";
  // As a client it takes what it is asked for; what it asks for is in its own file, and the same for all.
  const asked = testerAuth.method === "eap" ? testerAuth.inner : undefined;
  if (asked && asked !== "md5")
    return `strongSwan is told to ask for MD5 inside of EAP-TTLS, not for ${asked}`;
  if (methods.includes("eap-only") && eap?.method === "eap" && eap.type !== "tls")
    return `strongSwan takes EAP-${eap.type} for no mutual authentication, as RFC 5998 wants one`;
  return undefined;
}

/** True if neither end is to use RFC 7427. */
export function usesOldMethods(config: PeerConfig): boolean {
  const { auth, testerAuth } = authOf(config);
  return [auth, testerAuth].some((spec) => spec.method === "signature" && spec.oldMethods);
}

/** How an end authenticates; a scheme binds only the daemon's own signatures. */
function authField(spec: AuthSpec, other: AuthSpec, own: boolean): string {
  if (spec.method === "eap") return `eap-${spec.type}`;
  if (spec.method === "eap-only") return other.method === "eap" ? `eap-${other.type}` : "eap";
  if (spec.method !== "signature") return spec.method;
  const scheme = /^(rsa-pkcs1|rsa-pss|ecdsa)-(sha\d+)$/.exec((own && spec.scheme) || "");
  if (!scheme) return "pubkey";
  const key = { "rsa-pkcs1": "rsa", "rsa-pss": "rsa/pss", ecdsa: "ecdsa" }[scheme[1] ?? ""];
  return `ike:${key}-${scheme[2]}`;
}

/** Sections `local-1` and `remote-1` of a connection. */
export function authSections(config: PeerConfig, { own }: Material): ViciFields {
  const { auth, testerAuth } = authOf(config);
  const eapId = { eap_id: eapUserOf(config).identity };
  const certificate = own?.chain[0];
  return {
    "local-1": {
      auth: authField(auth, testerAuth, true),
      id: viciIdentity(config.localId),
      ...(certificate && { certs: [certificatePem(certificate)] }),
      ...(auth.method === "eap" && eapId),
    },
    "remote-1": {
      auth: authField(testerAuth, auth, false),
      id: viciIdentity(config.remoteId),
      ...(testerAuth.method === "eap" && eapId),
    },
  };
}

/** Commands that load what both ends prove themselves with; what was loaded before must have been cleared. */
export function credentialCommands(
  name: string,
  config: PeerConfig,
  { own, trust }: Material,
): [command: string, fields: ViciFields][] {
  const owners = [config.localId, config.remoteId].map(viciIdentity);
  const commands: [string, ViciFields][] = [
    ["load-shared", { id: name, type: "IKE", data: config.psk, owners }],
    ...trust.map((ca): [string, ViciFields] => [
      "load-cert",
      { type: "X509", flag: "CA", data: certificatePem(ca) },
    ]),
  ];
  const { auth, testerAuth } = authOf(config);
  if (auth.method === "eap" || testerAuth.method === "eap") {
    const { identity: user, password } = eapUserOf(config);
    const eap = { id: `${name}-eap`, type: "EAP", data: password, owners: [user] };
    commands.push(["load-shared", eap]);
  }
  if (!own) return commands;
  const pkcs8 = own.key.export({ type: "pkcs8", format: "pem" }).toString();
  const between = own.chain.slice(1);
  return [
    ...commands,
    ...between.map((ca): [string, ViciFields] => [
      "load-cert",
      { type: "X509", flag: "NONE", data: certificatePem(ca) },
    ]),
    ["load-key", { type: "any", data: pkcs8 }],
  ];
}
