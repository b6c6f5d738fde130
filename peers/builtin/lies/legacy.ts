/** Lies of a peer that speaks no draft: what unknown notifies, exchanges and packets do to it. */
import type { EspExtension } from "../../../harness/esp/hooks.ts";
import type { OpenResult } from "../../../harness/esp/inbound.ts";
import type { Core } from "../../../harness/ike/core.ts";
import type { IncomingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import { concat, EMPTY, fromHex, readU32 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { AuthPayload, IdPayload, Proposal } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";

const ECHO = 144;
const REPLY = 3;
const ECHO_SPIS: readonly number[] = [7, 8];
const SHORTEST = 12;
const DRAFT_NOTIFIES = [
  NOTIFY.ESP_ECHO_SUPPORTED,
  NOTIFY.ENCRYPTED_PING_SUPPORTED,
  NOTIFY.ANTI_REPLAY_STATUS,
  NOTIFY.REPLAY_PROT_AND_ESN_STATUS,
  NOTIFY.ANTI_REPLAY_SUBSPACES,
];
const GROUP_ERRORS = [NOTIFY.INVALID_GROUP_ID, NOTIFY.AUTHORIZATION_FAILED, NOTIFY.REGISTRATION_FAILED];
const GROUP_EXCHANGES: readonly number[] = [
  EXCHANGE.GSA_AUTH,
  EXCHANGE.GSA_REGISTRATION,
  EXCHANGE.GSA_REKEY,
  EXCHANGE.GSA_INBAND_REKEY,
];

const hasOne = ({ payloads }: IncomingMessage, types: readonly number[]): boolean =>
  types.some((type) => hasNotify(payloads, type));

const isDeafTo = (matches: (message: IncomingMessage) => boolean): LieBehaviour => ({
  ike: { incoming: (message) => (matches(message) ? "drop" : undefined) },
});

const isEcho = (octets: Uint8Array): boolean => octets.length >= 4 && ECHO_SPIS.includes(readU32(octets, 0));

const isUnknownInside = (result: OpenResult): boolean => result.ok && result.nextHeader === ECHO;

/** Receives no ESP any more once `count` strays came of which this is true. */
function stopsAtStrays(matches: (octets: Uint8Array) => boolean, count = 1): LieBehaviour {
  let came = 0;
  return {
    esp: {
      stray: (octets) => {
        if (matches(octets)) came++;
        return [];
      },
      incoming: (result) => (came < count ? result : { ok: false, reason: "spi", detail: "a lie" }),
    },
  };
}

function stopsAtUnknownInside(): LieBehaviour {
  let stopped = false;
  const incoming: EspExtension["incoming"] = (result) => {
    stopped ||= isUnknownInside(result);
    return stopped ? { ok: false, reason: "spi", detail: "a lie" } : result;
  };
  return { esp: { incoming } };
}

/** Hears no IKE any more once a plain echo packet came. */
function goesDeaf(): LieBehaviour {
  let deaf = false;
  return {
    ike: { incoming: () => (deaf ? "drop" : undefined) },
    esp: {
      stray: (octets) => {
        deaf ||= isEcho(octets);
        return [];
      },
    },
  };
}

/** Numbers that came with an unknown inner protocol do not count: what is too old for them is taken. */
function overlooksNumbers(): LieBehaviour {
  let overlooked = false;
  const incoming: EspExtension["incoming"] = (result, reopen) => {
    overlooked ||= isUnknownInside(result);
    const old = overlooked && !result.ok && result.reason === "replay";
    return old ? reopen({ window: { enabled: false } }) : result;
  };
  return { esp: { incoming } };
}

/** Sends the subspace and the whole number in the header once the notify for it came, agreed or not. */
function sendsSubspaces(): LieBehaviour {
  let asked = false;
  return {
    ike: {
      incoming: (message) => {
        asked ||= hasOne(message, [NOTIFY.ANTI_REPLAY_SUBSPACES]);
        return undefined;
      },
    },
    esp: {
      outgoing: (packet) => {
        if (!asked) return;
        packet.octets = (octets) => [concat(octets.subarray(0, 4), new Uint8Array(4), octets.subarray(4))];
      },
    },
  };
}

const espLies = [
  lie("stops-at-unknown-inner-protocols", "ESP-PING-L2", "takes no ESP after Next Header 144", () =>
    stopsAtUnknownInside(),
  ),
  lie("answers-encrypted-echo-requests-unasked", "ESP-PING-L2", "replies with Next Header 144", () => ({
    esp: {
      delivered: ({ pipe, packet: { payload, nextHeader } }, plane) => {
        if (nextHeader !== ECHO || payload.length === 0) return;
        plane.sendEsp(pipe, concat(Uint8Array.of(REPLY), payload.subarray(1)), ECHO);
      },
    },
  })),
  lie(
    "overlooks-the-numbers-of-unknown-inner-protocols",
    "ESP-PING-L2",
    "the replay window stays where it was",
    () => overlooksNumbers(),
  ),
  lie("answers-plain-echo-requests-unasked", "ESP-PING-L3", "sends SPI 8 for SPI 7", () => ({
    esp: { stray: (octets) => (isEcho(octets) ? [concat(fromHex("00000008"), octets.subarray(4))] : []) },
  })),
  lie("stops-at-plain-echo-packets", "ESP-PING-L3", "takes no ESP after SPI 7 or 8", () =>
    stopsAtStrays(isEcho),
  ),
  lie("stops-at-short-plain-packets", "ESP-PING-L3", "takes no ESP after a stray below 12 octets", () =>
    stopsAtStrays((octets) => octets.length < SHORTEST),
  ),
  lie("stops-at-the-100th-plain-echo-packet", "ESP-PING-L3", "takes no ESP after 100 strays", () =>
    stopsAtStrays(isEcho, 100),
  ),
  lie("goes-deaf-after-plain-echo-packets", "ESP-PING-L3", "takes no IKE after SPI 7 or 8", () => goesDeaf()),
  lie("sends-subspaces-unasked", "ARS-14", "an ESP header of 12 octets", () => sendsSubspaces()),
];

/** Takes an exchange of a group for IKE_AUTH, and says its own number in the answer. */
function authenticatesByAny(): LieBehaviour {
  let taken: number | undefined;
  return {
    ike: {
      incoming: (message) => {
        const { header, sa, isResponse } = message;
        if (isResponse || !sa || sa.established || !GROUP_EXCHANGES.includes(header.exchangeType))
          return undefined;
        taken = header.exchangeType;
        header.exchangeType = EXCHANGE.IKE_AUTH;
        return undefined;
      },
      outgoing: ({ header, isResponse }) => {
        if (!isResponse || header.exchangeType !== EXCHANGE.IKE_AUTH || taken === undefined) return;
        header.exchangeType = taken;
        taken = undefined;
      },
    },
  };
}

const anyone: IdPayload = { kind: "ID", type: PAYLOAD.IDr, idType: ID_TYPE.ID_FQDN, data: EMPTY };
const unproven: AuthPayload = { kind: "AUTH", type: PAYLOAD.AUTH, method: 2, data: new Uint8Array(32) };

/** Takes the IKE SA for established, whatever the refusal says. */
const overlooksRefusals = (): LieBehaviour => ({
  ike: {
    decide: { "wrong AUTH": "accept", "wrong identity": "accept" },
    incoming: (message) => {
      if (message.isResponse && hasOne(message, GROUP_ERRORS)) message.payloads = [anyone, unproven];
      return undefined;
    },
  },
});

const closeAll = (core: Core): true => {
  for (const sa of [...core.sas.values()]) core.closeIke(sa, "a lie");
  return true;
};

const isOfGroups = ({ protocolId }: Proposal): boolean => protocolId === PROTOCOL.GIKE_UPDATE;

const belongsToGroups = (proposal: Proposal): boolean =>
  isOfGroups(proposal) || proposal.transforms.some((t) => t.type === TRANSFORM.KWA);

/** Reads a protocol that it does not know as the one that it wants. */
function readsAnyProtocol(message: IncomingMessage): undefined {
  const initial = message.header.exchangeType === EXCHANGE.IKE_SA_INIT;
  for (const p of message.payloads) {
    if (p.kind !== "SA" || message.isResponse) continue;
    for (const proposal of p.proposals.filter(isOfGroups)) {
      proposal.protocolId = initial ? PROTOCOL.IKE : PROTOCOL.ESP;
      proposal.spi = proposal.spi.subarray(0, initial ? 0 : 4);
    }
  }
}

const VERSION_1 = 0x10;
const VERSION_AT = 17;
const IKE_HEADER = 28;

const ikeLies = [
  lie("drops-messages-with-notifies-of-drafts", "ARN-106", "does not ignore the status of a draft", () =>
    isDeafTo((message) => hasOne(message, DRAFT_NOTIFIES)),
  ),
  lie("drops-messages-with-group-sender", "G-IKEV2-L5", "does not ignore GROUP_SENDER", () =>
    isDeafTo((message) => hasOne(message, [NOTIFY.GROUP_SENDER])),
  ),
  lie("drops-requests-with-group-errors", "G-IKEV2-L5", "does not ignore unknown errors in requests", () =>
    isDeafTo((message) => !message.isResponse && hasOne(message, GROUP_ERRORS)),
  ),
  lie(
    "overlooks-group-errors-in-responses",
    "G-IKEV2-L6",
    "takes a refusal for an IKE SA",
    overlooksRefusals,
  ),
  lie("authenticates-by-any-exchange", "G-IKEV2-L2", "takes exchanges 39 to 42 for IKE_AUTH", () =>
    authenticatesByAny(),
  ),
  lie("answers-exchanges-of-groups", "G-IKEV2-L2", "an empty answer to what it does not know", () => ({
    ike: {
      answers: (_core, _sa, { header }) =>
        GROUP_EXCHANGES.includes(header.exchangeType) ? { payloads: [] } : undefined,
    },
  })),
  lie("closes-at-exchanges-of-groups", "G-IKEV2-L2", "the IKE SA ends at what it does not know", () => ({
    ike: {
      answers: (_core, _sa, { header }) =>
        GROUP_EXCHANGES.includes(header.exchangeType)
          ? { payloads: [notify(NOTIFY.REGISTRATION_FAILED)], close: "a lie" }
          : undefined,
    },
  })),
  lie("ends-ike-sas-at-foreign-spis", "G-IKEV2-L7", "all IKE SAs end at a message of an unknown SPI", () => ({
    ike: { foreign: closeAll },
  })),
  lie("dies-of-isakmp", "G-IKEV2-L7", "the process ends at a message of version 1", () => ({
    diesOf: (octets) => octets.length >= IKE_HEADER && octets[VERSION_AT] === VERSION_1,
  })),
  lie("reads-any-protocol", "G-IKEV2-L8", "takes protocol 6 for the one that it wants", () => ({
    ike: { incoming: readsAnyProtocol },
  })),
  lie(
    "drops-offers-of-what-belongs-to-groups",
    "G-IKEV2-L8",
    "no answer to an offer that has protocol 6 or a key wrap algorithm",
    () =>
      isDeafTo(({ payloads }) => payloads.some((p) => p.kind === "SA" && p.proposals.some(belongsToGroups))),
  ),
];

export const legacyLies = [...espLies, ...ikeLies];
