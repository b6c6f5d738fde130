/** IKE_FOLLOWUP_KE as a test sees it: RFC 9370 section 2.2.4. */
import type { PeerConfig } from "../../peers/contract.ts";
import { followUp, type LinkMaker } from "../extensions/follow-up.ts";
import { additionalMethods } from "../ike/additional-ke.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { errorNotify, notifies, payload } from "../ike/payloads.ts";
import { equal } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { expectAlive, inMessage, listPayloads, mindNoAdditionalSas, require } from "./expectations.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure } from "./verdicts.ts";

/** What is rekeyed. */
export type Rekeyed = "child-sa" | "ike-sa";

/** Both, each with another role of the peer in the first IKE SA: for tests to which it is all one which end began that. */
export const EITHER_SA = [
  ["child-sa", "responder"],
  ["ike-sa", "initiator"],
] as const;

/**
 * Tells the peer additional key exchanges for the rekeying of one of the two, as `ke1_ecp256`: classical methods, which
 * every peer of RFC 9370 has.
 */
export const withFollowUps = (what: Rekeyed, additional: string): Partial<PeerConfig> =>
  what === "child-sa"
    ? { espProposals: [`aes256gcm16-x25519-${additional}`] }
    : { ikeProposals: [`aes256-sha256-x25519-${additional}`] };

/** Has this end replace the newest Child SA or the IKE SA, and gives the session that is left then. */
export async function rekey(session: Session, what: Rekeyed, by: "us" | "peer"): Promise<Session> {
  if (what === "ike-sa") return by === "us" ? session.rekeyIke() : session.peerRekeysIke();
  if (by === "us") await session.rekeyChild();
  else await session.peerRekeysChild();
  return session;
}

/** The same by us, whatever comes of it; a string says why there is nothing new. */
export const tryRekey = (session: Session, what: Rekeyed): Promise<unknown> =>
  what === "ike-sa" ? session.tryRekeyIke() : session.tryCreateChild({ replaces: session.child });

/** Begins that, and does not wait for it. */
export function beginRekey({ script, sa, child }: Session, what: Rekeyed): { result?: unknown } {
  const begun: { result?: unknown } = {};
  const done = (result: unknown): void => {
    begun.result = result;
  };
  const { endpoint } = script.host;
  if (what === "ike-sa") endpoint.rekeyIke(sa, {}, done);
  else endpoint.rekeyChild(child, {}, done);
  script.host.settle();
  return begun;
}

/** The session of the newest IKE SA that stands. */
export function newest({ script, sa }: Session): Session {
  const standing = script.trace.ikeSas().findLast(({ state }) => state === "established");
  return new Session(script, standing ?? sa);
}

/** The verb of the peer's driver for that. */
export const rekeyVerb = ({ arena }: Script, what: Rekeyed): (() => Promise<void>) =>
  what === "ike-sa" ? () => arena.driver.rekeyIke() : () => arena.driver.rekeyChild();

/** The newest CREATE_CHILD_SA that this end began, and the IKE_FOLLOWUP_KE exchanges behind it. */
export function seriesOf(s: Script, by: "us" | "peer"): Exchange[] {
  const all = s.trace.exchanges.filter((e) => e.by === by);
  const first = all.findLastIndex((e) => e.exchangeType === EXCHANGE.CREATE_CHILD_SA);
  const types: number[] = [EXCHANGE.CREATE_CHILD_SA, EXCHANGE.IKE_FOLLOWUP_KE];
  return first < 0 ? [] : all.slice(first).filter((e) => types.includes(e.exchangeType));
}

/** The IKE_FOLLOWUP_KE exchanges that this end began. */
export const followUpsOf = (s: Script, by: "us" | "peer"): Exchange[] =>
  s.trace.exchangesOf(EXCHANGE.IKE_FOLLOWUP_KE, by);

export const linksIn = (payloads: Payload[]): NotifyPayload[] =>
  notifies(payloads, NOTIFY.ADDITIONAL_KEY_EXCHANGE);

/** Fails unless there is one of these notifies, without Protocol ID and SPI. */
function oneLink(payloads: Payload[], where: string): NotifyPayload {
  const [link, ...more] = linksIn(payloads);
  if (!link || more.length > 0)
    throw new Failure(`one ADDITIONAL_KEY_EXCHANGE in ${where}`, listPayloads({ payloads }), { payloads });
  require(link.protocolId === 0 &&
    link.spi.length ===
      0, `Protocol ID 0 and SPI Size 0 in ADDITIONAL_KEY_EXCHANGE in ${where}`, `Protocol ID ${link.protocolId}, SPI Size ${link.spi.length}`, inMessage(
    { payloads },
    "N(ADDITIONAL_KEY_EXCHANGE)",
  ));
  return link;
}

/**
 * Fails unless the newest series of this end is whole: these methods were chosen, in this order, and each has one
 * exchange of its own; ADDITIONAL_KEY_EXCHANGE is in every response but the last, and comes back as it was.
 */
