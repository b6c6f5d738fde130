/** Lies about additional key exchanges behind CREATE_CHILD_SA: RFC 9370 section 2.2.4. */
import { keMethod } from "../../../harness/crypto/ke.ts";
import { startChild } from "../../../harness/ike/exchanges/create-child-sa.ts";
import { startIkeRekey } from "../../../harness/ike/exchanges/rekey-ike.ts";
import type { IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { sendRequest } from "../../../harness/ike/send.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { decides } from "./tools.ts";

const { CREATE_CHILD_SA, IKE_FOLLOWUP_KE, INFORMATIONAL } = EXCHANGE;
const { ADDITIONAL_KEY_EXCHANGE, STATE_NOT_FOUND } = NOTIFY;

const isFollowUp = ({ header, isResponse }: IncomingMessage, response: boolean): boolean =>
  header.exchangeType === IKE_FOLLOWUP_KE && isResponse === response;

/** Changes the links that it sends: all, or only those of its requests. */
const inLinks =
  (change: (link: ReturnType<typeof notifies>[number]) => void, which?: "request") =>
  (message: OutgoingMessage): void => {
    if (which && message.isResponse) return;
    for (const link of notifies(message.payloads, ADDITIONAL_KEY_EXCHANGE)) change(link);
  };

const links = [
  decides(
    "takes-links-of-eight-octets-alone",
    "MKE-29",
    "as initiator gives up where a link has another size",
    { "size of a link": "8 octets only" },
  ),
  decides(
    "sends-a-link-in-the-last-response",
    "MKE-28",
    "ADDITIONAL_KEY_EXCHANGE in the response that ends the series",
    { "link in the last IKE_FOLLOWUP_KE": "sent" },
  ),
  decides(
    "expects-a-link-in-the-last-response",
    "MKE-28",
    "as initiator fails where the last response has no ADDITIONAL_KEY_EXCHANGE",
    { "link in the last IKE_FOLLOWUP_KE": "expected" },
  ),
  lie("leaves-the-link-out-of-its-responses", "MKE-27", "no ADDITIONAL_KEY_EXCHANGE in any response", () => ({
    ike: {
      outgoing: (message) => {
        if (!message.isResponse) return;
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== ADDITIONAL_KEY_EXCHANGE,
        );
      },
    },
  })),
  lie("cuts-the-links-it-echoes", "MKE-29", "at most 64 octets of a link come back", () => ({
    ike: {
      outgoing: inLinks((link) => {
        link.data = link.data.slice(0, 64);
      }, "request"),
    },
  })),
  lie("turns-a-bit-of-the-links-it-echoes", "MKE-29", "the link comes back altered", () => ({
    ike: {
      outgoing: inLinks((link) => {
        link.data = link.data.map((octet) => octet ^ 1);
      }, "request"),
    },
  })),
  lie("names-esp-in-its-links", "MKE-30", "Protocol ID 3 in ADDITIONAL_KEY_EXCHANGE", () => ({
    ike: {
      outgoing: inLinks((link) => {
        link.protocolId = 3;
      }),
    },
  })),
];

const keys = [
  lie(
    "expands-with-the-old-spis-after-follow-ups",
    "MKE-40",
    "prf+ takes the SPIs of the replaced IKE SA where IKE_FOLLOWUP_KE took place",
    () => ({
      ike: {
        ikeKeys: (inputs) => {
          const { replaces, further } = inputs;
          if (replaces && further.length > 0)
            Object.assign(inputs, { spiI: replaces.spiI, spiR: replaces.spiR });
        },
      },
    }),
  ),
  lie("leaves-follow-ups-out-of-the-keys", "MKE-40", "keys of SK(0) and the nonces alone", () => {
    const leaveOut = (inputs: { further: Uint8Array[] }) => {
      inputs.further = [];
    };
    return { ike: { ikeKeys: leaveOut, childKeys: leaveOut } };
  }),
  lie("takes-the-secrets-of-follow-ups-in-reverse", "MKE-40", "SK(n) stands in front of SK(1)", () => {
    const turn = (inputs: { further: Uint8Array[] }) => {
      inputs.further = inputs.further.toReversed();
    };
    return { ike: { ikeKeys: turn, childKeys: turn } };
  }),
  lie(
    "uses-the-new-child-sa-before-its-time",
    "MKE-25",
    "forgets the Child SA that is rekeyed at the first IKE_FOLLOWUP_KE",
    () => ({
      ike: {
        outgoing: ({ sa, payloads }) => {
          if (!hasNotify(payloads, ADDITIONAL_KEY_EXCHANGE)) return;
          for (const child of sa?.children ?? []) child.keysIn.encr.fill(0);
        },
      },
    }),
  ),
];

