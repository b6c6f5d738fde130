/**
 * What a peer accepts though the octets that it got forbid it, whoever changed them: read from the wire, and not from
 * the names of operators.
 */
import { identity, sameIdentity } from "../../harness/ike/identity.ts";
import type { Identity } from "../../harness/ike/policy.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { validatePath } from "../../harness/pki/path.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { CERT_ENCODING } from "../../harness/wire/registry/cert-encodings.ts";
import { EAP_CODE } from "../../harness/wire/registry/eap.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD, payloadTypes } from "../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import type { Chain, Finding, Payload, Transform } from "../../harness/wire/types.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import type { PeerConfig, PeerRole } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import type { Setup } from "../setups.ts";
import { authFault, configOf, secretOf } from "./claims-auth.ts";
import { carries, hasError, provenAt } from "./claims-proof.ts";
import { type Heard, isFirst, type Said, saKey } from "./lint-heard.ts";
import type { Touched } from "./lint-touched.ts";
import type { CampaignMemory } from "./secrecy.ts";

export interface JudgeContext {
  setup: Setup;
  peer: PeerRole;
  /**
   * Certificates of the CAs that the peer trusts, in DER: `[(await pki()).ca]`. Not set, as for a peer that may hold a copy
   * of our certificate: ours are not judged.
   */
  trust?: readonly Uint8Array[];
  /** What its process said in the cases before. Not set: each case is judged alone. */
  memory?: CampaignMemory | undefined;
}

type Row = Pick<Alarm, "title" | "severity" | "signature"> & { id: string };

const requirementAlarm = ({ id, ...row }: Row, detail: string): Alarm => ({
  ...{ ...row, oracle: "requirement", requirement: { document: "rfc7296", id }, detail, alone: true },
});

/** A request of ours and the one response that can belong to it. */
interface Answered {
  request: Said;
  response: Said;
}

const spiI = ({ sa }: Said): string => sa.slice(0, sa.indexOf(":"));
const isInit = ({ exchangeType }: Said): boolean => exchangeType === EXCHANGE.IKE_SA_INIT;
/** That a type is not known says nothing against the form of a message. */
const isOrderly = (findings: Chain["findings"] = []): boolean =>
  findings.every(({ field }) => field === "payload type");
const isWhole = ({ seen, opened }: Said): boolean =>
  isOrderly(seen.message.findings) && (!opened || isOrderly(seen.inner?.findings));

const belongs = (request: Said, other: Said): boolean =>
  request.exchangeType === other.exchangeType &&
  request.messageId === other.messageId &&
  (isInit(request) ? spiI(request) === spiI(other) : request.sa === other.sa);

/** Requests that can be read to their end and have no rival of the same number, with what grants them something. */
function grantedIn({ ike }: Heard): Answered[] {
  const ours = ike.filter((said) => said.ours && !said.isResponse && said.seen.repeats === undefined);
  return ours.flatMap((request) => {
    const isSealed = request.opened || isInit(request);
    if (!isSealed || !isWhole(request) || ours.some((other) => other !== request && belongs(request, other)))
      return [];
    const response = ike.find(
      (said) =>
        !said.ours &&
        said.isResponse &&
        said.index > request.index &&
        belongs(request, said) &&
        (said.opened || isInit(said)),
    );
    return response && !hasError(response) ? [{ request, response }] : [];
  });
}

/** Numbers that nobody has assigned; those for private use mean nothing to who did not announce them. */
const isUnknown = ({ type }: Payload): boolean => type > 0 && payloadTypes.get(type) === undefined;

function overlookedCritical({ request, response }: Answered): Alarm[] {
  const critical = request.payloads.find((payload) => payload.critical && isUnknown(payload));
  const isGranted = !isInit(response) || carries(response, PAYLOAD.SA);
  if (!critical || !isGranted) return [];
  return [
    requirementAlarm(
      {
        title: "goes on with a request that has an unknown critical payload",
        ...{ signature: "accepts an unknown critical payload", severity: "medium", id: "IKEV2-096" },
      },
      `payload type ${critical.type}`,
    ),
  ];
}

const MAKES_CHILD: ReadonlySet<number> = new Set([EXCHANGE.IKE_AUTH, EXCHANGE.CREATE_CHILD_SA]);

const offersChild = ({ payloads }: Said): boolean =>
  payloads.some(
    (payload) =>
      payload.kind === "SA" && payload.proposals.some(({ protocolId }) => protocolId !== PROTOCOL.IKE),
  );

const lacksSelectors = ({ payloads }: Said): boolean =>
  [PAYLOAD.TSi, PAYLOAD.TSr].some(
    (type) =>
      !payloads.some(
        (payload) => payload.type === type && (payload.kind !== "TS" || payload.selectors.length > 0),
      ),
  );

function childWithoutSelectors({ request, response }: Answered): Alarm[] {
  if (!MAKES_CHILD.has(request.exchangeType) || !offersChild(request) || !lacksSelectors(request)) return [];
  if (!offersChild(response) || lacksSelectors(response)) return [];
  return [
    requirementAlarm(
      {
        title: "makes a Child SA for traffic that the request does not name",
        ...{ signature: "child without offered selectors", severity: "medium", id: "IKEV2-140" },
      },
      "a request without TSi or TSr, or without selectors in one of them",
    ),
  ];
}

