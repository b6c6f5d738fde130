/** Lies about ESP echo inside of SAs, and about its announcement. */
import type { EspExtension } from "../../../harness/esp/hooks.ts";
import { echoNotify } from "../../../harness/extensions/esp-echo-announcement.ts";
import type { EchoDecisions, OutgoingEcho } from "../../../harness/extensions/esp-echo-manners.ts";
import { notifies } from "../../../harness/ike/payloads.ts";
import { concat } from "../../../harness/wire/bytes.ts";
import { asksForPath } from "../../../harness/wire/esp-echo.ts";
import type { NotifyPayload } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

const AGGFRAG = 144;
/** A data block of RFC 9347: padding. */
const DATA_BLOCK = new Uint8Array(8);

/** A lie that is other decisions. */
export const decidesEcho = (
  name: string,
  breaks: string,
  effect: string,
  decide: Partial<EchoDecisions>,
): Lie => lie(name, breaks, effect, () => ({ echo: { decide } }));

/** A lie that changes what is sent: requests or replies, inside of SAs or outside. */
export const changesEcho = (
  name: string,
  breaks: string,
  effect: string,
  which: { kind: OutgoingEcho["kind"]; plain?: boolean },
  change: (outgoing: OutgoingEcho) => void,
): Lie =>
  lie(name, breaks, effect, () => ({
    echo: {
      outgoing: (outgoing) => {
        const within = which.plain === undefined || which.plain === (outgoing.plain !== undefined);
        if (outgoing.kind === which.kind && within) change(outgoing);
      },
    },
  }));

/** Receives nothing any more once an echo came of which this is true. */
function stopsAt(trigger: (payload: Uint8Array) => boolean): LieBehaviour {
  let stopped = false;
  const incoming: EspExtension["incoming"] = (result) => {
    stopped ||= result.ok && result.nextHeader === AGGFRAG && trigger(result.payload);
    return stopped ? { ok: false, reason: "spi", detail: "a lie" } : result;
  };
  return { esp: { incoming } };
}

const NOTIFY_TYPES = [echoNotify("M") ?? 0, echoNotify("E3") ?? 0];

/** Changes the announcement. */
const announcing = (change: (own: NotifyPayload) => void): LieBehaviour => ({
  ike: {
    outgoing: ({ payloads }) => {
      for (const own of NOTIFY_TYPES.flatMap((type) => notifies(payloads, type))) change(own);
    },
  },
});

const announcement = [
  lie("gives-the-echo-notify-an-spi", "ESP-PING-30", "four octets of SPI in the notify", () =>
    announcing((own) => {
      own.spi = Uint8Array.of(1, 2, 3, 4);
    }),
  ),
  lie("announces-esp-echo-and-answers-nothing", "ESP-PING-31", "drops every request", () => ({
    echo: {
      outgoing: (outgoing) => {
        outgoing.octets = () => [];
      },
    },
  })),
  decidesEcho("answers-echo-on-the-first-child-sa-only", "ESP-PING-31", "ignores requests on the others", {
    "later Child SA": "ignore",
  }),
  lie("forgets-the-echo-announcement-at-a-rekey", "ESP-PING-31", "the new IKE SA knows of no notify", () => ({
    ike: {
      outgoing: ({ sa }) => {
        if (sa?.replaces) for (const type of NOTIFY_TYPES) sa.announced.delete(type);
      },
    },
  })),
];

const replies = [
  changesEcho(
    "answers-with-the-sub-type-of-requests",
    "ESP-PING-20",
    "Sub-Type 2",
    { kind: "reply" },
    ({ echo }) => {
      echo.subType = 2;
    },
  ),
  changesEcho("answers-with-another-identifier", "ESP-PING-08", "one more", { kind: "reply" }, ({ echo }) => {
    echo.identifier ^= 1;
  }),
  changesEcho(
    "answers-with-another-sequence-number",
    "ESP-PING-08",
    "one more",
    { kind: "reply" },
    ({ echo }) => {
      echo.sequence ^= 1;
    },
  ),
  changesEcho("changes-echo-data", "ESP-PING-11", "one bit of Data", { kind: "reply" }, ({ echo }) => {
    echo.data = echo.data.map((octet, i) => (i === 0 ? octet ^ 1 : octet));
  }),
  changesEcho(
    "answers-echo-with-next-header-59",
    "ESP-PING-02",
    "the reply is a dummy packet",
    { kind: "reply", plain: false },
    (outgoing) => {
      outgoing.nextHeader = 59;
    },
  ),
  decidesEcho(
    "cuts-echo-data-to-512-octets",
    "ESP-PING-11",
    "512 octets, and the Data Length of the request",
    {
      "data of a reply": "512 octets, Data Length as asked",
    },
  ),
  decidesEcho("sends-replies-beyond-the-mtu", "ESP-PING-11", "the whole of Data, whatever the way back", {
    "data of a reply": "as asked",
  }),
  lie("pads-echoes-more-than-it-must", "ESP-PING-12", "16 octets of padding", () => ({
    echo: {
      outgoing: (outgoing) => {
        outgoing.how.padding = 16;
      },
    },
  })),
  lie("joins-data-blocks-to-echoes", "ESP-PING-05", "octets behind Data", () => ({
    echo: {
      outgoing: (outgoing) => {
        if (!outgoing.plain) outgoing.octets = (payload) => [concat(payload, DATA_BLOCK)];
      },
    },
  })),
  lie("joins-replies-in-one-packet", "ESP-PING-06", "two replies in each other packet", () => joinsReplies()),
  changesEcho(
    "answers-with-more-than-it-got",
    "ESP-PING-35",
    "16 octets more",
    { kind: "reply" },
    ({ echo }) => {
      echo.data = concat(echo.data, new Uint8Array(16));
      if (echo.dataLength !== undefined) echo.dataLength += 16;
    },
  ),
];

