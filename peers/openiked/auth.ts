/** Ways to authenticate as `iked.conf` says them, and the keys and certificates that go with them. */
import { eapUserOf, type Material } from "../../harness/script/policy.ts";
import { type AuthSpec, DriverUnsupported, type PeerConfig } from "../contract.ts";
import { certificatePem } from "../pem.ts";

const PSK: AuthSpec = { method: "psk" };

/** Text as a string of `iked.conf`. @throws DriverUnsupported for what has no such form */
export const quoted = (text: string): string => {
  if (/["\\\n]/.test(text)) throw new DriverUnsupported(`iked.conf has no way to write ${text}`);
  return `"${text}"`;
};

/** A shared secret in hex, so that no character of it means anything else. */
export const hexKey = (psk: string): string => `psk "0x${Buffer.from(psk, "utf8").toString("hex")}"`;

type Signature = Extract<AuthSpec, { method: "signature" }>;

/** iked signs with the one key it has as the other end announces: SHA-256 by RFC 7427, or by the older methods. */
function requireSignature({ key, scheme }: Signature): void {
  if (key.startsWith("ed")) throw new DriverUnsupported("OpenIKED has no EdDSA");
  if (scheme && !/^(rsa-pkcs1|ecdsa)-sha256$/.test(scheme))
    throw new DriverUnsupported(`OpenIKED does not sign with ${scheme}`);
}

/**
 * Lines before the policy, and the words at its end.
 * @throws DriverUnsupported
 */
export function authWords(config: PeerConfig): { lines: string[]; words: string[] } {
  const { auth = PSK, testerAuth = PSK } = config;
  if (auth.method === "psk" && testerAuth.method === "psk") return { lines: [], words: [hexKey(config.psk)] };
  if (auth.method === "eap") throw new DriverUnsupported("OpenIKED logs in nowhere by EAP");
  if (auth.method !== "signature") throw new DriverUnsupported(`OpenIKED cannot use ${pairOf(config)}`);
  requireSignature(auth);
  if (testerAuth.method === "signature") return { lines: [], words: [] };
  if (testerAuth.method !== "eap" || testerAuth.type !== "mschapv2")
    throw new DriverUnsupported(`OpenIKED cannot use ${pairOf(config)}`);
  const { identity, password } = eapUserOf(config);
  return { lines: [`user ${quoted(identity)} ${quoted(password)}`], words: ['eap "mschap-v2"'] };
}

const nameOf = (spec: AuthSpec): string => (spec.method === "eap" ? `EAP-${spec.type}` : spec.method);

const pairOf = ({ auth = PSK, testerAuth = PSK }: PeerConfig): string =>
  `authentication by ${nameOf(auth)} here and ${nameOf(testerAuth)} at the other end`;

/** A file of the guest; private ones are for root alone. */
export interface GuestFile {
  path: string;
  text: string;
  private?: true;
}

/** iked's own key and certificate, and the CA it trusts, where it looks for them. */
export function credentialFiles({ own, trust }: Material): GuestFile[] {
  const key = own?.key.export({ type: "pkcs8", format: "pem" }).toString();
  return [
    ...(key ? [{ path: "/etc/iked/private/local.key", text: key, private: true } as const] : []),
    ...(own ? [{ path: "/etc/iked/certs/own.pem", text: own.chain.map(certificatePem).join("") }] : []),
    ...trust.map((ca, i) => ({ path: `/etc/iked/ca/${i}.pem`, text: certificatePem(ca) })),
  ];
}
