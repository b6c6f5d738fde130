/** Offers of PPKs with a proof that both ends have the same: RFC 9867 section 3. */
import type { Prf } from "../crypto/types.ts";
import type { Core } from "../ike/core.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import { concat, equal } from "../wire/bytes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";

/** Octets of PPK Confirmation. */
const CONFIRMATION = 8;

/** Data of PPK_IDENTITY_KEY: the PPK_ID and the first octets of prf(PPK, seed). */
export const ppkOffer = (prf: Prf, { id, secret }: Ppk, seed: Uint8Array): Uint8Array =>
  concat(id, prf.compute(secret, seed).subarray(0, CONFIRMATION));

/** One PPK_IDENTITY_KEY for each. */
export const ppkOffers = (notifyType: number, ppks: Ppk[], prf: Prf, seed: Uint8Array): NotifyPayload[] =>
  ppks.map((ppk) => notify(notifyType, ppkOffer(prf, ppk, seed)));

const idOf = (data: Uint8Array): Uint8Array => data.subarray(0, -CONFIRMATION);

/** The first of the offered that we have with the same value. However many there are, each of ours is computed once. */
export function matchingPpk(
  core: Core,
  offers: NotifyPayload[],
  ppks: Ppk[],
  prf: Prf,
  seed: Uint8Array,
): Ppk | undefined {
  const ours = ppks.map((ppk) => ({ ppk, data: ppkOffer(prf, ppk, seed) }));
  const overlook = core.decide("PPK Confirmation", "check") === "overlook";
  const considered =
    core.decide("PPK_IDENTITY_KEY", "all of them") === "all of them" ? offers : offers.slice(0, 1);
  for (const { data } of considered) {
    // Without an octet for the type there is no PPK_ID.
    if (data.length <= CONFIRMATION) continue;
    const found = ours.find((own) => equal(own.data, data) || (overlook && equal(own.ppk.id, idOf(data))));
    if (found) return found.ppk;
  }
  return undefined;
}

/** What a response says: the PPK that was chosen out of `offered`, nothing, or why it cannot be taken. */
export function chosenPpk(core: Core, response: Payload[], offered: Ppk[]): Ppk | string | undefined {
  const [identity] = notifies(response, NOTIFY.PPK_IDENTITY);
  if (!identity) return undefined;
  const chosen = offered.find(({ id }) => equal(id, identity.data));
  if (chosen) return chosen;
  const manner = core.decide("PPK_IDENTITY that was not offered", "refuse");
  if (manner === "refuse") return "the responder chose a PPK that was not offered";
  return manner === "take the first" ? offered[0] : undefined;
}
