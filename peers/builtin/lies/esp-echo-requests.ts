/** Lies of a peer that sends ESP echo requests by itself. */
import { concat, readU16, readU32 } from "../../../harness/wire/bytes.ts";
import { defaultPadding } from "../../../harness/wire/esp.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { changesEcho } from "./esp-echo.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";

const REQUEST = { kind: "request" } as const;
const WITHIN = { kind: "request", plain: false } as const;
const PLAIN = { kind: "request", plain: true } as const;
/** On SPI 7, with Next Header 59. */
const DUMMY = Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 0, 1, 2, 2, 59);

const numbers = [
  changesEcho("repeats-echo-sequence-numbers", "ESP-PING-09", "always 1", REQUEST, ({ echo }) => {
    echo.sequence = 1;
  }),
  lie("draws-an-identifier-for-each-request", "ESP-PING-07", "another one each time", () =>
    identifies((n) => 7 * n * n),
  ),
  lie("gives-all-sessions-one-identifier", "ESP-PING-C-03", "always 7", () => identifies(() => 7)),
];

/** Gives the n-th request this Identifier. */
function identifies(identifier: (n: number) => number): LieBehaviour {
  let count = 0;
  return {
    echo: {
      outgoing: ({ kind, echo }) => {
        if (kind === "request") echo.identifier = identifier(count++) & 0xffff;
      },
    },
  };
}

const form = [
  changesEcho(
    "asks-for-replies-on-a-strange-spi",
    "ESP-PING-16",
    "an SPI that is nobody's",
    WITHIN,
    ({ echo }) => {
      echo.flags = 0x81;
      echo.replySpi = 0xdeadbeef;
    },
  ),
  changesEcho(
    "sends-echo-requests-with-next-header-59",
    "ESP-PING-02",
    "a dummy packet",
    WITHIN,
    (outgoing) => {
      outgoing.nextHeader = 59;
    },
  ),
  changesEcho(
    "asks-for-plain-replies-on-another-spi",
    "ESP-PING-14",
    "Reply path SPI 7",
    PLAIN,
    ({ echo }) => {
      echo.replySpi = 7;
    },
  ),
  changesEcho("sends-plain-requests-on-spi-8", "ESP-PING-22", "SPI 8", PLAIN, ({ plain }) => {
    if (plain) plain.spi = 8;
  }),
  changesEcho("pads-plain-requests-beyond-3-octets", "ESP-PING-13", "8 octets", PLAIN, ({ plain }) => {
    if (plain) plain.trailer.padding = defaultPadding(8);
  }),
  changesEcho(
    "sends-plain-requests-with-next-header-59",
    "ESP-PING-02",
    "Next Header 59",
    PLAIN,
    (outgoing) => {
      outgoing.nextHeader = 59;
    },
  ),
  changesEcho("adds-an-icv-to-plain-requests", "ESP-PING-25", "16 octets more", PLAIN, (outgoing) => {
    outgoing.octets = (packet) => [concat(packet, new Uint8Array(16))];
  }),
];

const failures = [
  lie(
    "sends-in-clear-when-probes-fail",
    "ESP-PING-34",
    "its packets leave in clear, too, once it probed",
    () => leaks(),
  ),
  lie("gives-up-after-silence-to-plain-probes", "ESP-PING-28", "begins no IKE SA any more", () => givesUp()),
  lie(
    "sends-dummies-on-spi-7",
    "ESP-PING-C-07",
    "a dummy packet outside of its SA behind each packet",
    () => ({
      esp: {
        outgoing: (packet) => {
          packet.octets = (sealed) => [sealed, DUMMY];
        },
      },
    }),
  ),
  lie("dies-of-replies-to-others", "ESP-PING-C-04a", "ends at a reply on SPI 8 that is not its own", () =>
    dies(),
  ),
];

function leaks(): LieBehaviour {
  let probed = false;
  return {
    echo: {
      outgoing: () => {
        probed = true;
      },
    },
    esp: {
      outgoing: (packet) => {
        packet.leak = probed;
      },
    },
  };
}

function givesUp(): LieBehaviour {
  let probed = false;
  return {
    echo: {
      outgoing: ({ plain }) => {
        probed ||= plain !== undefined;
      },
    },
    ike: {
      outgoing: (message) => {
        if (probed && message.header.exchangeType === EXCHANGE.IKE_SA_INIT && !message.isResponse)
          message.octets = () => [];
      },
    },
  };
}

function dies(): LieBehaviour {
  const own = new Set<number>();
  return {
    echo: {
      outgoing: ({ echo }) => void own.add(echo.identifier),
    },
    diesOf: (octets) => octets.length >= 12 && readU32(octets, 0) === 8 && !own.has(readU16(octets, 8)),
  };
}

export const echoRequestLies: readonly Lie[] = [...numbers, ...form, ...failures];
