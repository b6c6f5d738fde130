/** Planted breaches: notifies, deletes, rekeys. */
import { EMPTY, fromHex } from "../../../../wire/bytes.ts";
import { NOTIFY } from "../../../../wire/registry/notify-types.ts";
import { PROTOCOL } from "../../../../wire/registry/protocol-ids.ts";
import { notify, notifyOf, remove } from "../payloads.ts";
import { answer, ask, SPI, whole } from "./conversations.ts";
import { add, message, type Planted, payload } from "./rows.ts";
import type { Said } from "./said.ts";

/** Puts a notify of these octets into the answer to the Delete, and ends there. */
const answered =
  (type: number, data: Uint8Array = EMPTY) =>
  (said: Said[]): void =>
    add(said, 8, notify(type, data));

const critical = { kind: "raw" as const, type: 100, data: fromHex("00"), critical: true };

const inNotifies: Planted[] = [
  {
    rule: "notify-protocol-without-spi",
    of: whole,
    change: (said) => {
      payload(said, 3, "Notify").protocolId = 1;
    },
    at: "3 @SK+78 N(INITIAL_CONTACT) > protocol",
  },
  {
    rule: "notify-spi-of-no-child-sa",
    of: whole,
    change: (said) => {
      payload(said, 5, "Notify").protocolId = 1;
    },
    at: "5 @SK+4 N(REKEY_SA) > protocol",
  },
  {
    rule: "length-of-set-window-size",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.SET_WINDOW_SIZE, fromHex("0004"))),
    at: "4 @SK+173 N(SET_WINDOW_SIZE) > data",
  },
  {
    rule: "length-of-invalid-message-id",
    of: whole,
    change: (said) => add(said, 7, notify(NOTIFY.INVALID_MESSAGE_ID)),
    at: "7 @SK+20 N(INVALID_MESSAGE_ID) > data",
  },
  {
    rule: "length-of-unsupported-critical-payload",
    of: whole,
    change: answered(NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD),
    at: "8 @SK+20 N(UNSUPPORTED_CRITICAL_PAYLOAD) > data",
  },
  {
    rule: "length-of-nat-detection-source-ip",
    of: whole,
    change: (said) => {
      payload(said, 1, "Notify").data = new Uint8Array(16);
    },
    at: "1 @196 N(NAT_DETECTION_SOURCE_IP) > data",
  },
  {
    rule: "length-of-nat-detection-destination-ip",
    of: whole,
    change: (said) => {
      payload(said, 1, "Notify", 1).data = new Uint8Array(16);
    },
    at: "1 @224 N(NAT_DETECTION_DESTINATION_IP) > data",
  },
  {
    rule: "invalid-message-id-in-response",
    of: whole,
    change: answered(NOTIFY.INVALID_MESSAGE_ID, fromHex("00000009")),
    at: "8 @SK+12 N(INVALID_MESSAGE_ID)",
  },
  {
    rule: "initial-contact-too-late",
    of: whole,
    change: (said) => add(said, 7, notify(NOTIFY.INITIAL_CONTACT)),
    at: "7 @SK+12 N(INITIAL_CONTACT)",
  },
  {
    rule: "nat-detection-without-its-pair",
    of: whole,
    change: (said) => {
      message(said, 1).payloads.pop();
    },
    at: "1 @188 N(NAT_DETECTION_SOURCE_IP)",
  },
  {
    rule: "ipcomp-without-sa",
    of: whole,
    change: (said) => add(said, 7, notify(NOTIFY.IPCOMP_SUPPORTED, fromHex("123402"))),
    at: "7 @SK+12 N(IPCOMP_SUPPORTED)",
  },
  {
    rule: "several-ipcomp-in-response",
    of: whole,
    change: (said) => {
      for (const at of [3, 4, 4]) add(said, at, notify(NOTIFY.IPCOMP_SUPPORTED, fromHex("123402")));
    },
    at: "4 @SK+176 N(IPCOMP_SUPPORTED)",
  },
  {
    rule: "ipcomp-not-offered",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.IPCOMP_SUPPORTED, fromHex("123402"))),
    at: "4 @SK+175 N(IPCOMP_SUPPORTED) > data",
  },
  {
    rule: "transport-mode-not-asked-for",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.USE_TRANSPORT_MODE)),
    at: "4 @SK+165 N(USE_TRANSPORT_MODE)",
  },
  {
    rule: "non-first-fragments-not-asked-for",
    of: whole,
    change: (said) => add(said, 4, notify(NOTIFY.NON_FIRST_FRAGMENTS_ALSO)),
    at: "4 @SK+165 N(NON_FIRST_FRAGMENTS_ALSO)",
  },
  {
    rule: "child-sa-not-found-of-another-spi",
    of: whole,
    change: (said) => {
      message(said, 6).payloads = [notifyOf(NOTIFY.CHILD_SA_NOT_FOUND, SPI.second.a)];
      said.splice(6);
    },
    at: "6 @SK+8 N(CHILD_SA_NOT_FOUND) > SPI",
  },
  { rule: "critical-payload-overlooked", of: whole, change: (said) => add(said, 7, critical), at: "8" },
  {
    rule: "unsupported-critical-payload-of-another-type",
    of: whole,
    change: (said) => {
      add(said, 7, critical);
      message(said, 8).payloads = [notify(NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(101))];
    },
    at: "8 @SK+8 N(UNSUPPORTED_CRITICAL_PAYLOAD) > data",
  },
];

