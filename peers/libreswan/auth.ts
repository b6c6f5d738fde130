/** Identities and ways to authenticate as pluto's files say them. */
import { isIP } from "node:net";
import { identity as octetsOf } from "../../harness/ike/identity.ts";
import type { KeyKind } from "../../harness/pki/types.ts";
import type { Material } from "../../harness/script/policy.ts";
import { type AuthSpec, DriverUnsupported, type PeerConfig } from "../contract.ts";
import { pkcs12 } from "../pkcs12.ts";

/** Nickname of the peer's own key and certificate in the NSS database. */
const OWN = "bakeoff-peer";

/** As pluto reads it; names have the `@` that keeps it from resolving them, binary kinds are in hex. */
export function identity(id: string): string {
  const hex = () => Buffer.from(octetsOf(id).data).toString("hex");
  if (id.startsWith("null:")) return "%null";
  if (id.startsWith("keyid:")) return `@#${hex()}`;
  if (id.startsWith("dn:")) return `@~${hex()}`;
  return isIP(id) || id.includes("@") ? id : `@${id}`;
}

const PSK: AuthSpec = { method: "psk" };
const authOf = ({ auth = PSK, testerAuth = PSK }: PeerConfig) => ({ auth, testerAuth });

function authKeyword(spec: AuthSpec): string {
  if (spec.method === "psk") return "secret";
  if (spec.method === "null") return "null";
  if (spec.method === "eap" || spec.method === "eap-only")
    throw new DriverUnsupported(
      "libreswan's EAP-TLS, its only EAP, is experimental and did not come up here",
    );
  if (spec.key.startsWith("ed")) throw new DriverUnsupported("libreswan has no EdDSA");
  return spec.key.startsWith("rsa") ? "rsasig" : "ecdsa";
}

const OLD_HASHES: Partial<Record<KeyKind, string>> = {
  rsa2048: "rsa-sha1",
  ecdsa256: "ecdsa-sha2_256",
  ecdsa384: "ecdsa-sha2_384",
  ecdsa521: "ecdsa-sha2_512",
};

/** The hash, and for RSA the padding, of the peer's own signatures; pluto wants the keys of both ends named in it. */
function hashPolicy(own: AuthSpec, keywords: string[]): string[] {
  if (own.method !== "signature") return [];
  // Without RFC 7427 the hash says which method is used, whatever the curve of the key.
  if (own.oldMethods) return [`authby=${OLD_HASHES[own.key] ?? ""}`];
  if (!own.scheme) return [];
  const hash = /^(?:rsa-pss|ecdsa)-sha(256|384|512)$/.exec(own.scheme)?.[1];
  if (!hash) throw new DriverUnsupported(`libreswan does not sign with ${own.scheme}`);
  const keys = [...new Set(keywords)].flatMap((k) => (k === "rsasig" ? ["rsa"] : k === "ecdsa" ? [k] : []));
  return [`authby=${keys.map((key) => `${key}-sha2_${hash}`).join(",")}`];
}

/**
 * Lines of a connection.
 * @throws DriverUnsupported
 */
export function authLines(config: PeerConfig): string[] {
  const { auth, testerAuth } = authOf(config);
  if (auth.method === "psk" && testerAuth.method === "psk") return ["authby=secret"];
  const [left, right] = [authKeyword(auth), authKeyword(testerAuth)];
  const methods = [auth.method, testerAuth.method];
  if (methods.includes("psk") && methods.includes("null"))
    throw new DriverUnsupported("libreswan mixes no shared secret with NULL authentication");
  return [
    `leftauth=${left}`,
    `rightauth=${right}`,
    ...(auth.method === "signature" ? [`leftcert=${OWN}`] : []),
    ...hashPolicy(auth, [left, right]),
  ];
}

const HASHES = "SIGNATURE_HASH_ALGORITHMS";
const IMPAIRMENTS = ["omit_v2_notification", "ignore_v2_notification"];

/** Arguments of whack, one call each: faults that pluto is told to have where no setting does it, and no others. */
export function impairments(config: PeerConfig): string[] {
  const { auth, testerAuth } = authOf(config);
  const old = [auth, testerAuth].some((spec) => spec.method === "signature" && spec.oldMethods);
  return [
    ...IMPAIRMENTS.map((name) => `--no-impair ${name}`),
    ...(old ? IMPAIRMENTS.map((name) => `--impair ${name}:${HASHES}`) : []),
  ];
}

const DB = "sql:/var/lib/ipsec/nss";
const PASSWORD = "bakeoff";
const CA = "bakeoff-ca";
const IMPORTS = "/tmp/bakeoff-import";

/** A new NSS database, with nothing in it. */
export const NEW_DATABASE = `rm -rf ${DB.slice(4)}/*; ipsec initnss >/dev/null 2>&1`;

/** Commands that leave the NSS database with these keys and certificates and no others of ours. */
export function importCommands({ own, trust }: Material): string[] {
  const from = (data: Uint8Array) => `echo ${Buffer.from(data).toString("base64")} | base64 -d >${IMPORTS}`;
  const forget = [`certutil -F -d ${DB} -n ${OWN}`, `certutil -D -d ${DB} -n ${CA}`];
  return [
    ...forget.map((command) => `${command} 2>/dev/null`),
    ...trust.flatMap((ca) => [from(ca), `certutil -A -d ${DB} -n ${CA} -t CT,, -i ${IMPORTS}`]),
    ...(own ? [from(pkcs12(own, OWN, PASSWORD)), `pk12util -i ${IMPORTS} -d ${DB} -W ${PASSWORD}`] : []),
  ];
}
