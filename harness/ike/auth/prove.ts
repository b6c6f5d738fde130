/** Our own proof of identity: the AUTH payload, and the certificates that go with it. */
import { oldMethods, type SignatureScheme, schemes } from "../../crypto/signatures.ts";
import { concat } from "../../wire/bytes.ts";
import { AUTH_METHOD } from "../../wire/registry/auth-methods.ts";
import { CERT_ENCODING } from "../../wire/registry/cert-encodings.ts";
import { HASH } from "../../wire/registry/hash-algorithms.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { AuthPayload, IdPayload, Payload } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import type { OwnAuth } from "../policy.ts";
import type { IkeSa } from "../sa.ts";
import { speaksRfc7427 } from "./announce.ts";
import { authOctets, type End, ownSecret, sharedKeyAuth } from "./octets.ts";

const authPayload = (method: number, data: Uint8Array): AuthPayload => ({
  kind: "AUTH",
  type: PAYLOAD.AUTH,
  method,
  data,
});

/** What EAP left as key once it has succeeded: its MSK, if the method makes one. */
export interface EapKey {
  MSK?: Uint8Array;
}

/** Our AUTH payload, after EAP the one that its key makes, and what goes with it; a string says why we cannot prove ourselves to this peer. */
export function prove(core: Core, sa: IkeSa, id: IdPayload, eap?: EapKey): Payload[] | string {
  const make = () => auth(core, sa, id, eap);
  const beside: Payload[] = [];
  for (const extension of core.options.extensions) {
    const more = extension.proving?.(core, sa, make) ?? [];
    if (typeof more === "string") return more;
    beside.push(...more);
  }
  const own = make();
  return typeof own === "string" ? own : [own, ...beside];
}

function auth(core: Core, sa: IkeSa, id: IdPayload, eap?: EapKey): AuthPayload | string {
  const { ownAuth, psk } = core.policy;
  const octets = authOctets(sa, sa.role, id, core);
  const byKey = (method: number, secret: Uint8Array) =>
    authPayload(method, sharedKeyAuth(sa, secret, octets));
  if (eap) return byKey(AUTH_METHOD.SHARED_KEY_MIC, eapSecret(sa, sa.role, eap));
  if (ownAuth.method === "psk") return byKey(AUTH_METHOD.SHARED_KEY_MIC, psk);
  if (ownAuth.method === "null") return byKey(AUTH_METHOD.NULL, ownSecret(sa, sa.role));
  if (ownAuth.method === "signature") return signed(core, sa, ownAuth, octets);
  return "no AUTH before EAP has ended";
}

/** The secret of AUTH after EAP: the MSK, or SK_p where the method makes no key (section 2.16). */
export const eapSecret = (sa: IkeSa, of: End, { MSK }: EapKey): Uint8Array => MSK ?? ownSecret(sa, of);

function signed(
  core: Core,
  sa: IkeSa,
  own: Extract<OwnAuth, { method: "signature" }>,
  octets: Uint8Array,
): AuthPayload | string {
  const { key } = own.credential;
  if (!speaksRfc7427(core, sa)) {
    const old = oldMethods.find((method) => method.fits(key));
    if (!old) return "the key fits none of the methods 1 and 9 to 11";
    return authPayload(old.method, old.sign(key, octets, core.random));
  }
  const scheme = chooseScheme(core, sa, own);
  if (!scheme) return "the peer announced no hash that our key can be used with";
  const { algorithmIdentifier } = scheme;
  const data = concat(
    Uint8Array.of(algorithmIdentifier.length),
    algorithmIdentifier,
    scheme.sign(key, octets, core.random),
  );
  return authPayload(AUTH_METHOD.DIGITAL_SIGNATURE, data);
}

/**
 * The scheme asked for, or the first one for this key, whose hash the peer announced (RFC 7427 section 4); by itself
 * never SHA-1 (RFC 8247 section 3.2).
 */
function chooseScheme(
  core: Core,
  sa: IkeSa,
  { credential, scheme }: Extract<OwnAuth, { method: "signature" }>,
): SignatureScheme | undefined {
  const announcedOnly = core.decide("hash of our signature", "announced by the peer") !== "any";
  return schemes.find(
    ({ name, fits, hash }) =>
      (scheme === undefined ? hash !== HASH.SHA1 : name === scheme) &&
      fits(credential.key) &&
      (!announcedOnly || sa.peerHashes.includes(hash)),
  );
}

/** CERT payloads of our chain, the own certificate first (section 3.6). */
export function certificates({ ownAuth }: Core["policy"]): Payload[] {
  if (ownAuth.method !== "signature") return [];
  return ownAuth.credential.chain.map((data) => ({
    kind: "CERT",
    type: PAYLOAD.CERT,
    encoding: CERT_ENCODING.X509_SIGNATURE,
    data,
  }));
}
