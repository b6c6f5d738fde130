/**
 * Combined-mode encryption: AES-GCM (RFC 4106, 5282), AES-CCM (RFC 4309), ChaCha20-Poly1305 (RFC 7634) and
 * NULL with AES-GMAC (RFC 4543). The salt is the last octets of the key; nonce = salt | IV.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  type DecipherGCM,
  timingSafeEqual,
} from "node:crypto";
import { concat, plain } from "../wire/bytes.ts";
import type { Encr } from "./types.ts";

const IV = 8;
const EMPTY = new Uint8Array(0);

interface AeadShape {
  id: number;
  name: string;
  keyOctets: number;
  saltLength: number;
  icvLength: number;
}

/** Opens one ciphertext; its nonce and tag length are those of the cipher. */
type OpenDecipher = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, size: number) => DecipherGCM;
type OpenCipher = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, size: number) => AeadCipher;

interface AeadCipher {
  update(data: Uint8Array): Buffer;
  final(): Buffer;
  getAuthTag(): Buffer;
}

/** A KEYMAT cut into what node:crypto takes. */
interface Prepared {
  cipherKey: Uint8Array;
  /** Filled again for every packet; node:crypto copies them. */
  nonce: Buffer;
  tag: Buffer;
}

/** Cuts keys, once for each: fresh small views cost a tenth of the time of a packet. */
function preparer({
  keyOctets,
  saltLength,
  icvLength,
}: AeadShape): (key: Uint8Array, iv: Uint8Array) => Prepared {
  const known = new WeakMap<Uint8Array, Prepared>();
  return (key, iv) => {
    let prepared = known.get(key);
    if (prepared === undefined || prepared.nonce.length !== saltLength + iv.length) {
      prepared = {
        cipherKey: key.subarray(0, keyOctets),
        nonce: Buffer.allocUnsafe(saltLength + iv.length),
        tag: Buffer.allocUnsafe(icvLength),
      };
      known.set(key, prepared);
    }
    const { nonce } = prepared;
    for (let index = 0; index < saltLength; index++) nonce[index] = key[keyOctets + index]!;
    for (let index = 0; index < iv.length; index++) nonce[saltLength + index] = iv[index]!;
    return prepared;
  };
}

function aead(shape: AeadShape, cipherFor: OpenCipher, decipherFor: OpenDecipher): Encr {
  const { keyOctets, icvLength } = shape;
  const prepare = preparer(shape);
  return {
    id: shape.id,
    name: shape.name,
    aead: true,
    keyLength: keyOctets + shape.saltLength,
    saltLength: shape.saltLength,
    ivLength: IV,
    blockSize: 1,
    icvLength,
    randomIv: false,
    seal(key, iv, plaintext, aad, target) {
      const { cipherKey, nonce } = prepare(key, iv);
      const cipher = cipherFor(cipherKey, nonce, aad, plaintext.length);
      const out = target ?? new Uint8Array(plaintext.length + icvLength);
      out.set(cipher.update(plaintext), 0);
      cipher.final();
      out.set(cipher.getAuthTag(), plaintext.length);
      return out;
    },
    open(key, iv, ciphertext, aad) {
      const size = ciphertext.length - icvLength;
      if (size < 0) return undefined;
      const { cipherKey, nonce, tag } = prepare(key, iv);
      for (let index = 0; index < icvLength; index++) tag[index] = ciphertext[size + index]!;
      return finish(decipherFor(cipherKey, nonce, aad, size).setAuthTag(tag), ciphertext.subarray(0, size));
    },
  };
}

/** node:crypto tells a wrong tag by an exception of `final`, with CCM already of `update`. */
function finish(decipher: DecipherGCM, body: Uint8Array): Uint8Array | undefined {
  try {
    const plaintext = decipher.update(body);
    decipher.final();
    return plain(plaintext);
  } catch {
    return undefined;
  }
}

/** ENCR_AES_GCM_8/12/16 (ids 18, 19, 20). */
export function aesGcm(keyBits: number, icvLength: number): Encr {
  const algorithm = `aes-${keyBits}-gcm` as CipherGCMTypes;
  const options = { authTagLength: icvLength };
  const shape: AeadShape = {
    id: 16 + icvLength / 4,
    name: `ENCR_AES_GCM_${icvLength}`,
    keyOctets: keyBits / 8,
    saltLength: 4,
    icvLength,
  };
  return aead(
    shape,
    (key, nonce, aad) => createCipheriv(algorithm, key, nonce, options).setAAD(aad),
    (key, nonce, aad) => createDecipheriv(algorithm, key, nonce, options).setAAD(aad),
  );
}