/** The text binds who sends a nonce: to take one is unwise, and no more. */
function nonceOfWrongSize({ request, response }: Answered): Alarm[] {
  const [nonce, ...others] = request.payloads.filter((payload) => payload.kind === "Nonce");
  if (!nonce || others.length > 0 || (nonce.data.length >= 16 && nonce.data.length <= 256)) return [];
  if (!carries(response, PAYLOAD.SA) || !carries(response, PAYLOAD.NONCE)) return [];
  return [
    requirementAlarm(
      {
        title: "makes keys of a nonce whose size no sender may choose",
        signature: `accepts a nonce ${nonce.data.length < 16 ? "below 16" : "above 256"} octets`,
        ...{ severity: "low", id: "IKEV2-266" },
      },
      `${nonce.data.length} octets`,
    ),
  ];
}

/** An ESP header: SPI and sequence number. */
const ESP_NUMBERS = 8;

/** Echo requests that were answered more often than packets with different numbers left: one was delivered twice. */
function deliveredTwice({ entries }: Outcome): Alarm[] {
  const packets = new Set<string>();
  let replies = 0;
  for (const { event } of entries) {
    if (event.type === "datagram-sent") {
      const { kind, data } = partOf(event.datagram);
      if (kind === "esp") packets.add(hex(data.subarray(0, ESP_NUMBERS)));
    }
    if (event.type === "esp-received" && event.result.ok && event.inner?.echo?.reply) replies++;
  }
  if (packets.size === 0 || replies <= packets.size) return [];
  return [
    {
      ...{ oracle: "requirement", title: "delivers an ESP packet that it has delivered before" },
      ...{ signature: "accepts a replayed ESP packet", severity: "high", alone: true },
      requirement: { document: "rfc4303", id: "ESP-36" },
      detail: `${replies} replies to packets with ${packets.size} sequence numbers`,
    },
  ];
}

const bypass = (how: string, title: string, detail: string): Alarm => ({
  ...{ oracle: "state", title, signature: `bypass ${how}`, severity: "critical", detail, alone: true },
  requirement: { document: "rfc7296", id: "IKEV2-001" },
});

/**
 * What of ours cannot be read to its end, or not as every reader does: a careless peer may have found more in it, and AUTH
 * as well, than we see.
 */
const isUnread = ({ ours, opened, seen, ...said }: Said): boolean =>
  ours &&
  said.exchangeType !== EXCHANGE.IKE_SA_INIT &&
  !(opened && [...(seen.message.findings ?? []), ...(seen.inner?.findings ?? [])].every(hidesNothing));

/** Whether the payloads of the message are the same to whoever is less strict. */
const hidesNothing = ({ field }: Finding): boolean =>
  field === "payload type" || field.endsWith(" > reserved") || field.split(" > ").length > DEEP;

/** Parts of the name of a field in a payload; of one in a part of a payload there are more. */
const DEEP = 2;

/** Whether everything of ours can be read, and is what our endpoint meant to say: AUTH in it is AUTH on the wire. */
function isClear(sa: IkeSa, { entries }: Outcome, heard: Heard, proofs: readonly Said[]): boolean {
  if (heard.ike.some(isUnread) || heard.all.some(({ ours, seen }) => ours && seen.kind === "unreadable"))
    return false;
  const meant = entries.some(
    ({ event }) =>
      event.type === "sent" &&
      event.message.sa === sa &&
      [...event.message.payloads, ...event.message.clear].some(({ type }) => type === PAYLOAD.AUTH),
  );
  return proofs.length > 0 || !meant;
}

/** An IKE SA that the peer takes for established, and how we failed to prove ourselves in it. */
function bypassOf(
  sa: IkeSa,
  outcome: Outcome,
  { setup, trust }: JudgeContext,
  heard: Heard,
  touched: Touched,
): Alarm[] {
  const spis = saKey(sa);
  const proof = provenAt(heard, outcome.entries, spis, 0);
  if (proof === undefined) return [];
  const ours = heard.ike.filter((said) => said.ours && said.sa === spis && said.index < proof);
  const proofs = ours.filter((said) => said.opened && carries(said, PAYLOAD.AUTH));
  if (!isClear(sa, outcome, heard, proofs)) return [];
  if (proofs.length === 0)
    return [bypass("no AUTH", "takes an IKE SA for established without any AUTH", `SPIs ${spis}`)];
  const config = configOf(sa, setup);
  const early = config.testerAuth?.method === "eap" && beforeEapSuccess(ours, heard, spis, proof);
  if (early)
    return [bypass("EAP unfinished", "takes an IKE SA for established before EAP has succeeded", spis)];
  const certificate = trust && certificateFault(proofs, sa, config, trust);
  if (certificate)
    return [bypass(`certificate ${certificate}`, "takes a certificate that nobody vouches for", spis)];
  // What was agreed on in IKE_SA_INIT, and what AUTH covers, is certain only where that is honest.
  if (touched.request({ exchangeType: EXCHANGE.IKE_SA_INIT, messageId: 0, spiI: sa.spiI })) return [];
  if (missedRounds(sa, heard, spis, proof))
    return [bypass("rounds left out", "takes an IKE SA for established before its last key exchange", spis)];
  const secret = secretOf(sa, config, true, heard);
  const faults = secret ? proofs.map((said) => authFault(said, sa, secret)) : [];
  const [fault] = faults;
  if (fault === undefined || faults.includes(undefined)) return [];
  if (!faults.includes("right"))
    return [bypass(`AUTH ${fault}`, `takes an IKE SA for established with a wrong ${fault} of AUTH`, spis)];
  if (proofs.some((said) => isMeant(said, config))) return [];
  return [bypass("identity", "takes the secret of one identity from another", spis)];
}