function joinsReplies(): LieBehaviour {
  let kept: Uint8Array | undefined;
  return {
    echo: {
      outgoing: (outgoing) => {
        if (outgoing.kind !== "reply" || outgoing.plain) return;
        outgoing.octets = (payload) => {
          const before = kept;
          kept = before ? undefined : payload;
          return before ? [concat(before, payload)] : [];
        };
      },
    },
  };
}

const paths = [
  decidesEcho("answers-one-way-probes", "ESP-PING-04", "replies to R = 0", { "one-way probe": "answer" }),
  decidesEcho(
    "takes-the-reply-path-of-one-way-probes",
    "ESP-PING-10",
    "replies to R = 0 with an SPI it knows",
    {
      "one-way probe": "answer where the SPI is known",
    },
  ),
  lie("stops-at-one-way-probes", "ESP-PING-10", "receives nothing behind R = 0", () =>
    stopsAt(([, flags = 0]) => (flags & 0x80) === 0),
  ),
  changesEcho(
    "answers-nobody-who-names-no-path",
    "ESP-PING-E3-06",
    "silence to R = 0",
    { kind: "reply" },
    (outgoing) => {
      if (!asksForPath(outgoing.echo, "E3") && !asksForPath(outgoing.echo, "E2")) outgoing.octets = () => [];
    },
  ),
  decidesEcho("takes-any-bit-for-r", "ESP-PING-39", "a reserved bit counts as R", { "the bit R": "any" }),
  decidesEcho("answers-echo-on-another-sa", "ESP-PING-03", "on the oldest SA that was not asked for", {
    "reply path": "another",
  }),
  decidesEcho("sends-echo-replies-with-any-spi", "ESP-PING-17", "whatever Reply path SPI says", {
    "unknown reply path": "the SPI all the same",
  }),
  decidesEcho("answers-echo-on-the-sa-of-another-peer", "ESP-PING-18", "takes any SPI that it sends to", {
    "reply path of another peer": "use",
  }),
  decidesEcho("holds-echo-against-the-selectors", "ESP-PING-01", "drops what no selector fits", {
    "echo outside of the selectors": "drop",
  }),
  decidesEcho("minds-the-reserved-bits-of-echoes", "ESP-PING-39", "drops requests with reserved bits", {
    "reserved bits": "drop",
  }),
];

const malformed = [
  decidesEcho("answers-echo-of-wrong-length", "ESP-PING-36", "whatever Data Length says", {
    "wrong Data Length": "answer",
  }),
  lie("echoes-what-is-behind-data", "ESP-PING-36", "the excess as part of Data", () => echoesExcess()),
  decidesEcho("answers-unknown-sub-types", "ESP-PING-37", "takes every sub-type for a request", {
    "unknown sub-type": "answer",
  }),
  decidesEcho("answers-echo-replies", "ESP-PING-38", "a reply to a reply", { "received reply": "answer" }),
  lie("stops-at-short-echoes", "ESP-PING-36", "receives nothing behind a header that is cut short", () =>
    stopsAt(({ length }) => length < 12),
  ),
  lie("takes-echo-behind-any-next-header", "ESP-PING-02", "Next Header 59 for 144", () => ({
    esp: {
      incoming: (result) =>
        result.ok && result.nextHeader === 59 ? { ...result, nextHeader: AGGFRAG } : result,
    },
  })),
];

/** Says the Data Length that is there before it looks. */
function echoesExcess(): LieBehaviour {
  return {
    esp: {
      incoming: (result) => {
        if (!result.ok || result.nextHeader !== AGGFRAG || result.payload.length < 12) return result;
        const payload = result.payload.slice();
        const present = payload.length - 12;
        payload.set([present >>> 8, present & 0xff], 2);
        return { ...result, payload };
      },
    },
  };
}

const congestion = [
  lie("joins-data-blocks-to-congestion-echoes", "ESP-PING-32", "a congestion payload of 32 octets", () => ({
    esp: {
      outgoing: (packet) => {
        if (packet.nextHeader === AGGFRAG && packet.payload[0] === 1)
          packet.payload = concat(packet.payload, DATA_BLOCK);
      },
    },
  })),
];

export const espEchoLies = [...announcement, ...replies, ...paths, ...malformed, ...congestion];
