/** PKCS#12 (RFC 7292): a private key and its certificates in the one form in which NSS takes keys. */
import { createHash, createHmac } from "node:crypto";
import type { Credential } from "../harness/pki/types.ts";

function der(tag: number, ...content: Uint8Array[]): Buffer {
  const value = Buffer.concat(content);
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), value]);
  const octets = Buffer.from(length.toString(16).replace(/^(..)*.$/, "0$&"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | octets.length), octets, value]);
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content);
const set = (...content: Uint8Array[]) => der(0x31, ...content);
const octets = (value: Uint8Array) => der(4, value);
const explicit = (value: Uint8Array) => der(0xa0, value);
const oid = (hex: string) => der(6, Buffer.from(hex, "hex"));

const OID = {
  data: oid("2a864886f70d010701"),
  shroudedKeyBag: oid("2a864886f70d010c0a0102"),
  certBag: oid("2a864886f70d010c0a0103"),
  x509Certificate: oid("2a864886f70d01091601"),
  friendlyName: oid("2a864886f70d010914"),
  localKeyId: oid("2a864886f70d010915"),
  sha256: oid("608648016503040201"),
};

/** BMPString: UTF-16, big-endian. */
const bmp = (text: string) => Buffer.from(text, "utf16le").swap16();
const content = (value: Uint8Array) => sequence(OID.data, explicit(octets(value)));
const bag = (type: Buffer, value: Uint8Array, attributes: Buffer[]) =>
  sequence(type, explicit(value), ...(attributes.length > 0 ? [set(...attributes)] : []));

const SALT = Buffer.alloc(8, 1);
const ITERATIONS = 1;

/** Appendix B of RFC 7292 for a key as long as the hash; the password guards nothing here. */
function macKey(password: string): Buffer {
  const fill = (value: Buffer) => Buffer.alloc(64 * Math.ceil(value.length / 64), value);
  const secret = Buffer.concat([bmp(password), Buffer.of(0, 0)]);
  return createHash("sha256")
    .update(Buffer.concat([Buffer.alloc(64, 3), fill(SALT), fill(secret)]))
    .digest();
}

/** `name` is what the key and its own certificate are found by. */
export function pkcs12({ key, chain }: Credential, name: string, password: string): Buffer {
  const attributes = [
    sequence(OID.friendlyName, set(der(0x1e, bmp(name)))),
    sequence(OID.localKeyId, set(octets(Buffer.of(1)))),
  ];
  const shrouded = key.export({
    ...{ type: "pkcs8", format: "der" },
    ...{ cipher: "aes-256-cbc", passphrase: password },
  });
  const certs = chain.map((cert, i) =>
    bag(OID.certBag, sequence(OID.x509Certificate, explicit(octets(cert))), i === 0 ? attributes : []),
  );
  const keys = [bag(OID.shroudedKeyBag, Buffer.from(shrouded), attributes)];
  const safe = sequence(content(sequence(...certs)), content(sequence(...keys)));
  const mac = createHmac("sha256", macKey(password)).update(safe).digest();
  const digest = sequence(sequence(OID.sha256, der(5)), octets(mac));
  return sequence(
    der(2, Buffer.of(3)),
    content(safe),
    sequence(digest, octets(SALT), der(2, Buffer.of(ITERATIONS))),
  );
}
