/** Offers of PPKs with a proof that both ends have the same: RFC 9867 section 3. */
import type { Prf } from "../crypto/types.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import { concat, equal } from "../wire/bytes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";

/** Octets of PPK Confirmation. */
export const CONFIRMATION = 8;

/** The first octets of prf(PPK, seed). */
const confirm = (prf: Prf, { secret }: Ppk, seed: Uint8Array): Uint8Array =>
  prf.compute(secret, seed).subarray(0, CONFIRMATION);

/** One PPK_IDENTITY_KEY for each. */
export const ppkOffers = (notifyType: number, ppks: Ppk[], prf: Prf, seed: Uint8Array): NotifyPayload[] =>
  ppks.map((ppk) => notify(notifyType, concat(ppk.id, confirm(prf, ppk, seed))));

/** The first of the offered that we have with the same value. */
export function matchingPpk(
  offers: NotifyPayload[],
  ppks: Ppk[],
  prf: Prf,
  seed: Uint8Array,
): Ppk | undefined {
  for (const { data } of offers) {
    const id = data.subarray(0, -CONFIRMATION);
    const ppk = data.length > CONFIRMATION ? ppks.find((p) => equal(p.id, id)) : undefined;
    if (ppk && equal(data.subarray(-CONFIRMATION), confirm(prf, ppk, seed))) return ppk;
  }
  return undefined;
}

/** What a response says: the PPK that was chosen, nothing, or why it cannot be taken. */
export function chosenPpk(response: Payload[], ppks: Ppk[]): Ppk | string | undefined {
  const [identity] = notifies(response, NOTIFY.PPK_IDENTITY);
  if (!identity) return undefined;
  return ppks.find(({ id }) => equal(id, identity.data)) ?? "the responder chose a PPK that was not offered";
}