/** IKE SAs on which it has sent a link, and not yet come to the end of the series. */
function openSeries(): { note: (message: OutgoingMessage) => void; has: (sa: IkeSa | undefined) => boolean } {
  const open = new WeakSet<IkeSa>();
  return {
    note: ({ sa, isResponse, header, payloads }) => {
      const ofSeries = header.exchangeType === CREATE_CHILD_SA || header.exchangeType === IKE_FOLLOWUP_KE;
      if (!sa || !ofSeries) return;
      if (hasNotify(payloads, ADDITIONAL_KEY_EXCHANGE)) open.add(sa);
      else if (isResponse) open.delete(sa);
    },
    has: (sa) => sa !== undefined && open.has(sa),
  };
}

const ECP256 = 19;

const rounds = [
  lie("answers-nothing-within-a-series", "MKE-25", "drops INFORMATIONAL between IKE_FOLLOWUP_KE", () => {
    const series = openSeries();
    return {
      ike: {
        outgoing: series.note,
        incoming: ({ sa, header, isResponse }) =>
          !isResponse && header.exchangeType === INFORMATIONAL && series.has(sa) ? "drop" : undefined,
      },
    };
  }),
  lie("asks-twice-at-once", "MKE-26", "begins one more IKE_FOLLOWUP_KE while the first is unanswered", () => {
    let asked = false;
    return {
      ike: {
        decide: { window: "unbounded" },
        outgoing: ({ sa, header, isResponse, payloads }, core) => {
          if (asked || !sa || isResponse || header.exchangeType !== IKE_FOLLOWUP_KE) return;
          asked = true;
          core.after(1, () => sendRequest(core, sa, IKE_FOLLOWUP_KE, payloads, () => {}));
        },
      },
    };
  }),
  decides(
    "takes-a-follow-up-of-another-method",
    "MKE-31",
    "does not look at the method in the KE payload of IKE_FOLLOWUP_KE",
    { "additional key exchange of another method": "accept" },
  ),
  lie("does-without-ke-in-a-follow-up", "MKE-25", "makes a value up where KE is missing", () => ({
    ike: {
      incoming: (message, core) => {
        const missing = isFollowUp(message, false) && !message.payloads.some((p) => p.kind === "KE");
        const method = keMethod(ECP256);
        if (missing && method) {
          const data = method.generate(core.random).publicValue;
          message.payloads.push({ kind: "KE", type: PAYLOAD.KE, group: ECP256, data });
        }
        return undefined;
      },
    },
  })),
  lie("overlooks-a-second-ke-in-a-follow-up", "MKE-31", "takes the first of two KE payloads", () => ({
    ike: {
      incoming: (message) => {
        const first = message.payloads.find((p) => p.kind === "KE");
        if (isFollowUp(message, false) || isFollowUp(message, true))
          message.payloads = message.payloads.filter((p) => p.kind !== "KE" || p === first);
        return undefined;
      },
    },
  })),
  lie("cuts-ke-values-that-are-too-long", "MKE-31", "takes the first 64 octets of a KE payload", () => ({
    ike: {
      incoming: (message) => {
        if (!isFollowUp(message, false) && !isFollowUp(message, true)) return undefined;
        for (const p of message.payloads) if (p.kind === "KE") p.data = p.data.slice(0, 64);
        return undefined;
      },
    },
  })),
];

const states = [
  decides("takes-any-link", "MKE-33", "goes on with its newest series whatever the link", {
    "link of a series": "ignore",
  }),
  decides("keeps-series-for-an-hour", "MKE-32", "goes on with a series that was left for long", {
    "time for a series": 3_600_000,
  }),
  lie("says-why-in-state-not-found", "MKE-33a", "STATE_NOT_FOUND has data", () => ({
    ike: {
      outgoing: ({ payloads }) => {
        for (const state of notifies(payloads, STATE_NOT_FOUND)) state.data = Uint8Array.of(1);
      },
    },
  })),
  lie("names-esp-in-state-not-found", "MKE-30", "Protocol ID 3 in STATE_NOT_FOUND", () => ({
    ike: {
      outgoing: ({ payloads }) => {
        for (const state of notifies(payloads, STATE_NOT_FOUND)) state.protocolId = 3;
      },
    },
  })),
  lie("says-invalid-syntax-to-an-unknown-link", "MKE-33", "another error than STATE_NOT_FOUND", () => ({
    ike: {
      outgoing: (message) => {
        if (hasNotify(message.payloads, STATE_NOT_FOUND)) message.payloads = [notify(NOTIFY.INVALID_SYNTAX)];
      },
    },
  })),
  lie(
    "ends-the-ike-sa-on-state-not-found",
    "MKE-34",
    "is silent for ever once it got STATE_NOT_FOUND",
    () => ({
      ike: {
        incoming: ({ sa, payloads, isResponse }, core) => {
          if (sa && isResponse && hasNotify(payloads, STATE_NOT_FOUND)) core.closeIke(sa, "STATE_NOT_FOUND");
          return undefined;
        },
      },
    }),
  ),
  lie("goes-on-after-state-not-found", "MKE-35", "sends the next IKE_FOLLOWUP_KE all the same", () => {
    const request = { kind: "KE", type: PAYLOAD.KE, group: ECP256, data: new Uint8Array(64) } as const;
    let once = false;
    return {
      ike: {
        incoming: ({ sa, payloads, isResponse }, core) => {
          if (once || !sa || !isResponse || !hasNotify(payloads, STATE_NOT_FOUND)) return undefined;
          once = true;
          core.after(0, () => sendRequest(core, sa, IKE_FOLLOWUP_KE, [request], () => {}));
          return undefined;
        },
      },
    };
  }),
  lie("tries-a-lost-series-for-ever", "MKE-37", "begins anew whenever it gets STATE_NOT_FOUND", () => ({
    ike: {
      decide: { "series that the peer has lost": "keep the IKE SA" },
      incoming: ({ sa, payloads, isResponse }, core) => {
        if (!sa || !isResponse || !hasNotify(payloads, STATE_NOT_FOUND)) return undefined;
        const ofIke = sa.pending?.doing?.what === "rekey IKE";
        core.after(20, () => {
          if (ofIke) startIkeRekey(core, sa, {}, () => {});
          else startChild(core, sa, { replaces: sa.children.at(-1) }, () => {});
        });
        return undefined;
      },
    },
  })),
];

