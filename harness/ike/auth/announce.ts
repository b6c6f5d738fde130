/** What IKE_SA_INIT announces about authentication: RFC 7427 section 4, RFC 6023, CERTREQ (RFC 7296 section 3.7). */
import { issuerHash } from "../../pki/path.ts";
import { concat } from "../../wire/bytes.ts";
import { CERT_ENCODING } from "../../wire/registry/cert-encodings.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { Payload } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import { notifies, notify } from "../payloads.ts";
import type { IkeSa } from "../sa.ts";

const usesSignatures = ({ policy: { ownAuth, peerAuth } }: Core): boolean =>
  ownAuth.method === "signature" || peerAuth.method === "signature";

/** SIGNATURE_HASH_ALGORITHMS, where a signature may be used at all. */
export function hashNotify(core: Core): Payload[] {
  const { signatureHashes } = core.policy;
  if (!usesSignatures(core) || signatureHashes.length === 0) return [];
  return [
    notify(
      NOTIFY.SIGNATURE_HASH_ALGORITHMS,
      Uint8Array.from(signatureHashes.flatMap((id) => [id >> 8, id & 255])),
    ),
  ];
}

/** What a responder adds to its IKE_SA_INIT response. */
export function responderAnnouncements(core: Core, request: Payload[]): Payload[] {
  const asked = notifies(request, NOTIFY.SIGNATURE_HASH_ALGORITHMS).length > 0;
  return [
    ...certificateRequest(core),
    ...(asked ? hashNotify(core) : []),
    ...(core.policy.childless === "never" ? [] : [notify(NOTIFY.CHILDLESS_IKEV2_SUPPORTED)]),
  ];
}

/** CERTREQ with the hashes of the public keys of the CAs we trust. */
export function certificateRequest({ policy: { peerAuth } }: Core): Payload[] {
  if (peerAuth.method !== "signature") return [];
  const data = concat(...peerAuth.trust.map(issuerHash));
  return [{ kind: "CERTREQ", type: PAYLOAD.CERTREQ, encoding: CERT_ENCODING.X509_SIGNATURE, data }];
}

/** More hash algorithms than IANA knows; what comes behind them in a notify of 64 KiB is not kept. */
const MOST_HASHES = 64;

/** Ids out of the peer's SIGNATURE_HASH_ALGORITHMS; unknown ones stay in, an odd octet at the end does not. */
export function announcedHashes(payloads: Payload[]): number[] {
  const ids = notifies(payloads, NOTIFY.SIGNATURE_HASH_ALGORITHMS).flatMap(({ data }) =>
    Array.from({ length: data.length >> 1 }, (_, i) => ((data[2 * i] ?? 0) << 8) | (data[2 * i + 1] ?? 0)),
  );
  return ids.slice(0, MOST_HASHES);
}

/** Whether both ends announced hashes, so that method 14 is the one for signatures (RFC 7427 section 3). */
export const speaksRfc7427 = (core: Core, sa: IkeSa): boolean =>
  core.policy.signatureHashes.length > 0 && sa.announced.has(NOTIFY.SIGNATURE_HASH_ALGORITHMS);
