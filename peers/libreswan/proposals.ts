/** Proposals in libreswan's own words: `aes256gcm16-prfsha256-x25519` is `aes_gcm_c_256-sha2_256-dh31`. */
import { DriverUnsupported, type ProposalSpec } from "../contract.ts";

interface Parts {
  encr: string[];
  integ: string[];
  prf: string[];
  ke: string[];
  esn: string[];
}

const HASHES: Record<string, string> = {
  sha1: "sha1",
  sha256: "sha2_256",
  sha384: "sha2_384",
  sha512: "sha2_512",
  aesxcbc: "aes_xcbc",
  aescmac: "aes_cmac",
  md5: "md5",
};

const KEY_EXCHANGES: Record<string, string> = {
  modp1536: "dh5",
  modp2048: "dh14",
  modp3072: "dh15",
  modp4096: "dh16",
  modp6144: "dh17",
  modp8192: "dh18",
  ecp256: "dh19",
  ecp384: "dh20",
  ecp521: "dh21",
  x25519: "dh31",
  curve25519: "dh31",
};

/** The short ICV comes first in libreswan's letters: `a` has 8 octets, `c` 16. */
const ICV: Record<string, string> = { 8: "a", 12: "b", 16: "c" };

function encryption(token: string): string | undefined {
  if (token === "chacha20poly1305") return "chacha20_poly1305";
  if (token === "3des" || token === "null") return token;
  const match = /^aes(128|192|256)(?:(gcm|ccm)(8|12|16)|(ctr|cbc|gmac))?$/.exec(token);
  if (!match) return undefined;
  const [, bits, aead, icv, mode] = match;
  if (aead) return `aes_${aead}_${ICV[icv!]}_${bits}`;
  return `${mode === "gmac" ? "null_auth_" : ""}aes_${mode ?? "cbc"}_${bits}`;
}

function isAead(encr: string): boolean {
  return /gcm|gmac|ccm|chacha/.test(encr);
}

/** @throws DriverUnsupported for a transform that libreswan has no word for */
function parse(spec: ProposalSpec): Parts {
  const parts: Parts = { encr: [], integ: [], prf: [], ke: [], esn: [] };
  for (const token of spec.split("-")) {
    const encr = encryption(token);
    const prf = token.startsWith("prf") ? HASHES[token.slice(3)] : undefined;
    if (encr) parts.encr.push(encr);
    else if (prf) parts.prf.push(prf);
    else if (HASHES[token]) parts.integ.push(HASHES[token]);
    else if (KEY_EXCHANGES[token]) parts.ke.push(KEY_EXCHANGES[token]);
    else if (token === "esn" || token === "noesn") parts.esn.push(token);
    else throw new DriverUnsupported(`libreswan has no transform ${token} (in ${spec})`);
  }
  if (parts.encr.length === 0) throw new DriverUnsupported(`no encryption transform in ${spec}`);
  return parts;
}

function join(...lists: string[][]): string {
  return lists
    .filter((list) => list.length > 0)
    .map((list) => list.join("+"))
    .join("-");
}

function ikeProposal(spec: ProposalSpec): string {
  const { encr, integ, prf, ke } = parse(spec);
  // libreswan has one word for the PRF and the integrity transform: it cannot offer two different hashes.
  const hash = prf.length > 0 ? prf : integ;
  if (!encr.every(isAead) && integ.join() !== hash.join()) {
    throw new DriverUnsupported(`libreswan takes the same hash for PRF and integrity (in ${spec})`);
  }
  if (hash.includes("aes_cmac")) {
    throw new DriverUnsupported(`libreswan has no AES-CMAC for IKE SAs (in ${spec})`);
  }
  if (encr.some((name) => name.startsWith("aes_ccm"))) {
    throw new DriverUnsupported(`libreswan has no AES-CCM for IKE SAs (in ${spec})`);
  }
  return join(encr, hash, ke);
}

/** Value of `ike=`. @throws DriverUnsupported */
export function ikeSetting(specs: ProposalSpec[]): string {
  return specs.map(ikeProposal).join(",");
}

/** The settings of a connection that its ESP proposals decide. */
export interface EspSettings {
  esp: string;
  /** Whether a Child SA of its own exchange brings a key exchange. */
  pfs: "yes" | "no";
  esn: "yes" | "no" | "either";
}

/**
 * `esp=`, `pfs=` and `esn=`. No ESN transform in a proposal means plain 32-bit sequence numbers.
 * @throws DriverUnsupported
 */
export function espSettings(specs: ProposalSpec[]): EspSettings {
  const proposals = specs.map(parse);
  const withKe = proposals.filter(({ ke }) => ke.length > 0).length;
  if (withKe !== 0 && withKe !== proposals.length) {
    throw new DriverUnsupported("libreswan has a key exchange in all ESP proposals or in none");
  }
  if (new Set(proposals.flatMap(({ ke }) => ke)).size > 1) {
    throw new DriverUnsupported("libreswan takes no more than one key exchange for ESP");
  }
  const words = proposals.map(({ encr, integ, ke }) => {
    const transforms = join(encr, encr.every(isAead) ? [] : integ);
    return ke.length > 0 ? `${transforms};${ke.join("+")}` : transforms;
  });
  const esn = new Set(proposals.flatMap((proposal) => (proposal.esn.length ? proposal.esn : ["noesn"])));
  return {
    esp: words.join(","),
    pfs: withKe > 0 ? "yes" : "no",
    esn: esn.size === 2 ? "either" : esn.has("esn") ? "yes" : "no",
  };
}
