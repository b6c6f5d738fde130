/** Planted breaches: exchanges, retries of IKE_SA_INIT, SK. */
import { fromHex } from "../../../../wire/bytes.ts";
import { NOTIFY } from "../../../../wire/registry/notify-types.ts";
import { ikeSa, ke, nonce, notify } from "../payloads.ts";
import { answer, ask, REKEYED, whole, withCookie, withOtherGroup } from "./conversations.ts";
import { add, message, type Planted, payload } from "./rows.ts";
import type { Said } from "./said.ts";

/** The request of a packet again, each a second after the one before. */
const again = (said: Said[], packet: number, pausesMs: number[]): void => {
  said.push(...pausesMs.map((pauseMs) => ({ ...message(said, packet), iv: packet, pauseMs })));
};

/** A Message ID that nobody comes to by counting. */
const FAR = 0x0100_0000;

const inExchanges: Planted[] = [
  {
    rule: "message-id-skipped",
    of: whole,
    change: (said) => {
      for (const at of [7, 8]) message(said, at).id = FAR;
      said.splice(8);
    },
    at: "7 @20 header > message ID",
  },
  {
    rule: "message-id-skipped",
    of: whole,
    change: (said) => {
      for (const at of [3, 4]) message(said, at).id = 2;
      said.splice(4);
    },
    at: "3 @20 header > message ID",
  },
  {
    rule: "message-id-skipped",
    is: "IKEV2-065",
    of: whole,
    change: (said) => {
      said.splice(8, 6, { ...ask(FAR), by: "b" }, { ...answer(FAR), by: "a" });
    },
    at: "9 @20 header > message ID",
  },
  {
    rule: "message-id-skipped",
    is: "IKEV2-027",
    of: whole,
    change: (said) => {
      for (const at of [13, 14]) message(said, at).id = FAR;
    },
    at: "13 @20 header > message ID",
  },
  {
    rule: "response-to-no-request",
    of: whole,
    change: (said) => {
      message(said, 8).id = FAR;
      said.splice(8);
    },
    at: "8 @20 header > message ID",
  },
  {
    rule: "retransmission-not-identical",
    of: whole,
    change: (said) => {
      said.push({ ...message(said, 7), iv: 99 });
    },
    at: "15 @20 header > message ID",
  },
  {
    rule: "response-not-identical",
    of: whole,
    change: (said) => {
      said.push({ ...message(said, 8), iv: 99 });
    },
    at: "15 @20 header > message ID",
  },
  {
    rule: "request-beyond-window",
    of: whole,
    change: (said) => {
      said.splice(7, 7, ask(4), { ...message(said, 7), iv: 7, pauseMs: 500 });
    },
    at: "9 @20 header > message ID",
  },
  {
    rule: "request-beyond-window",
    is: "IKEV2-029",
    of: whole,
    change: (said) => {
      const repeat = { ...message(said, 13), iv: 13, pauseMs: 500 };
      said.splice(13, 1, { ...ask(1), by: "b", sa: REKEYED() }, repeat);
    },
    at: "15 @20 header > message ID",
  },
  {
    rule: "request-beyond-window",
    is: "IKEV2-070",
    of: whole,
    change: (said) => {
      add(said, 4, notify(NOTIFY.SET_WINDOW_SIZE, fromHex("00000002")));
      said.splice(6, 8, ask(3), ask(4), ask(5), { ...ask(3), iv: 7, pauseMs: 500 });
    },
    at: "10 @20 header > message ID",
  },
  { rule: "response-again-without-request", of: whole, change: (said) => again(said, 8, [5000]), at: "15" },
  {
    rule: "retransmission-without-backoff",
    of: whole,
    change: (said) => {
      said.splice(7);
      again(said, 7, [1000, 1000, 1000, 1000]);
    },
    at: "11",
  },
  {
    rule: "response-to-another-address",
    of: whole,
    change: (said) => {
      message(said, 4).destination = { host: "192.0.2.1", port: 4500 };
    },
    at: "4",
  },
  {
    rule: "informational-before-authentication",
    of: whole,
    change: (said) => {
      said.splice(2, 12, ask(1), answer(1));
    },
    at: "3 @18 header > exchange type",
  },
];

const inRetries: Planted[] = [
  {
    rule: "cookie-size",
    of: withCookie,
    change: (said) => {
      for (const at of [2, 3]) payload(said, at, "Notify").data = new Uint8Array(65);
    },
    at: "2 @36 N(COOKIE) > data",
  },
  {
    rule: "cookie-not-first",
    of: withCookie,
    change: (said) => {
      const { payloads } = message(said, 3);
      payloads.push(...payloads.splice(0, 1));
    },
    at: "3 @244 N(COOKIE)",
  },
  {
    rule: "cookie-not-echoed",
    of: withCookie,
    change: (said) => {
      payload(said, 3, "Notify").data = fromHex("c00c1f");
    },
    at: "3 @36 N(COOKIE) > data",
  },
  {
    rule: "cookie-retry-changed",
    of: withCookie,
    change: (said) => {
      const [cookie] = message(said, 3).payloads;
      message(said, 3).payloads = [
        ...(cookie ? [cookie] : []),
        ikeSa("aes256-sha256-x25519"),
        ke(),
        nonce(1),
      ];
    },
    at: "3",
  },
  {
    rule: "retry-with-another-group-than-asked-for",
    of: withOtherGroup,
    change: (said) => {
      for (const at of [1, 3])
        payload(said, at, "SA").proposals = ikeSa("aes256-sha256-modp2048-x25519-ecp256").proposals;
      for (const at of [3, 4])
        Object.assign(payload(said, at, "KE"), { group: 19, data: new Uint8Array(64) });
      payload(said, 4, "SA").proposals = ikeSa("aes256-sha256-ecp256").proposals;
    },
    at: "3 @96 KE > group",
  },
  {
    rule: "retry-with-another-offer",
    of: withOtherGroup,
    change: (said) => {
      payload(said, 3, "SA").proposals = ikeSa("aes256-sha256-x25519").proposals;
    },
    at: "3 @28 SA",
  },
];

const inSk: Planted[] = [
  {
    rule: "padding-longer-than-needed",
    of: whole,
    change: (said) => {
      message(said, 3).blocks = 2;
    },
    at: "3 @28 SK",
  },
  {
    rule: "iv-used-again",
    of: whole,
    change: (said) => {
      message(said, 5).iv = 3;
    },
    at: "5 @32 SK > IV",
  },
  {
    rule: "padding-longer-than-needed",
    is: "IKEV2-309",
    of: () => underAead("chacha20poly1305-prfsha256-x25519"),
    change: (said) => {
      message(said, 3).blocks = 2;
    },
    at: "3 @28 SK",
  },
  {
    rule: "iv-used-again",
    is: "IKEV2-302",
    of: () => underAead("aes256gcm16-prfsha256-x25519"),
    change: (said) => {
      message(said, 5).iv = 3;
    },
    at: "5 @32 SK > IV",
  },
];

/** The whole conversation with this suite. */
function underAead(suite: string): Said[] {
  const said = whole().map((one): Said => ({ ...one, ...(!one.inClear && { aead: true as const }) }));
  for (const packet of [1, 2]) payload(said, packet, "SA").proposals = ikeSa(suite).proposals;
  return said;
}

export const plantedInExchanges: readonly Planted[] = [...inExchanges, ...inRetries, ...inSk];
