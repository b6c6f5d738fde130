/** Proposals as people write them: `aes256gcm16-prfsha256-x25519` to transforms, and back. */
import { EMPTY } from "../bytes.ts";
import type { Proposal, Transform } from "../types.ts";
import { encrTransforms } from "./encr.ts";
import { gcauthTransforms, kwaTransforms, sskdfTransforms } from "./group-transforms.ts";
import { INTEG, integTransforms } from "./integ.ts";
import { keMethods } from "./ke.ts";
import { PRF, prfTransforms } from "./prf.ts";
import { PROTOCOL } from "./protocol-ids.ts";
import type { RegistryEntry } from "./registry.ts";
import { SN, snTransforms } from "./sn.ts";
import { TRANSFORM_ATTRIBUTE } from "./transform-attributes.ts";
import { TRANSFORM } from "./transform-types.ts";

/** A proposal that cannot be read. */
export interface SpecError {
  error: "unknown-keyword" | "no-keyword";
  /** The keyword nobody knows, as it was written. */
  keyword: string;
  reason: string;
}

export function isSpecError(result: Proposal | SpecError): result is SpecError {
  return "error" in result;
}

/** Other spellings of daemons for the same transform. */
const ALIASES = new Map(
  Object.entries({
    aes: "aes128",
    aesctr: "aes128ctr",
    camellia: "camellia128",
    chacha20_poly1305: "chacha20poly1305",
    cast: "cast128",
    blowfish: "blowfish128",
    sha: "sha1",
    sha2_256: "sha256",
    sha2_384: "sha384",
    sha2_512: "sha512",
    sha256_128: "sha256",
    sha384_192: "sha384",
    sha512_256: "sha512",
    prfsha: "prfsha1",
    curve25519: "x25519",
    curve448: "x448",
    dh19: "ecp256",
    dh20: "ecp384",
    dh21: "ecp521",
    dh31: "x25519",
  }),
);

/** An ICV length in bits, as strongSwan also writes it: `aes128gcm128`. */
const ICV_BITS = /^((?:aes|camellia)(?:128|192|256)(?:gcm|ccm))(64|96|128)$/;

/** The PRF that goes with an integrity keyword when an IKE proposal names none. */
const PRF_OF_INTEG: Record<number, number> = {
  [INTEG.HMAC_MD5_96]: PRF.HMAC_MD5,
  [INTEG.HMAC_SHA1_96]: PRF.HMAC_SHA1,
  [INTEG.AES_XCBC_96]: PRF.AES128_XCBC,
  [INTEG.AES_CMAC_96]: PRF.AES128_CMAC,
  [INTEG.HMAC_SHA2_256_128]: PRF.HMAC_SHA2_256,
  [INTEG.HMAC_SHA2_384_192]: PRF.HMAC_SHA2_384,
  [INTEG.HMAC_SHA2_512_256]: PRF.HMAC_SHA2_512,
  [INTEG.KMAC_128]: PRF.KMAC_128,
  [INTEG.KMAC_256]: PRF.KMAC_256,
  [INTEG.HMAC_SHA3_256]: PRF.HMAC_SHA3_256,
  [INTEG.HMAC_SHA3_384]: PRF.HMAC_SHA3_384,
  [INTEG.HMAC_SHA3_512]: PRF.HMAC_SHA3_512,
  [INTEG.HMAC_SM3_128]: PRF.HMAC_SM3,
};

interface Keyword {
  type: number;
  id: number;
  keyBits?: number;
}

const KEYWORDS = buildKeywords();

function buildKeywords(): ReadonlyMap<string, Keyword> {
  const keywords = new Map<string, Keyword>();
  const add = (type: number, entries: readonly RegistryEntry[]): void => {
    for (const { short, value } of entries) if (short !== undefined) keywords.set(short, { type, id: value });
  };
  for (const { short, value, keyBits } of encrTransforms.entries) {
    if (short === undefined) continue;
    for (const bits of keyBits ?? [undefined]) {
      const keyword = { type: TRANSFORM.ENCR, id: value };
      keywords.set(
        short.replace("{bits}", String(bits)),
        bits === undefined ? keyword : { ...keyword, keyBits: bits },
      );
    }
  }
  add(TRANSFORM.PRF, prfTransforms.entries);
  add(TRANSFORM.INTEG, integTransforms.entries);
  add(TRANSFORM.KE, keMethods.entries);
  add(TRANSFORM.SN, snTransforms.entries);
  add(TRANSFORM.KWA, kwaTransforms.entries);
  add(TRANSFORM.GCAUTH, gcauthTransforms.entries);
  add(TRANSFORM.SSKDF, sskdfTransforms.entries);
  return keywords;
}

/** Every keyword `parseProposal` takes, without the other spellings and the `ke1_` forms. */
export function proposalKeywords(): string[] {
  return [...KEYWORDS.keys()];
}

/** Those forms: `ke1_modp768` to `ke7_none`. */
export function additionalKeywords(): string[] {
  const methods = [...KEYWORDS].flatMap(([word, { type }]) => (type === TRANSFORM.KE ? [word] : []));
  return [1, 2, 3, 4, 5, 6, 7].flatMap((n) => [...methods, "none"].map((method) => `ke${n}_${method}`));
}