const inDeletes: Planted[] = [
  {
    rule: "spi-size-of-delete",
    of: whole,
    change: (said) => {
      message(said, 11).payloads = [remove(PROTOCOL.IKE, new Uint8Array(8))];
    },
    at: "11 @SK+5 DELETE > SPI size",
  },
  {
    rule: "spi-count-of-delete",
    of: whole,
    change: (said) => {
      payload(said, 7, "Delete").spiCount = 2;
    },
    at: "7 @SK+6 DELETE > SPI count",
  },
  {
    rule: "delete-of-both-directions",
    of: whole,
    change: (said) => {
      message(said, 7).payloads = [remove(PROTOCOL.ESP, SPI.first.a, SPI.first.b)];
    },
    at: "7 @SK+12 DELETE > SPI",
  },
  {
    rule: "delete-answer-with-spis-of-the-request",
    of: whole,
    change: (said) => {
      message(said, 8).payloads = [remove(PROTOCOL.ESP, SPI.first.a)];
    },
    at: "8 @SK+8 DELETE > SPI",
  },
  {
    rule: "answer-to-ike-delete-not-empty",
    of: whole,
    change: (said) => add(said, 12, remove(PROTOCOL.IKE)),
    at: "12 @SK+0 DELETE",
  },
  {
    rule: "delete-in-answer-to-crossed-delete",
    of: whole,
    change: (said) => {
      said.splice(7, 0, { ...ask(0, remove(PROTOCOL.ESP, SPI.first.b)), by: "b" });
      said.splice(9);
    },
    at: "9 @SK+8 DELETE > SPI",
  },
  {
    rule: "request-after-ike-delete",
    of: whole,
    change: (said) => {
      said.push(ask(6), answer(6));
    },
    at: "15",
  },
];

const inRekeys: Planted[] = [
  {
    rule: "rekey-sa-with-data",
    of: whole,
    change: (said) => {
      payload(said, 5, "Notify").data = fromHex("00");
    },
    at: "5 @SK+12 N(REKEY_SA) > data",
  },
  {
    rule: "rekey-sa-of-the-other-direction",
    of: whole,
    change: (said) => {
      payload(said, 5, "Notify").spi = SPI.first.b;
    },
    at: "5 @SK+8 N(REKEY_SA) > SPI",
  },
  {
    rule: "mode-notify-not-repeated-in-rekey",
    of: whole,
    change: (said) => {
      for (const at of [3, 4]) add(said, at, notify(NOTIFY.USE_TRANSPORT_MODE));
    },
    at: "5 N(USE_TRANSPORT_MODE)",
  },
  {
    rule: "create-child-sa-on-rekeyed-ike-sa",
    of: whole,
    change: (said) => {
      const again = { ...message(said, 5), id: 5 };
      said.splice(10, 4, {
        ...again,
        payloads: again.payloads.map((one) =>
          one.kind === "Nonce" ? { ...one, data: new Uint8Array(32) } : one,
        ),
      });
    },
    at: "11 @18 header > exchange type",
  },
];

export const plantedInNotifies: readonly Planted[] = [...inNotifies, ...inDeletes, ...inRekeys];