/** Whether a message names whom the peer was told that we are. */
function isMeant({ payloads }: Said, { remoteId, furtherRemoteIds = [] }: PeerConfig): boolean {
  const meant = [remoteId, ...furtherRemoteIds].map(identity);
  return payloads.some(
    (payload) =>
      payload.kind === "ID" &&
      meant.some((id) => sameIdentity(plainly(id), plainly({ type: payload.idType, data: payload.data }))),
  );
}

/** Names are the same to many in capitals as well, and with a dot or a NUL at their end. */
const plainly = ({ type, data }: Identity): Identity => ({
  type,
  data: new TextEncoder().encode(
    Buffer.from(data)
      .toString("latin1")
      .toLowerCase()
      .replace(/[.\0\s]+$/, ""),
  ),
});

const isFurther = ({ type, id }: Transform): boolean =>
  type >= TRANSFORM.ADDKE1 && type <= TRANSFORM.ADDKE7 && id !== 0;

/** Whether fewer key exchanges were answered in IKE_INTERMEDIATE than were agreed on (RFC 9370 section 2.2.2). */
function missedRounds({ proposal }: IkeSa, { ike }: Heard, spis: string, proof: number): boolean {
  const agreed = proposal?.transforms.filter(isFurther).length ?? 0;
  const rounds = ike.filter(
    (said) =>
      said.sa === spis &&
      said.isResponse &&
      said.index < proof &&
      said.exchangeType === EXCHANGE.IKE_INTERMEDIATE &&
      said.seen.opening !== "icv",
  );
  return rounds.length < agreed;
}

/** Faults that no two readers of a certificate see otherwise. */
const CERTAIN: ReadonlySet<string> = new Set([
  ...["bad signature", "unknown issuer", "expired", "not yet valid"],
]);

/** What is wrong with each end certificate that we showed; undefined if one is in order, or that cannot be said. */
function certificateFault(
  proofs: readonly Said[],
  sa: IkeSa,
  { testerAuth }: PeerConfig,
  trust: readonly Uint8Array[],
): string | undefined {
  const type = sa.role === "initiator" ? PAYLOAD.IDi : PAYLOAD.IDr;
  const faults = proofs.map(({ payloads }) => {
    const id = payloads.find((payload) => payload.kind === "ID" && payload.type === type);
    const chain = payloads.flatMap((payload) =>
      payload.kind === "CERT" && payload.encoding === CERT_ENCODING.X509_SIGNATURE ? [payload.data] : [],
    );
    if (id?.kind !== "ID" || chain.length === 0) return undefined;
    const path = validatePath(chain, [...trust], { type: id.idType, data: id.data }, Date.now());
    return "because" in path && CERTAIN.has(path.because) ? path.because : undefined;
  });
  return testerAuth?.method === "signature" && !faults.includes(undefined) ? faults[0] : undefined;
}

/** Whether the first request asked for EAP, and the SA came before the responder said Success. */
function beforeEapSuccess(ours: readonly Said[], { ike }: Heard, spis: string, proof: number): boolean {
  const first = ours.find((said) => said.opened && carries(said, PAYLOAD.IDi));
  if (!first || first.isResponse || carries(first, PAYLOAD.AUTH)) return false;
  return !ike.some(
    (said) =>
      !said.ours &&
      said.sa === spis &&
      said.index <= proof &&
      said.payloads.some((payload) => payload.kind === "EAP" && payload.code === EAP_CODE.SUCCESS),
  );
}

/** Alarms of what is accepted; nothing in a conversation without changes. */
export function acceptedAlarms(
  outcome: Outcome,
  context: JudgeContext,
  heard: Heard,
  touched: Touched,
): Alarm[] {
  if (!touched.any) return [];
  const begun = outcome.claims.filter(({ sa, authentic }) => !authentic && isFirst(sa));
  return [
    ...begun.flatMap(({ sa }) => bypassOf(sa, outcome, context, heard, touched)),
    ...(context.setup.wishes.config?.replayWindow === 0 ? [] : deliveredTwice(outcome)),
    ...grantedIn(heard).flatMap((answered) => [
      ...overlookedCritical(answered),
      ...childWithoutSelectors(answered),
      ...nonceOfWrongSize(answered),
    ]),
  ];
}
