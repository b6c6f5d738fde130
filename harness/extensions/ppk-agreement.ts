/** Which of the two ways to mix PPKs into the first IKE SA is agreed on: RFC 8784 section 3, RFC 9867 section 3.1. */
import type { Core } from "../ike/core.ts";
import type { Extension, IncomingMessage } from "../ike/hooks.ts";
import { hasNotify, notify } from "../ike/payloads.ts";
import type { Identity, Ppk, PpkUse } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { equal } from "../wire/bytes.ts";
import type { CodePointOverrides } from "../wire/documents/code-point.ts";
import { codePointOf } from "../wire/documents/code-point.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";

/** The notifies with their numbers for this peer. */
export interface PpkNumbers {
  USE_PPK_INT: number;
  PPK_IDENTITY_KEY: number;
}

export const ppkNumbers = (overrides?: CodePointOverrides): PpkNumbers => ({
  USE_PPK_INT: codePointOf("USE_PPK_INT", overrides),
  PPK_IDENTITY_KEY: codePointOf("PPK_IDENTITY_KEY", overrides),
});

const same = (a: Identity, b: Identity): boolean => a.type === b.type && equal(a.data, b.data);

/** The PPKs that we share with the owner of this identity. */
export function ppksFor(core: Core, owner: Identity): Ppk[] {
  const any = core.decide("PPK of another identity", "unknown") === "take";
  return core.policy.ppks.filter((ppk) => any || !ppk.for || same(ppk.for, owner));
}

/** Whether we are ready for PPKs in this exchange. A responder does not know yet who calls: some PPK is enough. */
export function usesPpk(core: Core, where: PpkUse, role: IkeSa["role"] = "responder"): boolean {
  const { remoteId, furtherRemoteIds = [], ppkIn } = core.policy;
  const owners = role === "initiator" ? [remoteId] : [remoteId, ...furtherRemoteIds];
  return ppkIn.includes(where) && owners.some((id) => ppksFor(core, id).length > 0);
}

/** The way that both ends are ready for, of those that the peer named; RFC 9867 before RFC 8784. */
function agreedWay(
  core: Core,
  role: IkeSa["role"],
  says: (notifyType: number) => boolean,
  { USE_PPK_INT }: PpkNumbers,
): PpkUse | undefined {
  const early = says(USE_PPK_INT) && says(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
  if (early && usesPpk(core, "IKE_INTERMEDIATE", role)) return "IKE_INTERMEDIATE";
  return says(NOTIFY.USE_PPK) && usesPpk(core, "IKE_AUTH", role) ? "IKE_AUTH" : undefined;
}

/** The way of this IKE SA once IKE_SA_INIT is over. */
export const wayOf = (core: Core, sa: IkeSa, numbers: PpkNumbers): PpkUse | undefined =>
  agreedWay(core, sa.role, (type) => sa.announced.has(type), numbers);

/** Announces PPKs in IKE_SA_INIT, and refuses who can do none where we insist. */
export function ppkAgreement(numbers: PpkNumbers): Extension {
  /** True if we insist on a PPK, and the other end's IKE_SA_INIT message leads to none. */
  const lacksPpk = (core: Core, role: IkeSa["role"], payloads: Payload[]): boolean =>
    core.policy.ppkRequired &&
    (usesPpk(core, "IKE_AUTH", role) || usesPpk(core, "IKE_INTERMEDIATE", role)) &&
    !agreedWay(core, role, (type) => hasNotify(payloads, type), numbers);
  return {
    name: "ppk-agreement",
    outgoing: ({ sa, header, isResponse, payloads }, core) => {
      if (!sa || header.exchangeType !== EXCHANGE.IKE_SA_INIT || !payloads.some((p) => p.kind === "SA"))
        return;
      // Section 3.1 of RFC 9867: an initiator may offer both ways, a responder takes one.
      const way = isResponse ? wayOf(core, sa, numbers) : undefined;
      const says = (use: PpkUse) => (isResponse ? way === use : usesPpk(core, use, sa.role));
      if (says("IKE_AUTH")) payloads.push(notify(NOTIFY.USE_PPK));
      if (says("IKE_INTERMEDIATE")) payloads.push(notify(numbers.USE_PPK_INT));
    },
    refusesInit: (core, { payloads }) =>
      lacksPpk(core, "responder", payloads) ? notify(NOTIFY.NO_PROPOSAL_CHOSEN) : undefined,
    refuses: (core, _sa, { header, payloads }: IncomingMessage) =>
      header.exchangeType === EXCHANGE.IKE_SA_INIT && lacksPpk(core, "initiator", payloads)
        ? "the responder does without a PPK"
        : undefined,
  };
}
