/** The harness's CA: every certificate that a run needs, good and bad, from fixed keys. */
import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { seededRandom } from "../crypto/seeded-random.ts";
import { concat } from "../wire/bytes.ts";
import { caTemplate, EXPIRED, endTemplate } from "./end-certificate.ts";
import { type Issuer, issue } from "./issue.ts";
import { nameOf } from "./names.ts";
import { type CertificateWishes, type Credential, KEY_KINDS, type KeyKind, type Pki } from "./types.ts";

const ROOT = "bake-off CA";
const SUB_CA = "bake-off sub-CA";
/** CAs between the root and the end of a long chain. */
const LONG_CHAIN = 100;

/** A file that ought to hold a private key. The message names it, and why it does not serve. */
export class KeyFileError extends Error {}

function keyNamed(name: string): KeyObject {
  const file = `harness/pki/keys/${name}.pem`;
  let pem: string;
  try {
    pem = readFileSync(new URL(`./keys/${name}.pem`, import.meta.url), "utf8");
  } catch (error) {
    throw new KeyFileError(`${file}: cannot be read: ${reasonOf(error).replace(/, .*/, "")}`);
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new KeyFileError(`${file}: holds no private key in PEM: ${reasonOf(error)}`);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Reads every key that certificates are made with. @throws KeyFileError for the first that cannot be used */
export function checkKeys(): void {
  const own = (["tester", "peer"] as const).flatMap((owner) => KEY_KINDS.map((kind) => `${owner}-${kind}`));
  for (const name of ["ca", "sub-ca", "unknown-ca", ...own]) keyNamed(name);
}

/** The two ends of a test have keys of their own; identities that do not say whose they are, by their octets. */
function ownerOf(identity: string): "tester" | "peer" {
  if (identity.includes("tester")) return "tester";
  if (identity.includes("peer")) return "peer";
  return createHash("sha256").update(identity).digest()[0]! & 1 ? "tester" : "peer";
}

/** An issuer, and the certificates from it up to the root, without the root's. */
interface Above {
  issuer: Issuer;
  chain: Uint8Array[];
}

async function intermediate(root: Issuer, wish: CertificateWishes["intermediate"]): Promise<Above> {
  const key = keyNamed("sub-ca");
  const template = caTemplate(SUB_CA, key, wish !== "is no CA");
  const certificate = await issue({ ...template, ...(wish === "expired" && EXPIRED) }, root);
  return { issuer: { name: nameOf(SUB_CA), key }, chain: wish === "missing" ? [] : [certificate] };
}

async function longChain(root: Issuer): Promise<Above> {
  const key = keyNamed("sub-ca");
  let above: Above = { issuer: root, chain: [] };
  for (let depth = 1; depth <= LONG_CHAIN; depth++) {
    const name = `${SUB_CA} ${depth}`;
    const certificate = await issue(caTemplate(name, key), above.issuer);
    above = { issuer: { name: nameOf(name), key }, chain: [certificate, ...above.chain] };
  }
  return above;
}

async function aboveOf(wishes: CertificateWishes): Promise<Above> {
  const key = keyNamed(wishes.issuer === "unknown" ? "unknown-ca" : "ca");
  const root: Issuer = { name: nameOf(ROOT), key };
  if (wishes.bomb === "long chain") return longChain(root);
  return wishes.intermediate ? intermediate(root, wishes.intermediate) : { issuer: root, chain: [] };
}

/** The last octet of a certificate is the last of its signature. */
function broken(certificate: Uint8Array): Uint8Array {
  const out = Uint8Array.from(certificate);
  out[out.length - 1]! ^= 1;
  return out;
}

/** A SEQUENCE of 1,000 octets that are no DER. */
const garbage = (identity: string): Uint8Array =>
  concat(Uint8Array.of(0x30, 0x82, 0x03, 0xe8), seededRandom(`garbage ${identity}`)(1000));

const describe = (identity: string, kind: KeyKind, wishes: CertificateWishes): string =>
  JSON.stringify([identity, kind, Object.entries(wishes).sort()]);

async function make(identity: string, kind: KeyKind, wishes: CertificateWishes): Promise<Credential> {
  const key = keyNamed(wishes.key ?? `${ownerOf(identity)}-${kind}`);
  if (wishes.bomb === "garbage") return { key, chain: [garbage(identity)] };
  const template = endTemplate(identity, key, wishes, describe(identity, kind, wishes));
  const self = wishes.issuer === "itself";
  const above = self ? { issuer: { name: template.subject, key }, chain: [] } : await aboveOf(wishes);
  const certificate = await issue(template, above.issuer);
  return { key, chain: [wishes.signature ? broken(certificate) : certificate, ...above.chain] };
}

async function create(): Promise<Pki> {
  const key = keyNamed("ca");
  const made = new Map<string, Promise<Credential>>();
  return {
    ca: await issue(caTemplate(ROOT, key), { name: nameOf(ROOT), key }),
    credential(identity, kind, wishes = {}) {
      const id = describe(identity, kind, wishes);
      const credential = made.get(id) ?? make(identity, kind, wishes);
      made.set(id, credential);
      return credential;
    },
  };
}

function once<T>(action: () => T): () => T {
  let kept: { value: T } | undefined;
  return () => {
    kept ??= { value: action() };
    return kept.value;
  };
}

/** One per process. Certificates are made when they are asked for, and then kept. */
export const pki: () => Promise<Pki> = once(create);
