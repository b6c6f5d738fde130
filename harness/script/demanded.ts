/** What every implementation must have: only a peer that refuses this is at fault when it chooses nothing. */
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../wire/types.ts";

/** By transform type the ids at MUST: RFC 8247 for IKE (sections 2.1 to 2.4), RFC 8221 for ESP (sections 5 and 6). */
const DEMANDED: Record<number, Record<number, readonly number[]>> = {
  [PROTOCOL.IKE]: {
    [TRANSFORM.ENCR]: [12],
    [TRANSFORM.PRF]: [5],
    [TRANSFORM.INTEG]: [12],
    [TRANSFORM.KE]: [14],
  },
  [PROTOCOL.ESP]: {
    [TRANSFORM.ENCR]: [11, 12, 20],
    [TRANSFORM.INTEG]: [12],
    [TRANSFORM.KE]: [14],
    [TRANSFORM.SN]: [0],
  },
};

/** Keys of 192 bits are a MAY for the ciphers above. */
const ODD_KEY = 192;

const isUsualKey = ({ attributes }: Transform): boolean => attributes.every(({ value }) => value !== ODD_KEY);

/** Whether each transform type of the proposal has an alternative that the texts demand of everybody. */
export function isDemanded({ protocolId, transforms }: Proposal): boolean {
  const demanded = DEMANDED[protocolId] ?? {};
  const types = [...new Set(transforms.map(({ type }) => type))];
  return types.every((type) =>
    transforms.some((t) => t.type === type && demanded[type]?.includes(t.id) && isUsualKey(t)),
  );
}
