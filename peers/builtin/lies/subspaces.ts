/** Lies about sequence number subspaces. */
import type { OutgoingEsp } from "../../../harness/esp/hooks.ts";
import { InboundSa, type OpenResult } from "../../../harness/esp/inbound.ts";
import { OutboundSa } from "../../../harness/esp/outbound.ts";
import type { Pipe } from "../../../harness/esp/pipe.ts";
import { SubspaceInboundSa, SubspaceOutboundSa, subspaceNumber } from "../../../harness/esp/subspaces.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { notifies, notify, payload } from "../../../harness/ike/payloads.ts";
import { readU16, u16 } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type LieBehaviour, lie } from "./lie.ts";

const TYPE = NOTIFY.ANTI_REPLAY_SUBSPACES;
const dropped = (detail: string): OpenResult => ({ ok: false, reason: "replay", detail });
const withoutNotify = (message: OutgoingMessage): void => {
  message.payloads = message.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== TYPE);
};

const announces = (change: (data: Uint8Array) => Uint8Array): LieBehaviour => ({
  ike: {
    outgoing: ({ payloads }) => {
      for (const status of notifies(payloads, TYPE)) status.data = change(status.data);
    },
  },
});

/** Puts ends with eight subspaces into a pipe, whatever was agreed. */
function divide(pipe: Pipe): void {
  const { outbound, inbound } = pipe;
  if (outbound instanceof SubspaceOutboundSa) return;
  pipe.outbound = new SubspaceOutboundSa({ ...outbound.parameters, random: outbound.random, subspaces: 8 });
  pipe.inbound = new SubspaceInboundSa({ ...inbound.parameters, subspaces: 8 });
}

/** Divides Child SAs of such a request, ours or the other end's, and answers that it does. */
function dividesFor(odd: (payloads: Payload[]) => boolean): LieBehaviour {
  let misled = false;
  return {
    ike: {
      incoming: ({ payloads }) => {
        if (payload(payloads, "SA")) misled = odd(payloads);
        return undefined;
      },
      outgoing: (message) => {
        const makes = message.isResponse && payload(message.payloads, "TS");
        if (makes && misled && notifies(message.payloads, TYPE).length === 0)
          message.payloads.push(notify(TYPE, u16(8)));
      },
    },
    esp: { established: (pipe) => (misled ? divide(pipe) : undefined) },
  };
}

const limits = (payloads: Payload[]): Uint8Array[] => notifies(payloads, TYPE).map(({ data }) => data);

const announcing = [
  lie("announces-subspaces-in-ike-auth-alone", "ARS-13", "no notify in CREATE_CHILD_SA", () => ({
    ike: {
      outgoing: (message) => {
        if (message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA) withoutNotify(message);
      },
    },
  })),
  lie("announces-subspaces-in-four-octets", "ARS-13", "N in 32 bits", () =>
    announces((data) => Uint8Array.of(0, 0, ...data)),
  ),
  lie("announces-no-subspaces", "ARS-13", "N is 0", () => announces(() => u16(0))),
  lie("answers-subspaces-unasked", "ARS-13", "the notify in answers to requests without", () =>
    dividesFor((payloads) => limits(payloads).length === 0),
  ),
  lie("agrees-to-malformed-subspaces", "ARS-15", "takes any notify for one of 8", () =>
    dividesFor((payloads) => limits(payloads).length > 0),
  ),
  lie("takes-subspaces-it-did-not-ask-for", "ARS-15", "takes the notify of a response for a question", () =>
    dividesFor((payloads) => limits(payloads).length > 0),
  ),
  lie("keeps-the-header-of-plain-esp", "ARS-12", "agrees to subspaces and uses none", () => ({
    esp: {
      established: (pipe) => {
        const { outbound, inbound } = pipe;
        pipe.outbound = new OutboundSa({ ...outbound.parameters, random: outbound.random });
        pipe.inbound = new InboundSa({ ...inbound.parameters });
      },
    },
  })),
];

/** Chooses the numbers of packets on divided SAs; `limit` is the other end's. */
function numbers(choose: (packet: OutgoingEsp, limit: number) => void): LieBehaviour {
  let limit = 0;
  return {
    esp: {
      established: ({ outbound }) => {
        limit = outbound instanceof SubspaceOutboundSa ? outbound.subspaces : 0;
      },
      outgoing: (packet) => {
        if (limit > 0) choose(packet, limit);
      },
    },
  };
}

