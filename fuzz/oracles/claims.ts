/** What our own end claims: an IKE SA of ours that is established must be proven, by whom it was meant to be, and with the same keys at both ends. */
import { identity, sameIdentity } from "../../harness/ike/identity.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import type { Setup } from "../setups.ts";
import { authFault, configOf, secretOf } from "./claims-auth.ts";
import { carries } from "./claims-proof.ts";
import { type Heard, isFirst, type Said, saKey } from "./lint-heard.ts";
import type { Touched } from "./lint-touched.ts";

const AUTHENTICATING: ReadonlySet<number> = new Set([EXCHANGE.IKE_AUTH, EXCHANGE.GSA_AUTH]);

const ourFault = (what: string, detail: string): Alarm => ({
  ...{
    oracle: "state",
    title: `our own endpoint, not the peer: ${what}`,
    signature: `own endpoint: ${what}`,
  },
  ...{ severity: "critical", detail, alone: true },
});

/** Why an IKE SA of ours is not proven although we hold it for established. */
function ownFault(sa: IkeSa, setup: Setup, heard: Heard, touched: Touched): string | undefined {
  const spis = saKey(sa);
  const proofs = heard.ike.filter(
    (said) =>
      !said.ours &&
      said.sa === spis &&
      said.opened &&
      AUTHENTICATING.has(said.exchangeType) &&
      carries(said, PAYLOAD.AUTH),
  );
  if (proofs.length === 0) return "an IKE SA without AUTH of the peer";
  const config = configOf(sa, setup);
  if (!sa.remoteIdentity || !sameIdentity(sa.remoteIdentity, identity(config.localId)))
    return "an IKE SA with another identity than the configured one";
  const secret = touched.any ? undefined : secretOf(sa, config, false, heard);
  if (secret === undefined) return undefined;
  const faults = proofs.map((said) => authFault(said, sa, secret));
  return faults.includes("right") || faults.includes(undefined) ? undefined : "an IKE SA with wrong AUTH";
}

/** Judges what we made ourselves: it would be a bug of ours, not a finding about the peer. */
function ownAlarms({ entries }: Outcome, setup: Setup, heard: Heard, touched: Touched): Alarm[] {
  return entries.flatMap(({ event }) => {
    if (event.type !== "ike-established" || !isFirst(event.sa)) return [];
    const fault = ownFault(event.sa, setup, heard, touched);
    return fault === undefined ? [] : [ourFault(fault, `SPIs ${saKey(event.sa)}`)];
  });
}

/** A message of the peer in an IKE SA that both ends have, which does not open. */
const isClosed = ({ ours, seen }: Said): boolean => !ours && seen.opening === "icv";

/** Judged in honest conversations alone: our lies about keys and nonces make keys differ, too. */
function keyAlarms({ entries }: Outcome, { ike }: Heard): Alarm[] {
  const alarm = (what: string): Alarm => ({
    ...{ oracle: "state", title: `has other keys than we for ${what}`, signature: `keys differ ${what}` },
    ...{ severity: "high", detail: "what it sends does not open, in an honest conversation", alone: true },
  });
  const established = new Set(
    entries.flatMap(({ event }) => (event.type === "ike-established" ? [saKey(event.sa)] : [])),
  );
  const isEspClosed = entries.some(
    ({ event }) => event.type === "esp-received" && !event.result.ok && event.result.reason === "icv",
  );
  return [
    ...(ike.some((said) => isClosed(said) && established.has(said.sa)) ? [alarm("an IKE SA")] : []),
    ...(isEspClosed ? [alarm("a Child SA")] : []),
  ];
}

/** Alarms about what both ends agreed on. */
export const claimAlarms = (outcome: Outcome, setup: Setup, heard: Heard, touched: Touched): Alarm[] => [
  ...ownAlarms(outcome, setup, heard, touched),
  ...(touched.any ? [] : keyAlarms(outcome, heard)),
];