/** ENCR_AES_GCM_16_IIV (id 30, RFC 8750): `iv` is the sequence number in 8 octets, and is left out of the packet. */
export const aesGcmImplicitIv = (keyBits: number): Encr => ({
  ...aesGcm(keyBits, 16),
  ...{ id: 30, name: "ENCR_AES_GCM_16_IIV", ivLength: 0, implicitIv: true },
});

/** ENCR_AES_CCM_8/12/16 (ids 14, 15, 16). */
export function aesCcm(keyBits: 128 | 192 | 256, icvLength: number): Encr {
  const algorithm = `aes-${keyBits}-ccm` as const;
  const options = { authTagLength: icvLength };
  const shape: AeadShape = {
    id: 12 + icvLength / 4,
    name: `ENCR_AES_CCM_${icvLength}`,
    keyOctets: keyBits / 8,
    saltLength: 3,
    icvLength,
  };
  const ccm = aead(
    shape,
    (key, nonce, aad, plaintextLength) =>
      createCipheriv(algorithm, key, nonce, options).setAAD(aad, { plaintextLength }),
    (key, nonce, aad, plaintextLength) =>
      createDecipheriv(algorithm, key, nonce, options).setAAD(aad, { plaintextLength }),
  );
  return {
    ...ccm,
    seal: (key, iv, plaintext, aad, target) =>
      plaintext.length > 0 ? ccm.seal(key, iv, plaintext, aad, target) : ccmTagOfNothing(shape, key, iv, aad),
    open(key, iv, ciphertext, aad) {
      if (ciphertext.length !== icvLength) return ccm.open(key, iv, ciphertext, aad);
      return timingSafeEqual(ciphertext, ccmTagOfNothing(shape, key, iv, aad))
        ? new Uint8Array(0)
        : undefined;
    },
  };
}

/** RFC 3610 for an empty plaintext, where node:crypto opens any tag. `aad` has less than 65,280 octets. */
function ccmTagOfNothing(shape: AeadShape, key: Uint8Array, iv: Uint8Array, aad: Uint8Array): Uint8Array {
  const { keyOctets, icvLength } = shape;
  const cipherKey = key.subarray(0, keyOctets);
  const nonce = concat(key.subarray(keyOctets), iv);
  const head = aad.length > 0 ? concat(Uint8Array.of(aad.length >> 8, aad.length & 0xff), aad) : EMPTY;
  const blocks = new Uint8Array(16 * (1 + Math.ceil(head.length / 16)));
  blocks[0] = (aad.length > 0 ? 0x40 : 0) | (4 * (icvLength - 2)) | 3;
  blocks.set(nonce, 1);
  blocks.set(head, 16);
  const chain = createCipheriv(`aes-${8 * keyOctets}-cbc`, cipherKey, new Uint8Array(16)).update(blocks);
  const mac = chain.subarray(blocks.length - 16, blocks.length - 16 + icvLength);
  const counter = concat(Uint8Array.of(3), nonce, new Uint8Array(4));
  return plain(createCipheriv(`aes-${8 * keyOctets}-ctr`, cipherKey, counter).update(mac));
}

/** ENCR_CHACHA20_POLY1305 (id 28). */
export const chacha20Poly1305: Encr = aead(
  { id: 28, name: "ENCR_CHACHA20_POLY1305", keyOctets: 32, saltLength: 4, icvLength: 16 },
  (key, nonce, aad, plaintextLength) =>
    createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 }).setAAD(aad, { plaintextLength }),
  (key, nonce, aad, plaintextLength) =>
    createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 }).setAAD(aad, { plaintextLength }),
);

/** ENCR_NULL_AUTH_AES_GMAC (id 21, ESP only): the payload stays readable, AAD | IV | payload is authenticated. */
export function nullAesGmac(keyBits: number): Encr {
  const gcm = aesGcm(keyBits, 16);
  const tag = (key: Uint8Array, iv: Uint8Array, payload: Uint8Array, aad: Uint8Array): Uint8Array =>
    gcm.seal(key, iv, EMPTY, concat(aad, iv, payload));
  return {
    ...gcm,
    id: 21,
    name: "ENCR_NULL_AUTH_AES_GMAC",
    seal: (key, iv, plaintext, aad) => concat(plaintext, tag(key, iv, plaintext, aad)),
    open(key, iv, ciphertext, aad) {
      if (ciphertext.length < 16) return undefined;
      const payload = ciphertext.slice(0, -16);
      const good = gcm.open(key, iv, ciphertext.subarray(-16), concat(aad, iv, payload));
      return good === undefined ? undefined : payload;
    },
  };
}
