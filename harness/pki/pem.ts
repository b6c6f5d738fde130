/** Keys and certificates in PEM (RFC 7468), as the configurations of daemons want them. */
import type { KeyObject } from "node:crypto";

/** A certificate. */
export function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/**
 * A private key: PKCS #8, or with "traditional" the older format of its type (`RSA PRIVATE KEY`, `EC PRIVATE KEY`).
 * @throws Error for a public key, and for EdDSA in the traditional format, which has none
 */
export function privatePem(key: KeyObject, format: "pkcs8" | "traditional" = "pkcs8"): string {
  const type = format === "pkcs8" ? "pkcs8" : key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1";
  return key.export({ type, format: "pem" }).toString();
}
