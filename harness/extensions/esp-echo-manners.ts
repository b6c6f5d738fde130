/** How an end of ESP echo behaves, in the places where a script or a lie may want it otherwise. */
import type { EspSendOptions } from "../esp/hooks.ts";
import type { Echo } from "../wire/esp-echo.ts";
import type { PlainTrailer } from "../wire/esp-echo-plain.ts";

/** Places where an end decides. The first answer is ordinary. */
export interface EchoDecisions {
  "echo outside of the selectors": "answer" | "drop";
  "one-way probe": "consume" | "answer" | "answer where the SPI is known";
  "the bit R": "of the revision" | "any";
  "reply path": "as asked" | "another";
  "unknown reply path": "the pair" | "silence" | "the SPI all the same";
  "reply path of another peer": "refuse" | "use";
  "later Child SA": "answer" | "ignore";
  "peer that announced nothing": "ignore" | "answer";
  "received reply": "drop" | "answer";
  "unknown sub-type": "drop" | "answer";
  "wrong Data Length": "drop" | "answer";
  "data of a reply": "as much as fits" | "512 octets, Data Length as asked" | "as asked";
  "reserved bits": "ignore" | "drop";
  "plain echo": "answer" | "answer beside an SA" | "answer out of UDP";
  "repeated plain echo": "answer" | "drop";
  "reply path of a plain echo": "the reply SPI only" | "any";
  "Next Header of a plain echo": "check" | "any";
  "padding of a plain echo": "at most 3" | "any";
  "sub-type of a plain echo": "as the SPI says" | "any";
  "echo to many": "drop" | "answer";
  "reply rate": "limited" | "unlimited";
}

/** An echo before it is sent; every value is open to change. */
export interface OutgoingEcho {
  kind: "request" | "reply";
  echo: Echo;
  nextHeader: number;
  /** Set for a packet outside of SAs. */
  plain?: { spi: number; espSequence: number; trailer: PlainTrailer };
  /** How one inside of an SA is sealed. */
  how: EspSendOptions;
  /** Set to change the whole payload, or the whole plain packet, last of all; an empty list sends nothing. */
  octets?: (octets: Uint8Array) => Uint8Array[];
}

export interface EchoManners {
  decide?: Partial<EchoDecisions>;
  outgoing?(echo: OutgoingEcho): void;
}

/** The ordinary answer, unless some manners have another one; the last wins. */
export function decideEcho<P extends keyof EchoDecisions>(
  manners: readonly EchoManners[],
  point: P,
  ordinary: EchoDecisions[P],
): EchoDecisions[P] {
  let answer = ordinary;
  for (const { decide } of manners) answer = decide?.[point] ?? answer;
  return answer;
}