/** The transform of one keyword; `ke1_mlkem768` is an Additional Key Exchange of RFC 9370. Undefined if unknown. */
function findKeyword(written: string): Keyword | undefined {
  const word = written.toLowerCase();
  const additional = /^ke([1-7])_(.+)$/.exec(word);
  if (additional === null) return findPlainKeyword(word);
  const method = additional[2] === "none" ? { type: TRANSFORM.KE, id: 0 } : findPlainKeyword(additional[2]!);
  if (method?.type !== TRANSFORM.KE) return undefined;
  return { type: TRANSFORM.ADDKE1 - 1 + Number(additional[1]), id: method.id };
}

function findPlainKeyword(word: string): Keyword | undefined {
  const icv = ICV_BITS.exec(word);
  if (icv !== null) return KEYWORDS.get(`${icv[1]}${Number(icv[2]) / 8}`);
  return KEYWORDS.get(ALIASES.get(word) ?? word);
}

const isAead = (keyword: Keyword): boolean =>
  keyword.type === TRANSFORM.ENCR && encrTransforms.get(keyword.id)?.aead === true;

const has = (keywords: Keyword[], type: number): boolean => keywords.some((keyword) => keyword.type === type);

/** What a proposal means beyond its words: PRF from the hash in IKE, no INTEG beside AEAD, 32-bit numbers in ESP. */
function complete(keywords: Keyword[], protocolId: number): Keyword[] {
  let all = [...keywords];
  const ciphers = all.filter((keyword) => keyword.type === TRANSFORM.ENCR);
  if (protocolId === PROTOCOL.IKE) {
    if (!has(all, TRANSFORM.PRF)) {
      for (const { type, id } of keywords) {
        const prf = type === TRANSFORM.INTEG ? PRF_OF_INTEG[id] : undefined;
        if (prf !== undefined) all.push({ type: TRANSFORM.PRF, id: prf });
      }
    }
  } else {
    all = all.filter((keyword) => keyword.type !== TRANSFORM.PRF);
    if (!has(all, TRANSFORM.SN)) all.push({ type: TRANSFORM.SN, id: SN.SEQUENTIAL_32 });
  }
  if (ciphers.length > 0 && ciphers.every(isAead))
    all = all.filter((keyword) => keyword.type !== TRANSFORM.INTEG);
  return all;
}

function toTransform({ type, id, keyBits }: Keyword): Transform {
  const attributes = keyBits === undefined ? [] : [{ type: TRANSFORM_ATTRIBUTE.KEY_LENGTH, value: keyBits }];
  return { type, id, attributes };
}

/**
 * The wire form of a text such as `aes256gcm16-prfsha256-x25519` or `aes128-sha256-noesn`, with number 1. Several
 * keywords of one type mean a choice, in this order of preference. In IKE an integrity keyword also stands for the
 * PRF if no PRF is named; in ESP and AH a PRF is left out and 32-bit sequence numbers are meant if none are named;
 * beside AEAD ciphers alone no integrity transform is made.
 */
export function parseProposal(
  spec: string,
  protocolId: number,
  spi: Uint8Array = EMPTY,
): Proposal | SpecError {
  const words = spec.split("-").map((word) => word.trim());
  const keywords: Keyword[] = [];
  for (const word of words) {
    const keyword = findKeyword(word);
    if (keyword === undefined) {
      if (spec.trim() === "") return { error: "no-keyword", keyword: "", reason: "the proposal is empty" };
      return { error: "unknown-keyword", keyword: word, reason: `unknown keyword "${word}" in "${spec}"` };
    }
    keywords.push(keyword);
  }
  const transforms = complete(keywords, protocolId)
    .map(toTransform)
    .sort((a, b) => a.type - b.type);
  return { number: 1, protocolId, spi, transforms };
}

/** The keyword of a transform: `aes256`, `ke1_mlkem768`, else type and id as in `1:12/256`. */
export function transformKeyword(transform: Transform): string {
  const { type, id, attributes } = transform;
  const first = attributes[0];
  const keyBits =
    attributes.length === 1 &&
    first?.type === TRANSFORM_ATTRIBUTE.KEY_LENGTH &&
    typeof first.value === "number"
      ? first.value
      : undefined;
  const additional = type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7;
  const base = additional ? TRANSFORM.KE : type;
  const prefix = additional ? `ke${type - TRANSFORM.ADDKE1 + 1}_` : "";
  for (const [word, keyword] of KEYWORDS) {
    if (keyword.type === base && keyword.id === id && keyword.keyBits === keyBits) return prefix + word;
  }
  if (base === TRANSFORM.INTEG && id === INTEG.NONE) return "none";
  if (additional && id === 0) return `${prefix}none`;
  return `${type}:${id}${keyBits === undefined ? "" : `/${keyBits}`}`;
}

/** The keywords of a proposal in its own order, as in `aes256-prfsha256-sha256-x25519`. */
export function formatProposal(proposal: Proposal): string {
  return proposal.transforms.map(transformKeyword).join("-");
}
