/** Lies about replay protection and what is announced of it. */

import type { EspReceiver } from "../../../harness/esp/inbound.ts";
import { InboundSa, type OpenResult } from "../../../harness/esp/inbound.ts";
import type { IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import type { Policy } from "../../../harness/ike/policy.ts";
import { REPLAY_FLAG } from "../../../harness/wire/documents/anti-replay-notification.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { SN } from "../../../harness/wire/registry/sn.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { NotifyPayload, Payload, Proposal } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

const TYPES: readonly number[] = [NOTIFY.ANTI_REPLAY_STATUS, NOTIFY.REPLAY_PROT_AND_ESN_STATUS];
const isStatus = (p: Payload): p is NotifyPayload => p.kind === "Notify" && TYPES.includes(p.notifyType);
const statusesIn = (payloads: Payload[]): NotifyPayload[] => payloads.filter(isStatus);

/** Changes what it announces. */
const announces = (change: (status: NotifyPayload) => void): LieBehaviour => ({
  ike: { outgoing: ({ payloads }) => statusesIn(payloads).forEach(change) },
});

const withoutStatus = (message: OutgoingMessage): void => {
  message.payloads = message.payloads.filter((p) => !isStatus(p));
};

/** Changes what it hears. */
const hears = (change: (message: IncomingMessage, statuses: NotifyPayload[]) => void): LieBehaviour => ({
  ike: {
    incoming: (message) => {
      change(message, statusesIn(message.payloads));
      return undefined;
    },
  },
});

/** Answers INVALID_SYNTAX to a request with such a status. */
const chokes = (
  name: string,
  effect: string,
  odd: (message: IncomingMessage, status: NotifyPayload) => boolean,
): Lie =>
  lie(name, "ARN-305", effect, () => ({
    ike: {
      outgoing: (message) => {
        const { request } = message;
        if (request && statusesIn(request.payloads).some((status) => odd(request, status)))
          message.payloads = [notify(NOTIFY.INVALID_SYNTAX)];
      },
    },
  }));

const announcing = [
  lie("announces-the-opposite-replay-status", "ARN-201", "on where it is off, and off where it is on", () =>
    announces((status) => {
      status.data = status.data.map((octet) => octet ^ REPLAY_FLAG.protects);
    }),
  ),
  lie("announces-replay-status-in-ike-auth-alone", "ARN-201", "no notify in CREATE_CHILD_SA", () => ({
    ike: {
      outgoing: (message) => {
        if (message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA) withoutStatus(message);
      },
    },
  })),
  lie(
    "omits-replay-status-when-it-rekeys",
    "ARN-201",
    "no notify in its own CREATE_CHILD_SA requests",
    () => ({
      ike: {
        outgoing: (message) => {
          if (!message.isResponse && hasNotify(message.payloads, NOTIFY.REKEY_SA)) withoutStatus(message);
        },
      },
    }),
  ),
  lie("sets-reserved-bits-of-replay-status", "ARN-301", "bit 7 is set as well", () =>
    announces((status) => {
      status.data = status.data.map((octet) => octet | 0x80);
    }),
  ),
  lie("pads-replay-status", "ARN-301", "four octets of data", () =>
    announces((status) => {
      status.data = Uint8Array.of(...status.data, 0, 0, 0);
    }),
  ),
  lie("puts-an-spi-into-replay-status", "ARN-301", "Protocol ID 3 and an SPI", () =>
    announces((status) => {
      Object.assign(status, { protocolId: 3, spi: Uint8Array.of(1, 2, 3, 4) });
    }),
  ),
];

/** The transforms of a policy as they were told, whatever is heard. */
function unmoved(): LieBehaviour {
  let own: Proposal[] = [];
  return {
    policy: (policy: Policy) => {
      own = policy.rekeyEsp ?? policy.esp;
    },
    ike: { childPolicies: () => own },
  };
}

const isEsn = ({ type, id }: { type: number; id: number }) => type === TRANSFORM.SN && id === SN.PARTIAL_64;

const choosing = [
  lie(
    "takes-64-bit-numbers-that-the-other-end-cannot",
    "ARN-203",
    "chooses id 1 whatever it is told",
    unmoved,
  ),
  lie("refuses-64-bit-numbers-that-both-ends-can", "ARN-203", "never chooses id 1", () => ({
    ike: {
      childPolicies: (policies) =>
        policies.map((p) => ({ ...p, transforms: p.transforms.filter((t) => !isEsn(t)) })),
    },
  })),
  lie(
    "negotiates-numbers-that-it-cannot-receive",
    "ARN-103",
    "id 1 without a window, and then nothing opens",
    () => ({
      policy: (policy) => {
        for (const p of [...policy.esp, ...(policy.rekeyEsp ?? [])])
          p.transforms = [
            { type: TRANSFORM.SN, id: SN.PARTIAL_64, attributes: [] },
            ...p.transforms.filter((t) => !isEsn(t)),
          ];
      },
      esp: {
        incoming: (result, _reopen, { sa }): OpenResult =>
          isBlind(sa) ? { ok: false, reason: "icv", detail: "a lie" } : result,
      },
    }),
  ),
];

const isBlind = (sa: EspReceiver): boolean =>
  sa instanceof InboundSa && sa.parameters.esn && !sa.window.enabled;

const hearing = [
  chokes("chokes-on-an-empty-replay-status", "INVALID_SYNTAX", (_, { data }) => data.length === 0),
  chokes("chokes-on-a-long-replay-status", "INVALID_SYNTAX", (_, { data }) => data.length > 1),
  chokes("chokes-on-an-spi-in-replay-status", "INVALID_SYNTAX", (_, { spi }) => spi.length > 0),
  chokes("chokes-on-a-critical-replay-status", "INVALID_SYNTAX", (_, { critical }) => critical === true),
  chokes(
    "chokes-on-two-replay-statuses",
    "INVALID_SYNTAX",
    ({ payloads }) => statusesIn(payloads).length > 1,
  ),
  chokes(
    "chokes-on-replay-status-in-other-exchanges",
    "INVALID_SYNTAX",
    ({ payloads }) => !payloads.some((p) => p.kind === "TS"),
  ),
  lie("reads-the-last-octet-of-replay-status", "ARN-305", "of a long notify the wrong octet", () =>
    hears((_, statuses) => {
      for (const status of statuses) status.data = status.data.subarray(-1);
    }),
  ),
  lie("heeds-reserved-bits-of-replay-status", "ARN-305", "ignores a notify where one is set", () =>
    hears((message) => {
      message.payloads = message.payloads.filter((p) => !isStatus(p) || (p.data[0] ?? 0) < 4);
    }),
  ),
  lie("takes-reserved-bits-of-replay-status-for-off", "ARN-305", "all is off where one is set", () =>
    hears((_, statuses) => {
      for (const status of statuses) if ((status.data[0] ?? 0) > 3) status.data = Uint8Array.of(0);
    }),
  ),
  lie("takes-an-empty-replay-status-for-off", "ARN-305", "no data is 0", () =>
    hears((_, statuses) => {
      for (const status of statuses) if (status.data.length === 0) status.data = Uint8Array.of(0);
    }),
  ),
  lie("believes-the-worst-of-two-replay-statuses", "ARN-305", "of two that differ, that which is off", () =>
    hears((message, statuses) => {
      const off = statuses.find(({ data }) => data[0] === 0);
      if (off) message.payloads = message.payloads.filter((p) => !isStatus(p) || p === off);
    }),
  ),
];

/** Replies that depend on whether the other end said that it checks no replays. */
function whenTold(
  act: (outbound: { counter: bigint }) => { sequence?: bigint; drop?: boolean },
): LieBehaviour {
  let told: { counter: bigint } | undefined;
  return {
    esp: {
      established: ({ outbound }) => {
        told = outbound.mayWrap ? outbound : undefined;
      },
      outgoing: (packet) => {
        const { sequence, drop } = told ? act(told) : {};
        if (sequence !== undefined) packet.options.sequence = sequence;
        if (drop) packet.octets = () => [];
      },
    },
  };
}

const LAST_32 = 0xffff_ffffn;

const counting = [
  lie("stops-at-its-last-number", "ARN-104", "sends nothing behind 2^32 - 1 though it may", () => {
    let ended = false;
    return whenTold(({ counter }) => {
      ended ||= counter === LAST_32;
      return { drop: ended };
    });
  }),
  lie("skips-zero-when-its-counter-wraps", "ARN-104", "2^32 - 1, then 1", () => {
    let behind = 0n;
    return whenTold(({ counter }) => {
      if (counter === LAST_32) behind = 1n;
      return behind > 0n ? { sequence: behind++ } : {};
    });
  }),
  lie(
    "repeats-the-iv-of-an-implicit-iv-cipher",
    "ARN-303",
    "begins again with 0 where the number is the IV",
    () => {
      let wrapped = -1n;
      let last: { counter: bigint } | undefined;
      return {
        deafTo: ["rekeyChild"],
        esp: {
          established: ({ outbound }) => {
            last = outbound;
          },
          outgoing: (packet) => {
            if (last && last.counter >= LAST_32 - 10n) packet.options.sequence = ++wrapped;
          },
        },
      };
    },
  ),
  lie("remembers-replay-status-for-the-next-child-sa", "ARN-102", "once told off, off for ever", () => {
    let told = false;
    return {
      deafTo: ["rekeyChild"],
      esp: {
        established: ({ outbound }) => {
          told ||= outbound.mayWrap;
          outbound.mayWrap = told;
        },
      },
    };
  }),
];

const withoutIntegrity = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.filter(({ type }) => type !== TRANSFORM.INTEG),
});

