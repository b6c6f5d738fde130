/** What the tests of IKE_INTERMEDIATE, additional key exchanges and PPKs have in common: RFC 9242, RFC 9370, RFC 8784, RFC 9867. */
import type { IkeSa } from "../ike/sa.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** Methods of the KE payloads in exchanges of this type, each request's before its response's. */
export function keMethods(
  s: Script,
  by: "us" | "peer",
  exchangeType: number = EXCHANGE.IKE_INTERMEDIATE,
): number[] {
  return s.trace
    .exchangesOf(exchangeType, by)
    .flatMap(({ request, response }) => [...request.payloads, ...(response?.payloads ?? [])])
    .flatMap((p) => (p.kind === "KE" ? [p.group] : []));
}

/** Fails unless one exchange of this type took place for each of the methods, in this order, with no other. */
export function expectRounds(
  s: Script,
  by: "us" | "peer",
  methods: readonly number[],
  exchangeType: number = EXCHANGE.IKE_INTERMEDIATE,
): void {
  const expected = methods.flatMap((method) => [method, method]).join(", ");
  const seen = keMethods(s, by, exchangeType).join(", ");
  if (seen !== expected) throw new Failure(`KE payloads of the methods ${expected}`, seen || "none");
}

/**
 * What comes between IKE_SA_INIT and IKE_AUTH, and IKE_AUTH, whatever comes of it. Nothing is waited for any more once the peer,
 * silent here, has answered a stranger.
 */
export async function authOnce(s: Script, sa: IkeSa): Promise<void> {
  let ended = false;
  s.host.endpoint.auth(sa, {}, () => {
    ended = true;
  });
  s.host.settle();
  await s.untilAnswered(() => ended, s.arena.quiet);
}

/** Our endpoint forgets an IKE SA of which nothing will come. */
export const forget = (s: Script, sa: IkeSa): void =>
  s.host.endpoint.core.closeIke(sa, "the test is done with it");

/** Ends the test as unsupported if the peer did not announce IKE_INTERMEDIATE. */
export function needIntermediate<T extends Pick<Session, "sa">>(session: T): T {
  if (session.sa.announced.has(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED)) return session;
  throw new Unsupported("the peer did not announce INTERMEDIATE_EXCHANGE_SUPPORTED");
}