const sending = [
  lie("uses-a-subspace-at-the-limit", "ARS-02", "one packet of three has id N", () => {
    let turn = 0;
    return numbers((packet, limit) => {
      if (++turn % 3 === 0) packet.options.subspace = limit;
    });
  }),
  lie("counts-over-all-subspaces", "ARS-03", "one counter for all, in two subspaces if it may", () => {
    let count = 0;
    return numbers((packet, limit) => {
      count += limit === 1 ? 2 : 1;
      packet.options.sequence = subspaceNumber(count % Math.min(limit, 2), count);
    });
  }),
  lie("begins-subspaces-at-zero", "ARS-05", "the first number of each is 0", () => {
    let count = 0;
    return numbers((packet) => {
      packet.options.sequence = subspaceNumber(0, count++);
    });
  }),
  lie("lets-subspace-counters-cycle", "ARS-06", "2^48 - 1, then 1", () => {
    let count = 2 ** 48 - 19;
    return {
      ...numbers((packet) => {
        count = count === 2 ** 48 - 1 ? 1 : count + 1;
        packet.options.sequence = subspaceNumber(0, count);
      }),
      deafTo: ["rekeyChild"],
    };
  }),
  lie("leaves-the-subspace-out-of-what-it-seals", "ARS-12", "the id is changed behind the ICV", () =>
    numbers((packet) => {
      packet.octets = (sealed) => {
        sealed[5]! ^= 1;
        return [sealed];
      };
    }),
  ),
];

const numberOf = (packet: Uint8Array): bigint =>
  new DataView(packet.buffer, packet.byteOffset, packet.byteLength).getBigUint64(4) & 0xffff_ffff_ffffn;

const receiving = [
  lie("keeps-one-window-for-all-subspaces", "ARS-07", "drops what is behind in another subspace", () => {
    let top = 0n;
    return {
      esp: {
        incoming: (result, _reopen, { sa }) => {
          if (!result.ok || !(sa instanceof SubspaceInboundSa)) return result;
          const number = result.sequence & 0xffff_ffff_ffffn;
          if (number <= top) return dropped("old in all subspaces");
          top = number;
          return result;
        },
      },
    };
  }),
  lie("delivers-replays-in-subspaces", "ARS-08", "no check in subspaces but the first", () => ({
    esp: {
      incoming: (result, reopen, { packet, sa }) => {
        const other = sa instanceof SubspaceInboundSa && readU16(packet, 4) > 0;
        return other && !result.ok && result.reason === "replay"
          ? reopen({ window: { enabled: false } })
          : result;
      },
    },
  })),
  lie("takes-any-subspace", "ARS-09", "ids at and above its limit", () => ({
    esp: {
      incoming: (result, _reopen, { packet, sa }) =>
        !result.ok && result.reason === "subspace" && sa instanceof SubspaceInboundSa
          ? sa.fresh({ subspaces: 65_536 }).open(packet)
          : result,
    },
  })),
  lie("stops-at-unknown-subspaces", "ARS-09", "receives nothing behind a packet of a wrong subspace", () => {
    let stopped = false;
    return {
      esp: {
        incoming: (result) => {
          stopped ||= !result.ok && result.reason === "subspace";
          return stopped ? dropped("stopped") : result;
        },
      },
    };
  }),
  lie("opens-windows-before-icv", "ARS-11", "a forged number moves the window of its subspace", () => {
    const tops = new Map<number, bigint>();
    return {
      esp: {
        incoming: (result, _reopen, { packet, sa }) => {
          if (!(sa instanceof SubspaceInboundSa)) return result;
          const [subspace, number] = [readU16(packet, 4), numberOf(packet)];
          const top = tops.get(subspace) ?? 0n;
          if (number > top) tops.set(subspace, number);
          return result.ok && number <= top ? dropped("behind a forged number") : result;
        },
      },
    };
  }),
  lie("takes-number-zero-in-subspaces", "ARS-08", "0 is a number as any", () => ({
    esp: {
      incoming: (result, reopen) =>
        !result.ok && result.reason === "sequence-zero" ? reopen({ window: { enabled: false } }) : result,
    },
  })),
  lie("reads-numbers-of-32-bits", "ARS-08", "drops numbers of 2^32 and more", () => ({
    esp: {
      incoming: (result, _reopen, { packet }) =>
        result.ok && numberOf(packet) >= 2n ** 32n ? dropped("a number of more than 32 bits") : result,
    },
  })),
  lie("leaves-the-subspace-out-of-what-it-checks", "ARS-12", "takes a packet whose id was changed", () => ({
    esp: {
      incoming: (result, reopen, { packet, sa }) => {
        if (result.ok || result.reason !== "icv" || !(sa instanceof SubspaceInboundSa)) return result;
        const original = packet.slice();
        for (let subspace = 0; subspace < sa.subspaces; subspace++) {
          original[5] = subspace;
          const again = sa.fresh({}).open(original);
          if (again.ok) return again;
        }
        return reopen({});
      },
    },
  })),
];

export const subspaceLies = [...announcing, ...sending, ...receiving];
