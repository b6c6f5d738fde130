/** The Encrypted payload: RFC 7296 section 3.14, RFC 5282 for AEAD, RFC 7383 section 2.5 for fragments. */
import type { Encr, Integ, Random } from "../crypto/types.ts";
import { equal, uninitialized } from "../wire/bytes.ts";
import { encodeMessage } from "../wire/index.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Header, Payload, SkfPayload, SkPayload } from "../wire/types.ts";

/** Keys of one direction of an IKE SA. */
export interface Protection {
  encr: Encr;
  integ?: Integ;
  /** SK_ei or SK_er, with the salt at its end. */
  SK_e: Uint8Array;
  /** SK_ai or SK_ar; empty for AEAD. */
  SK_a: Uint8Array;
  /** Counts the IVs of ciphers that take a counter. */
  sealed: number;
}

/** What an ordinary sender chooses by itself. */
export interface SealOptions {
  iv?: Uint8Array;
  /** Octets of padding before Pad Length; must fit the block size to be well-formed. */
  padding?: Uint8Array;
  /** Written instead of the number of padding octets. */
  padLength?: number;
  /** Changes the ICV, or the last octets of an AEAD ciphertext. */
  icv?: (icv: Uint8Array) => Uint8Array;
  /** Written instead of the type of the first inner payload. */
  innerType?: number;
  /** Sets the C bit of the Encrypted payload. */
  critical?: boolean;
  /** The 7 bits behind the C bit of the Encrypted payload. Not set means zero. */
  reserved?: number;
}

const counterIv = (count: number, octets: number): Uint8Array => {
  const iv = uninitialized(octets).fill(0);
  for (let at = 1; at <= 4; at++) iv[octets - at] = count >>> (8 * (at - 1));
  return iv;
};

const plaintextOf = (inner: Uint8Array, block: number, options: SealOptions): Uint8Array => {
  const fill = (block - ((inner.length + 1) % block)) % block;
  const padding = options.padding ?? new Uint8Array(fill);
  const plaintext = uninitialized(inner.length + padding.length + 1);
  plaintext.set(inner);
  plaintext.set(padding, inner.length);
  plaintext[plaintext.length - 1] = options.padLength ?? padding.length;
  return plaintext;
};

/**
 * Seals `inner` (an encoded payload chain) into a whole IKE message. With `fragment` the payload is SKF.
 * The AAD of AEAD ciphers runs from the IKE header to the end of the payload's own header.
 */
export function sealMessage(
  keys: Protection,
  random: Random,
  header: Header,
  clear: Payload[],
  inner: Uint8Array,
  innerType: number,
  options: SealOptions = {},
  fragment?: { number: number; total: number },
): Uint8Array {
  const { encr, integ } = keys;
  const plaintext = plaintextOf(inner, encr.blockSize, options);
  keys.sealed++;
  const iv = options.iv ?? (encr.randomIv ? random(encr.ivLength) : counterIv(keys.sealed, encr.ivLength));
  const icvLength = encr.aead ? encr.icvLength : (integ?.icvLength ?? 0);
  const data = uninitialized(iv.length + plaintext.length + icvLength);
  data.set(iv);
  const octets = encodeMessage({
    header,
    payloads: [...clear, encrypted(innerType, data, options, fragment)],
  });
  const start = octets.length - data.length;
  const icvStart = octets.length - icvLength;
  const target = octets.subarray(start + iv.length, encr.aead ? octets.length : icvStart);
  const ciphertext = encr.seal(keys.SK_e, iv, plaintext, octets.subarray(0, start), target);
  if (ciphertext !== target) target.set(ciphertext);
  if (!encr.aead && integ) octets.set(integ.compute(keys.SK_a, octets.subarray(0, icvStart)), icvStart);
  if (options.icv) octets.set(options.icv(octets.slice(icvStart)), icvStart);
  return octets;
}

/** What the generic header of the Encrypted payload has beside types and length. */
export const skHeaderOf = ({
  critical,
  reserved,
}: SealOptions): Pick<SkPayload, "critical" | "reserved"> => ({
  ...(critical && { critical }),
  ...(reserved !== undefined && { reserved }),
});

function encrypted(
  innerType: number,
  data: Uint8Array,
  options: SealOptions,
  fragment?: { number: number; total: number },
): Payload {
  const type = options.innerType ?? innerType;
  const base = skHeaderOf(options);
  if (!fragment) return { ...base, kind: "SK", type: PAYLOAD.SK, innerType: type, data };
  return {
    ...base,
    kind: "SKF",
    type: PAYLOAD.SKF,
    innerType: type,
    fragmentNumber: fragment.number,
    totalFragments: fragment.total,
    data,
  };
}

export type Opened = { plaintext: Uint8Array; innerType: number } | { error: "icv" | "length" | "padding" };

/**
 * Opens an SK or SKF payload decoded from `octets`. Never throws. `acceptWrongIcv` is for an endpoint that lies:
 * it skips a separate ICV (an AEAD ciphertext stays closed).
 */
export function openPayload(
  keys: Protection,
  octets: Uint8Array,
  payload: SkPayload | SkfPayload,
  acceptWrongIcv = false,
): Opened {
  const { encr, integ } = keys;
  const start = payload.data.byteOffset - octets.byteOffset;
  const end = start + payload.data.length;
  const icvLength = encr.aead ? 0 : (integ?.icvLength ?? 0);
  if (payload.data.length < encr.ivLength + (encr.aead ? encr.icvLength : icvLength) + 1)
    return { error: "length" };
  if (!encr.aead && integ && !acceptWrongIcv) {
    const icv = integ.compute(keys.SK_a, octets.subarray(0, end - icvLength));
    if (!equal(icv, octets.subarray(end - icvLength, end))) return { error: "icv" };
  }
  const iv = octets.subarray(start, start + encr.ivLength);
  const plaintext = encr.open(
    keys.SK_e,
    iv,
    octets.subarray(start + encr.ivLength, end - icvLength),
    octets.subarray(0, start),
  );
  if (!plaintext) return { error: encr.aead ? "icv" : "length" };
  const padLength = plaintext[plaintext.length - 1] ?? 0;
  if (padLength + 1 > plaintext.length) return { error: "padding" };
  return { plaintext: plaintext.subarray(0, plaintext.length - 1 - padLength), innerType: payload.innerType };
}
