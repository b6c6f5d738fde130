/** The arithmetic of MSCHAPv2: RFC 2759 section 8, and the keys of RFC 3079 section 3. Names as there. */
import { createCipheriv } from "node:crypto";
import { digest } from "../crypto/hash.ts";
import { concat, hex, plain } from "../wire/bytes.ts";
import { md4 } from "./md4.ts";
import { utf8 } from "./packets.ts";

const sha1 = (...parts: Uint8Array[]): Uint8Array => digest("sha1", concat(...parts));

/** MD4 of the password in UTF-16, little endian. */
export const ntPasswordHash = (password: string): Uint8Array => md4(plain(Buffer.from(password, "utf16le")));

/** 8 octets. `userName` counts without a domain before it ("DOMAIN\user"). */
export function challengeHash(
  peerChallenge: Uint8Array,
  authenticatorChallenge: Uint8Array,
  userName: string,
): Uint8Array {
  const name = userName.slice(userName.indexOf("\\") + 1);
  return sha1(peerChallenge, authenticatorChallenge, utf8(name)).subarray(0, 8);
}

/** A DES key out of 7 octets: seven bits to an octet; DES ignores the lowest, parity. */
function desKey(octets: Uint8Array): Uint8Array {
  const bits = BigInt(`0x${hex(octets)}`);
  return Uint8Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(49 - 7 * index)) & 0x7fn) << 1);
}

/** One block of DES, as triple DES with three equal keys: OpenSSL 3 has single DES only in its legacy provider. */
function desEncrypt(clear: Uint8Array, octets: Uint8Array): Uint8Array {
  const key = desKey(octets);
  const cipher = createCipheriv("des-ede3", concat(key, key, key), null).setAutoPadding(false);
  return concat(cipher.update(clear), cipher.final());
}

/** NT-Response, 24 octets: the challenge hash under three keys out of the password hash. */
export function ntResponse(challenge: Uint8Array, passwordHash: Uint8Array): Uint8Array {
  const keys = concat(passwordHash, new Uint8Array(5));
  return concat(...[0, 7, 14].map((at) => desEncrypt(challenge, keys.subarray(at, at + 7))));
}

const SERVER_TO_CLIENT = utf8("Magic server to client signing constant");
const MORE_ITERATIONS = utf8("Pad to make it do more than one iteration");

/** What proves the authenticator, 20 octets; it travels as "S=" and 40 hex digits. */
export function authenticatorResponse(
  passwordHash: Uint8Array,
  response: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  return sha1(sha1(md4(passwordHash), response, SERVER_TO_CLIENT), challenge, MORE_ITERATIONS);
}

/** RFC 3079 section 3.4: GetMasterKey, 16 octets. */
export const masterKey = (passwordHash: Uint8Array, response: Uint8Array): Uint8Array =>
  sha1(md4(passwordHash), response, utf8("This is the MPPE Master Key")).subarray(0, 16);

const FROM_CLIENT = utf8(
  "On the client side, this is the send key; on the server side, it is the receive key.",
);
const FROM_SERVER = utf8(
  "On the client side, this is the receive key; on the server side, it is the send key.",
);

/** RFC 3079 section 3.4: GetAsymmetricStartKey of 128 bits, by who sends under it. */
export const startKey = (master: Uint8Array, sender: "client" | "server"): Uint8Array =>
  sha1(
    master,
    new Uint8Array(40),
    sender === "client" ? FROM_CLIENT : FROM_SERVER,
    new Uint8Array(40).fill(0xf2),
  ).subarray(0, 16);

/** MasterReceiveKey and MasterSendKey as the authenticator names them, then 32 zeros ([MS-CHAP] section 3.1.5.1). */
export function mschapMSK(passwordHash: Uint8Array, response: Uint8Array): Uint8Array {
  const master = masterKey(passwordHash, response);
  return concat(startKey(master, "client"), startKey(master, "server"), new Uint8Array(32));
}