/** Hears nothing more on an IKE SA once `when` held of something that it sent. */
function deafAfter(when: (message: OutgoingMessage) => boolean): LieBehaviour {
  const ended = new WeakSet<IkeSa>();
  return {
    ike: {
      outgoing: (message) => {
        if (message.sa && when(message)) ended.add(message.sa);
      },
      incoming: ({ sa }) => (sa && ended.has(sa) ? "drop" : undefined),
    },
  };
}

const memory = [
  lie("ends-the-ike-sa-on-an-unknown-link", "MKE-34", "is silent for ever once it said STATE_NOT_FOUND", () =>
    deafAfter(({ payloads }) => hasNotify(payloads, STATE_NOT_FOUND)),
  ),
  lie("hangs-after-ten-series", "MKE-32", "hears nothing more once ten series are open", () => {
    let opened = 0;
    return deafAfter(({ isResponse, payloads }) => {
      if (isResponse && hasNotify(payloads, ADDITIONAL_KEY_EXCHANGE)) opened++;
      return opened >= 10;
    });
  }),
  lie(
    "ends-the-ike-sa-on-an-empty-link",
    "MKE-29",
    "is silent for ever once it got a link without data",
    () => ({
      ike: {
        incoming: ({ sa, payloads, isResponse }, core) => {
          const empty = notifies(payloads, ADDITIONAL_KEY_EXCHANGE).some(({ data }) => data.length === 0);
          if (sa && isResponse && empty) core.closeIke(sa, "an empty link");
          return undefined;
        },
      },
    }),
  ),
  lie(
    "keeps-the-state-of-a-series-that-is-over",
    "MKE-33",
    "answers an old IKE_FOLLOWUP_KE as it did",
    () => {
      let last: Payload[] = [];
      return {
        ike: {
          outgoing: (message) => {
            if (message.header.exchangeType !== IKE_FOLLOWUP_KE || !message.isResponse) return;
            if (hasNotify(message.payloads, STATE_NOT_FOUND)) message.payloads = last;
            else last = message.payloads;
          },
        },
      };
    },
  ),
  lie("mixes-two-series-up", "MKE-27", "takes the link of one series for another one's", () => {
    let first: Uint8Array | undefined;
    return {
      ike: {
        incoming: (message) => {
          if (!isFollowUp(message, false)) return undefined;
          for (const link of notifies(message.payloads, ADDITIONAL_KEY_EXCHANGE))
            link.data = first ?? link.data;
          return undefined;
        },
        outgoing: ({ payloads }) => {
          first ??= notifies(payloads, ADDITIONAL_KEY_EXCHANGE)[0]?.data;
        },
      },
    };
  }),
];

const collisions = [
  decides(
    "follows-up-though-it-has-lost",
    "MKE-38",
    "IKE_FOLLOWUP_KE for the rekeying with the lowest nonce",
    {
      "rekeying that has lost": "go on",
    },
  ),
  decides(
    "stops-the-rekeying-that-has-won",
    "MKE-38",
    "no IKE_FOLLOWUP_KE for the rekeying that does not have the lowest nonce",
    { "rekeying that has lost": "stop the other one" },
  ),
  decides(
    "lets-itself-be-rekeyed-while-it-follows-up",
    "MKE-39",
    "answers a rekeying of what its own IKE_FOLLOWUP_KE exchanges rekey as usual",
    { "rekey of what IKE_FOLLOWUP_KE rekeys": "process" },
  ),
  decides(
    "refuses-a-late-rekeying-for-its-proposals",
    "MKE-39",
    "NO_PROPOSAL_CHOSEN to a rekeying of what its own IKE_FOLLOWUP_KE exchanges rekey",
    { "rekey of what IKE_FOLLOWUP_KE rekeys": "NO_PROPOSAL_CHOSEN" },
  ),
];

export const followUpLies: readonly Lie[] = [
  ...links,
  ...keys,
  ...rounds,
  ...states,
  ...memory,
  ...collisions,
];