const protecting = [
  lie("drops-its-replay-check-when-told", "ARN-302", "takes the other end's status for its own", () => {
    let told = false;
    return {
      esp: {
        established: ({ outbound }) => {
          told = outbound.mayWrap;
        },
        incoming: (result, reopen) =>
          told && !result.ok && result.reason === "replay" ? reopen({ window: { enabled: false } }) : result,
      },
    };
  }),
  lie("forgets-the-high-half-without-a-window", "ARN-304", "drops everything behind 2^32", () => ({
    esp: {
      incoming: (result, _reopen, { sa }): OpenResult =>
        isBlind(sa) && result.ok && result.sequence >= 2n ** 32n
          ? { ok: false, reason: "icv", detail: "a lie" }
          : result,
    },
  })),
  lie("stops-at-duplicates", "ARN-107", "receives nothing behind a number that came twice", () => {
    const seen = new Set<bigint>();
    let stopped = false;
    return {
      esp: {
        incoming: (result): OpenResult => {
          if (!result.ok) return result;
          stopped ||= seen.has(result.sequence);
          seen.add(result.sequence);
          return stopped ? { ok: false, reason: "replay", detail: "a lie" } : result;
        },
      },
    };
  }),
  lie("checks-replays-without-integrity", "ARN-105", "agrees to AES-CBC alone, and keeps its window", () => ({
    ike: {
      decide: { "Child SA without integrity": "accept" },
      childPolicies: (policies) => [...policies, ...policies.map(withoutIntegrity)],
    },
  })),
];

export const replayStatusLies = [...announcing, ...choosing, ...hearing, ...counting, ...protecting];
