/** What stands in notifications, and notifications where none are. */
import { concat, EMPTY, fromHex, u16 } from "../../harness/wire/bytes.ts";
import { NOTIFY, notifyTypes } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { NotifyPayload, Payload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import {
  clamp,
  drawPattern,
  drawSize,
  kindOperator,
  MOST_OCTETS,
  messageOperator,
  repeat,
  sizeOf,
} from "./build.ts";
import { numbersIn } from "./numbers.ts";
import type { IkeOperator } from "./operator.ts";

const notify = (notifyType: number, data: Uint8Array, protocolId = 0, spi = EMPTY): NotifyPayload => ({
  ...{ kind: "Notify", type: PAYLOAD.NOTIFY },
  ...{ protocolId, spi, notifyType, data },
});

/** Adds one behind all payloads, or in front of them. */
const added = (name: string, effect: string, types: readonly number[], first: boolean): IkeOperator =>
  messageOperator({
    ...{ name, effect, family: "content" },
    draw: (_, dice) => ({ value: dice.pick(types), octets: drawData(dice) }),
    apply(message, { value, octets }) {
      const one = notify(value & 0xffff, octets);
      message.payloads = first ? [one, ...message.payloads] : [...message.payloads, one];
      return true;
    },
  });

const drawData = (dice: Dice): Uint8Array =>
  dice.chance(0.4) ? EMPTY : repeat(drawPattern(dice), clamp(drawSize(dice), 0, 600));

const { assigned, unassigned } = numbersIn(notifyTypes);
const errors = assigned.filter((type) => type < 16_384);
const statuses = assigned.filter((type) => type >= 16_384);

/** Notifications whose data are a list or of one size; sent with others. */
const SIZED = [
  NOTIFY.COOKIE,
  NOTIFY.NAT_DETECTION_SOURCE_IP,
  NOTIFY.NAT_DETECTION_DESTINATION_IP,
  NOTIFY.SIGNATURE_HASH_ALGORITHMS,
  NOTIFY.INVALID_KE_PAYLOAD,
  NOTIFY.SET_WINDOW_SIZE,
  NOTIFY.IPCOMP_SUPPORTED,
  NOTIFY.ADDITIONAL_IP4_ADDRESS,
  NOTIFY.ADDITIONAL_IP6_ADDRESS,
  NOTIFY.REDIRECT,
  NOTIFY.REDIRECTED_FROM,
  NOTIFY.TICKET_OPAQUE,
  NOTIFY.TICKET_LT_OPAQUE,
  NOTIFY.AUTH_LIFETIME,
  NOTIFY.QUICK_CRASH_DETECTION,
  NOTIFY.COOKIE2,
  NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED,
  NOTIFY.PPK_IDENTITY,
  NOTIFY.USE_PPK,
];

/** Lists of hash algorithms: SHA2-256, none, unknown ones, several. */
const HASHES = ["0002", "0000", "ffff", "000100020005"].map((digits) => fromHex(digits));

/** Pairs that contradict each other. */
const CONTRADICTIONS: readonly (readonly [number, number])[] = [
  [NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.USE_TRANSPORT_MODE],
  [NOTIFY.INITIAL_CONTACT, NOTIFY.REKEY_SA],
  [NOTIFY.AUTHENTICATION_FAILED, NOTIFY.INITIAL_CONTACT],
  [NOTIFY.COOKIE, NOTIFY.INVALID_KE_PAYLOAD],
  [NOTIFY.USE_TRANSPORT_MODE, NOTIFY.NON_FIRST_FRAGMENTS_ALSO],
  [NOTIFY.CHILDLESS_IKEV2_SUPPORTED, NOTIFY.CHILD_SA_NOT_FOUND],
  [NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED, NOTIFY.INVALID_SYNTAX],
  [NOTIFY.TEMPORARY_FAILURE, NOTIFY.REKEY_SA],
];

const addOperators: readonly IkeOperator[] = [
  added("notify-status", "Adds a status notification, of any exchange and data.", statuses, false),
  added("notify-status-first", "Puts a status notification of any exchange in front.", statuses, true),
  added("notify-error", "Adds an error notification of any data.", errors, false),
  added("notify-unknown", "Adds a notification of an unassigned or private type.", unassigned, false),
  added(
    "notify-sized",
    "Adds a notification whose data have a size that its type does not have.",
    SIZED,
    false,
  ),
  messageOperator({
    name: "notify-contradiction",
    family: "content",
    effect: "Adds two notifications that contradict each other.",
    draw: (_, dice) => ({ value: dice.number(CONTRADICTIONS.length) }),
    apply(message, { value }) {
      const pair = CONTRADICTIONS[value];
      if (pair) message.payloads = [...message.payloads, ...pair.map((type) => notify(type, EMPTY))];
      return pair !== undefined;
    },
  }),
  messageOperator({
    name: "notify-rekey",
    family: "content",
    effect: "Adds REKEY_SA with an SPI that is no one's, of any size and protocol.",
    draw: (_, dice) => ({
      value: dice.pick([3, 3, 3, 2, 1, 0, 255]),
      octets: repeat(drawPattern(dice), dice.pick([4, 4, 4, 0, 1, 3, 8, 255])),
    }),
    apply(message, { value, octets }) {
      const rekey = notify(NOTIFY.REKEY_SA, EMPTY, value & 0xff, octets.subarray(0, 255));
      message.payloads = [rekey, ...message.payloads];
      return true;
    },
  }),
  messageOperator({
    name: "notify-flood",
    family: "content",
    effect: "Adds a notification up to thousands of times: two octets count them, then its data.",
    draw: (_, dice) => ({
      value: dice.chance(0.7) ? dice.pick(SIZED) : dice.pick(assigned),
      octets: concat(
        u16(dice.pick([2, 3, 16, 64, 200, 1000, 7000])),
        dice.chance(0.5) ? EMPTY : dice.octets(20),
      ),
    }),
    apply(message, { value, octets }) {
      const one = notify(value & 0xffff, octets.subarray(2));
      const room = Math.floor((MOST_OCTETS - sizeOf(message.payloads)) / sizeOf([one]));
      const count = clamp((octets[0] ?? 0) * 256 + (octets[1] ?? 0), 0, room);
      message.payloads = [...message.payloads, ...Array<Payload>(count).fill(one)];
      return count > 0;
    },
  }),
  messageOperator({
    name: "signature-hashes",
    family: "content",
    effect: "Sends SIGNATURE_HASH_ALGORITHMS of odd length, with unknown hashes or thousands.",
    draw: (_, dice) => ({
      value: dice.pick([0, 1, 2, 3, 5, 255, 4096, 20_001]),
      octets: dice.pick(HASHES),
    }),
    apply(message, { value, octets }) {
      const others = message.payloads.filter(
        (payload) => payload.kind !== "Notify" || payload.notifyType !== NOTIFY.SIGNATURE_HASH_ALGORITHMS,
      );
      const data = repeat(octets, clamp(value, 0, MOST_OCTETS));
      message.payloads = [...others, notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, data)];
      return true;
    },
  }),
];

const changeOperators: readonly IkeOperator[] = [
  kindOperator("Notify", {
    name: "notify-spi",
    family: "content",
    effect: "Gives a notification a protocol and an SPI that it does not have.",
    draw: (_, dice) => ({
      value: dice.pick([0, 1, 2, 3, 4, 200, 255]),
      octets: repeat(drawPattern(dice), dice.pick([1, 4, 8, 16, 255])),
    }),
    apply({ payload }, { value, octets }) {
      payload.protocolId = value & 0xff;
      payload.spi = octets.subarray(0, 255);
      return payload.spi.length > 0;
    },
  }),
  kindOperator("Notify", {
    name: "notify-data",
    family: "content",
    effect: "Gives a notification data of any size.",
    draw: (_, dice) => ({
      value: drawSize(dice),
      octets: dice.chance(0.5) ? drawPattern(dice) : dice.octets(8),
    }),
    apply({ payload }, { value, octets }) {
      const data = repeat(octets, clamp(value, 0, MOST_OCTETS));
      if (Buffer.compare(data, payload.data) === 0) return false;
      payload.data = data;
      return true;
    },
  }),
];

export const notifiesOperators: readonly IkeOperator[] = [...addOperators, ...changeOperators];