export function expectSeries(s: Script, by: "us" | "peer", methods: readonly number[]): void {
  const [create, ...rounds] = seriesOf(s, by);
  if (create?.response) mindNoAdditionalSas(create.response);
  const [chosen] = payload(create?.response?.payloads ?? [], "SA")?.proposals ?? [];
  const choice = chosen ? additionalMethods(chosen).join(", ") : "no SA payload";
  require(choice ===
    methods.join(", "), `the additional methods ${methods.join(", ")} chosen`, choice, inMessage(
    create?.response,
    "SA",
  ));
  require(rounds.length === methods.length, `${methods.length} IKE_FOLLOWUP_KE`, `${rounds.length}`);
  let before = create?.response?.payloads ?? [];
  rounds.forEach(({ request, response }, i) => {
    const link = oneLink(before, i === 0 ? "the CREATE_CHILD_SA response" : `response ${i}`);
    const echoed = oneLink(request.payloads, `request ${i + 1}`);
    require(equal(
      link.data,
      echoed.data,
    ), "the link as it came", `${echoed.data.length} other octets`, inMessage(
      request,
      "N(ADDITIONAL_KEY_EXCHANGE) > data",
    ));
    for (const message of [request, response]) expectMethod(message?.payloads ?? [], methods[i]);
    before = response?.payloads ?? [];
  });
  require(linksIn(before).length === 0, "no ADDITIONAL_KEY_EXCHANGE in the last response", "one", inMessage(
    { payloads: before },
    "N(ADDITIONAL_KEY_EXCHANGE)",
  ));
}

function expectMethod(payloads: Payload[], method: number | undefined): void {
  const groups = payloads.flatMap((p) => (p.kind === "KE" ? [p.group] : []));
  require(groups.length === 1 && groups[0] === method, `one KE payload, of method ${method}`, groups.join(
    ", ",
  ), inMessage({ payloads }, groups.length === 1 ? "KE > group" : undefined));
}

/** Proves that what was made is used at both ends: the IKE SA answers, and traffic passes. */
export async function expectUsed(session: Session): Promise<void> {
  await expectAlive(session);
  await session.proveTraffic();
}

/** Makes the links of our responses in another way than by 8 random octets. */
export function makeLinks(s: Script, link: LinkMaker): void {
  const at = s.extensions.findIndex((e) => e.name === "multiple-ke");
  const { [at]: ordinary } = s.extensions;
  if (ordinary) s.extensions[at] = { ...ordinary, ...followUp(link), name: ordinary.name };
}

/** Changes the data of ADDITIONAL_KEY_EXCHANGE in our requests; undefined leaves the notify out. The returned function ends that. */
export function changeLinks(s: Script, change: (data: Uint8Array) => Uint8Array | undefined): () => void {
  return s.change(EXCHANGE.IKE_FOLLOWUP_KE, (message) => {
    message.payloads = message.payloads.flatMap((p) => {
      if (p.kind !== "Notify" || p.notifyType !== NOTIFY.ADDITIONAL_KEY_EXCHANGE) return [p];
      const data = change(p.data);
      return data ? [{ ...p, data }] : [];
    });
  });
}

/** Fails unless this says STATE_NOT_FOUND and nothing more. */
export function expectStateNotFound(response: { payloads: Payload[] } | undefined): void {
  const [state] = notifies(response?.payloads ?? [], NOTIFY.STATE_NOT_FOUND);
  if (!state) throw new Failure("N(STATE_NOT_FOUND)", listPayloads(response), inMessage(response));
  const { protocolId, spi, data } = state;
  require(protocolId === 0 &&
    spi.length === 0 &&
    data.length ===
      0, "STATE_NOT_FOUND with Protocol ID 0, SPI Size 0 and no data", `Protocol ID ${protocolId}, SPI Size ${spi.length}, ${data.length} octets of data`, inMessage(
    response,
    "N(STATE_NOT_FOUND)",
  ));
}

/** Fails unless the peer refused this IKE_FOLLOWUP_KE, with whichever error. */
export function expectRefusedRound(response: { payloads: Payload[] } | undefined): void {
  if (!response || !errorNotify(response.payloads))
    throw new Failure(
      "an error in the IKE_FOLLOWUP_KE response",
      listPayloads(response),
      inMessage(response),
    );
}

/**
 * Has our series stop between CREATE_CHILD_SA and its first IKE_FOLLOWUP_KE, so that the window is free for others;
 * `resume` goes on with all of them, the newest first.
 */
export function pauseSeries(s: Script): { paused: () => number; resume: () => void } {
  const at = s.extensions.findIndex((e) => e.name === "multiple-ke");
  const { [at]: ordinary } = s.extensions;
  const waiting: (() => void)[] = [];
  if (ordinary)
    s.extensions[at] = {
      ...ordinary,
      continues: (core, sa, proposal, ...rest) => {
        if (additionalMethods(proposal).length === 0) return false;
        waiting.push(() => void ordinary.continues?.(core, sa, proposal, ...rest));
        return true;
      },
    };
  return {
    paused: () => waiting.length,
    resume: () => {
      if (ordinary) s.extensions[at] = ordinary;
      for (const go of waiting.toReversed()) go();
      s.host.settle();
    },
  };
}

/** Fails unless our CREATE_CHILD_SA came to where a paused series waits. */
export async function untilPaused(s: Script, paused: () => number): Promise<void> {
  if (!(await s.until(() => paused() > 0))) throw withoutSeries(s);
}

function withoutSeries(s: Script): Failure {
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (response) mindNoAdditionalSas(response);
  return new Failure("a choice of additional key exchanges", listPayloads(response), inMessage(response));
}

/** What came of our newest IKE_FOLLOWUP_KE. */
export function ourFollowUp(s: Script): Exchange {
  const found = followUpsOf(s, "us").at(-1);
  if (!found) throw withoutSeries(s);
  return found;
}

/** Replaces the KE payloads of a message of ours. */
export const changeKe =
  (change: (ke: Extract<Payload, { kind: "KE" }>) => Payload[]) =>
  (message: OutgoingMessage): void => {
    message.payloads = message.payloads.flatMap((p) => (p.kind === "KE" ? change(p) : [p]));
  };

/** A KE payload with a point that is none, for requests in which nobody has to look at it. */
export const anyKe = (): Payload => ({
  ...{ kind: "KE", type: PAYLOAD.KE, group: 19 },
  data: new Uint8Array(64).fill(7),
});
