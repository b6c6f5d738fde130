/** One certificate, made by `@peculiar/x509` and signed by the harness's own repeatable signatures. */
import "reflect-metadata";
import { createPublicKey, type KeyObject } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  type Extension,
  type Name,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { seededRandom } from "../crypto/seeded-random.ts";
import { type SchemeName, schemeByName } from "../crypto/signatures.ts";
import { encode, inside } from "./der.ts";

/** A CA, or the owner of a self-signed certificate. */
export interface Issuer {
  name: Name;
  key: KeyObject;
}

export interface Template {
  subject: Name;
  /** Public or private. */
  key: KeyObject;
  /** Hex digits. */
  serial: string;
  notBefore: Date;
  notAfter: Date;
  /** Key identifiers apart. */
  extensions: Extension[];
}

interface Signing {
  scheme: SchemeName;
  /** The scheme in the words of WebCrypto, from which the library makes the identifier in the certificate. */
  algorithm: { name: string; hash?: string; namedCurve?: string };
}

const ecdsa = (bits: 256 | 384 | 512): Signing => ({
  scheme: `ecdsa-sha${bits}`,
  algorithm: { name: "ECDSA", hash: `SHA-${bits}` },
});

/** What a key signs certificates with, by its type or curve. */
const SIGNING: Readonly<Record<string, Signing>> = {
  rsa: { scheme: "rsa-pkcs1-sha256", algorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } },
  prime256v1: ecdsa(256),
  secp384r1: ecdsa(384),
  secp521r1: ecdsa(512),
  ed25519: { scheme: "ed25519", algorithm: { name: "EdDSA", namedCurve: "Ed25519" } },
  ed448: { scheme: "ed448", algorithm: { name: "EdDSA", namedCurve: "Ed448" } },
};

function publicKeyOf(key: KeyObject): PublicKey {
  const open = key.type === "private" ? createPublicKey(key) : key;
  return new PublicKey(open.export({ type: "spki", format: "der" }));
}

/** A certificate in DER; the same octets for the same template and issuer. */
export async function issue(template: Template, issuer: Issuer): Promise<Uint8Array> {
  const signing = SIGNING[issuer.key.asymmetricKeyDetails?.namedCurve ?? issuer.key.asymmetricKeyType ?? ""];
  if (!signing) throw new Error(`no CA signs with a key of type ${issuer.key.asymmetricKeyType}`);
  const publicKey = publicKeyOf(template.key);
  const unsigned = await X509CertificateGenerator.create({
    serialNumber: template.serial,
    subject: template.subject,
    issuer: issuer.name,
    notBefore: template.notBefore,
    notAfter: template.notAfter,
    publicKey,
    signingAlgorithm: signing.algorithm,
    signature: new Uint8Array(256),
    extensions: [
      ...template.extensions,
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(publicKeyOf(issuer.key)),
    ],
  });
  return signed(new Uint8Array(unsigned.rawData), issuer.key, signing.scheme);
}

/** The certificate with a signature of this key in the place of its own. */
function signed(certificate: Uint8Array, key: KeyObject, scheme: SchemeName): Uint8Array {
  const [body, algorithm] = inside(certificate) ?? [];
  if (!body || !algorithm) throw new Error("the library made no certificate");
  const signature = schemeByName(scheme).sign(key, body.der, seededRandom("certificate"));
  return encode(0x30, body.der, algorithm.der, encode(3, Uint8Array.of(0), signature));
}
