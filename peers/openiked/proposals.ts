/** Proposals in OpenIKED's own words: `aes256-sha256-x25519` is `enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519`. */
import { DriverUnsupported, type ProposalSpec } from "../contract.ts";

interface Parts {
  encr: string[];
  integ: string[];
  prf: string[];
  ke: string[];
  esn: string[];
}

const HASHES: Record<string, string> = {
  md5: "hmac-md5",
  sha1: "hmac-sha1",
  sha256: "hmac-sha2-256",
  sha384: "hmac-sha2-384",
  sha512: "hmac-sha2-512",
};

const KEY_EXCHANGE =
  /^(modp(768|1024|1536|2048|3072|4096|6144|8192)|ecp(192|224|256|384|521)|sntrup761x25519)$/;

/** What IKE SAs take; of AES-GCM there is no form with 192 bits or with an ICV of 8 octets. */
const IKE_ENCRYPTION: Record<string, string> = {
  "3des": "3des",
  aes128: "aes-128",
  aes192: "aes-192",
  aes256: "aes-256",
  aes128gcm16: "aes-128-gcm",
  aes256gcm16: "aes-256-gcm",
  aes128gcm12: "aes-128-gcm-12",
  aes256gcm12: "aes-256-gcm-12",
};

/** What PF_KEY takes for ESP: it has no words for AEAD ciphers, refuses an empty key, and cuts HMAC-SHA2-256 to 96 bits. */
const ESP_ENCRYPTION: Record<string, string> = {
  "3des": "3des",
  aes128: "aes-128",
  aes192: "aes-192",
  aes256: "aes-256",
  aes128ctr: "aes-128-ctr",
  aes192ctr: "aes-192-ctr",
  aes256ctr: "aes-256-ctr",
};

const isAead = (token: string): boolean => /gcm|ccm|chacha/.test(token);

function keyExchange(token: string): string | undefined {
  if (token === "x25519" || token === "curve25519") return "curve25519";
  return KEY_EXCHANGE.test(token) ? token : undefined;
}

/** @throws DriverUnsupported for a transform that OpenIKED has no word for */
function parse(spec: ProposalSpec, encryption: Record<string, string>): Parts {
  const parts: Parts = { encr: [], integ: [], prf: [], ke: [], esn: [] };
  for (const token of spec.split("-")) {
    const encr = encryption[token.replace(/^(aes\d+)cbc$/, "$1")];
    const prf = token.startsWith("prf") ? HASHES[token.slice(3)] : undefined;
    const ke = keyExchange(token);
    if (encr) parts.encr.push(encr);
    else if (prf) parts.prf.push(prf);
    else if (HASHES[token]) parts.integ.push(HASHES[token]);
    else if (ke) parts.ke.push(ke);
    else if (token === "esn" || token === "noesn") parts.esn.push(token);
    else throw new DriverUnsupported(`OpenIKED cannot use ${token} (in ${spec})`);
  }
  if (parts.encr.length === 0) throw new DriverUnsupported(`no encryption transform in ${spec}`);
  return parts;
}

const words = (keyword: string, names: string[]): string[] => names.map((name) => `${keyword} ${name}`);

function ikeProposal(spec: ProposalSpec): string {
  const { encr, integ, prf, ke } = parse(spec, IKE_ENCRYPTION);
  const aead = encr.filter(isAead).length;
  if (aead > 0 && (aead < encr.length || integ.length > 0)) {
    throw new DriverUnsupported(`OpenIKED has no AEAD beside other ciphers in one proposal (${spec})`);
  }
  const hashes = prf.length > 0 ? prf : integ;
  return [
    "ikesa",
    ...[...words("enc", encr), ...words("auth", integ), ...words("prf", hashes), ...words("group", ke)],
  ].join(" ");
}

/** The `ikesa` lists of a policy. @throws DriverUnsupported */
export function ikeSas(specs: ProposalSpec[]): string[] {
  return specs.map(ikeProposal);
}

function espProposal(spec: ProposalSpec): string {
  const { encr, integ, ke, esn } = parse(spec, ESP_ENCRYPTION);
  if (esn.includes("esn")) throw new DriverUnsupported(`OpenIKED has no ESN on Linux (in ${spec})`);
  if (integ.length === 0 || integ.includes("hmac-sha2-256")) {
    throw new DriverUnsupported(`OpenIKED cannot install the integrity of ${spec} through PF_KEY`);
  }
  const groups = words("group", ke.length > 0 ? ke : ["none"]);
  return ["childsa", ...words("enc", encr), ...words("auth", integ), ...groups, "noesn"].join(" ");
}

/**
 * The `childsa` lists of a policy, of those proposals alone that can be installed on Linux.
 * @throws DriverUnsupported where there is none
 */
export function childSas(specs: ProposalSpec[]): string[] {
  const refusals: string[] = [];
  const usable = specs.flatMap((spec) => {
    try {
      return [espProposal(spec)];
    } catch (error) {
      if (!(error instanceof DriverUnsupported)) throw error;
      refusals.push(error.message);
      return [];
    }
  });
  if (usable.length > 0) return usable;
  throw new DriverUnsupported(
    `no ESP proposal that OpenIKED can install through PF_KEY: ${refusals.join("; ")}`,
  );
}
