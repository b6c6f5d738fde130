/** Lies about ESP echo outside of SAs. */
import type { EspExtension } from "../../../harness/esp/hooks.ts";
import { ESP_TRAILER } from "../../../harness/esp/sa.ts";
import { concat, readU16, readU32 } from "../../../harness/wire/bytes.ts";
import { defaultPadding, ESP_HEADER } from "../../../harness/wire/esp.ts";
import { encodePlain } from "../../../harness/wire/esp-echo-plain.ts";
import { changesEcho, decidesEcho } from "./esp-echo.ts";
import { type LieBehaviour, lie } from "./lie.ts";

const REQUEST = 7;
const REPLY = Uint8Array.of(0, 0, 0, 8);
const SHORTEST = 24;
/** Of the fixed header. */
const HEADER = 12;

const isOn = (octets: Uint8Array, spi: number): boolean => octets.length >= 4 && readU32(octets, 0) === spi;

/** Answers strays beside the ordinary peer, which drops them. */
const answersStrays = (answer: NonNullable<EspExtension["stray"]>): LieBehaviour => ({
  esp: { stray: answer },
});

/** A copy on the SPI of replies. */
const copy = (octets: Uint8Array): Uint8Array[] => [concat(REPLY, octets.subarray(4))];

/** Whether more octets than padding and trailer stand behind Data. */
const hasExcess = (octets: Uint8Array): boolean =>
  octets.length >= SHORTEST && octets.length > ESP_HEADER + HEADER + readU16(octets, 10) + 3 + ESP_TRAILER;

/** The reply of who reads these octets as a request of the newest revision. */
function misread(octets: Uint8Array): Uint8Array {
  const [identifier, sequence] = octets.length < 16 ? [0, 0] : [readU16(octets, 12), readU16(octets, 14)];
  const echo = { subType: 3, flags: 0, identifier, sequence, data: octets.subarray(16) };
  return encodePlain({ spi: 8, espSequence: 0, echo }, "M");
}

const PLAIN_REPLY = { kind: "reply", plain: true } as const;

const form = [
  decidesEcho("answers-plain-echo-beside-an-sa-only", "ESP-PING-26", "silence while there is no SA", {
    "plain echo": "answer beside an SA",
  }),
  decidesEcho("answers-plain-echo-outside-of-encapsulation-only", "ESP-PING-29", "silence in UDP and TCP", {
    "plain echo": "answer out of UDP",
  }),
  changesEcho(
    "answers-plain-echo-on-spi-7",
    "ESP-PING-22",
    "the SPI of the request",
    PLAIN_REPLY,
    ({ plain }) => {
      if (plain) plain.spi = REQUEST;
    },
  ),
  changesEcho("adds-an-icv-to-plain-replies", "ESP-PING-25", "16 octets more", PLAIN_REPLY, (outgoing) => {
    outgoing.octets = (packet) => [concat(packet, new Uint8Array(16))];
  }),
  changesEcho(
    "pads-plain-echoes-beyond-3-octets",
    "ESP-PING-13",
    "4 octets more than needed",
    PLAIN_REPLY,
    ({ plain, echo }) => {
      const least = (4 - ((HEADER + echo.data.length + 2) % 4)) % 4;
      if (plain) plain.trailer.padding = defaultPadding(least + 4);
    },
  ),
  changesEcho(
    "answers-plain-echo-with-next-header-61",
    "ESP-PING-02",
    "Next Header 61",
    PLAIN_REPLY,
    (outgoing) => {
      outgoing.nextHeader = 61;
    },
  ),
  decidesEcho("remembers-plain-requests", "ESP-PING-24", "answers the same octets once", {
    "repeated plain echo": "drop",
  }),
  lie("answers-plain-echo-on-the-spi-it-names", "ESP-PING-22", "the reply goes to Reply path SPI", () => ({
    echo: {
      decide: { "reply path of a plain echo": "any" },
      outgoing: ({ plain, echo }) => {
        if (plain) plain.spi = echo.replySpi ?? plain.spi;
      },
    },
  })),
  lie("stops-at-plain-requests", "ESP-PING-26", "takes no ESP of its SAs behind a packet on SPI 7", () =>
    stopsAtPlain(),
  ),
];

function stopsAtPlain(): LieBehaviour {
  let stopped = false;
  return {
    esp: {
      stray: (octets) => {
        stopped ||= isOn(octets, REQUEST);
        return [];
      },
      incoming: (result) => (stopped ? { ok: false, reason: "spi", detail: "a lie" } : result),
    },
  };
}

const contradictions = [
  decidesEcho("takes-any-sub-type-on-spi-7", "ESP-PING-40", "answers replies and unknown sub-types", {
    "sub-type of a plain echo": "any",
  }),
  lie("answers-on-spi-8", "ESP-PING-40", "a copy of what comes on SPI 8", () =>
    answersStrays((octets) => (isOn(octets, 8) ? copy(octets) : [])),
  ),
  decidesEcho("takes-plain-echo-behind-any-next-header", "ESP-PING-40", "does not look at Next Header", {
    "Next Header of a plain echo": "any",
  }),
  lie("echoes-what-is-behind-plain-data", "ESP-PING-36", "a copy of requests with octets behind Data", () =>
    answersStrays((octets) => (isOn(octets, REQUEST) && hasExcess(octets) ? copy(octets) : [])),
  ),
  lie("believes-any-pad-length-of-plain-echoes", "ESP-PING-40", "answers whatever Pad Length says", () =>
    answersStrays((octets) => (isOn(octets, REQUEST) && (octets.at(-2) ?? 0) > 3 ? copy(octets) : [])),
  ),
  lie("reads-plain-echo-of-the-prototype", "ESP-PING-40", "takes requests without trailer for its own", () =>
    answersStrays((octets) => (isOn(octets, REQUEST) && octets.at(-1) !== 144 ? [misread(octets)] : [])),
  ),
  lie("dies-of-short-plain-requests", "ESP-PING-36", "ends at a packet with no room for a request", () => ({
    diesOf: (octets) => isOn(octets, REQUEST) && octets.length < SHORTEST,
  })),
];

const amplification = [
  decidesEcho("answers-plain-echo-to-many", "ESP-PING-42", "answers what went to a multicast address", {
    "echo to many": "answer",
  }),
  lie("answers-floods-twice", "ESP-PING-35", "two replies for each request, without limit", () => ({
    echo: {
      decide: { "reply rate": "unlimited" },
      outgoing: (outgoing) => {
        outgoing.octets = (packet) => [packet, packet];
      },
    },
  })),
  lie("answers-floods-with-more-octets", "ESP-PING-35", "replies of twice the size, without limit", () => ({
    echo: {
      decide: { "reply rate": "unlimited" },
      outgoing: ({ echo }) => {
        echo.data = concat(echo.data, new Uint8Array(64));
        if (echo.dataLength !== undefined) echo.dataLength += 64;
      },
    },
  })),
];

export const plainEchoLies = [...form, ...contradictions, ...amplification];
