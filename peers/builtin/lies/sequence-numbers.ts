/** Lies about the Sequence Numbers transform (RFC 9827) and the end of the numbers. */
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PROTOCOL } from "../../../harness/wire/registry/protocol-ids.ts";
import { SN } from "../../../harness/wire/registry/sn.ts";
import { TRANSFORM } from "../../../harness/wire/registry/transform-types.ts";
import type { Transform } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { eachPayload } from "./tools.ts";

const isSn = ({ type }: Transform): boolean => type === TRANSFORM.SN;
const number = (id: number): Transform => ({ type: TRANSFORM.SN, id, attributes: [] });

/** Changes the Sequence Numbers transforms in its ESP proposals. */
const inNumbers =
  (which: "offers" | "choices" | "both", change: (numbers: Transform[]) => Transform[]) =>
  (message: OutgoingMessage): void => {
    if (which !== "both" && message.isResponse !== (which === "choices")) return;
    eachPayload("SA", (sa) => {
      for (const p of sa.proposals) {
        const numbers = p.transforms.filter(isSn);
        if (p.protocolId === PROTOCOL.ESP)
          p.transforms = [...p.transforms.filter((t) => !isSn(t)), ...change(numbers)];
      }
    })(message);
  };

/** An id that nobody has. */
const UNKNOWN = 900;

/** A lie that makes nothing of a proposal with such Sequence Numbers transforms. */
const stumbles = (over: string, breaks: string, what: string, odd: (numbers: Transform[]) => boolean): Lie =>
  lie(`stumbles-over-${over}`, breaks, `${what} spoils the proposal`, () => ({
    ike: {
      incoming: ({ isResponse, payloads }) => {
        for (const sa of payloads) {
          if (sa.kind !== "SA" || isResponse) continue;
          for (const p of sa.proposals) if (odd(p.transforms.filter(isSn))) p.transforms = [number(UNKNOWN)];
        }
        return undefined;
      },
    },
  }));

export const sequenceNumberLies = [
  lie("swaps-the-meaning-of-sequence-numbers", "SN-01", "64-bit numbers for id 0, 32-bit for id 1", () => ({
    ike: {
      childEstablished: (child) => {
        child.esn = !child.esn;
      },
    },
  })),
  lie("uses-64-bit-numbers-unasked", "SN-07", "a high half in every ICV, whatever was negotiated", () => ({
    ike: {
      childEstablished: (child) => {
        child.esn = true;
      },
    },
  })),
  lie("leaves-out-sequence-numbers", "SN-02", "no type 5 in its ESP proposals", () => ({
    ike: { outgoing: inNumbers("both", () => []) },
  })),
  lie("leaves-out-sequence-numbers-when-rekeying", "SN-02", "no type 5 in its offers to rekey", () => ({
    ike: {
      outgoing: (message) => {
        if (message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA) inNumbers("offers", () => [])(message);
      },
    },
  })),
  lie("picks-two-sequence-numbers", "SN-03", "ids 0 and 1 in its choice", () => ({
    ike: { outgoing: inNumbers("choices", () => [number(SN.SEQUENTIAL_32), number(SN.PARTIAL_64)]) },
  })),
  lie("picks-sequence-numbers-nobody-offered", "SN-03", "id 7 in its choice", () => ({
    ike: { outgoing: inNumbers("choices", () => [number(7)]) },
  })),
  stumbles("unknown-sequence-numbers", "SN-04", "an id that it does not know", (numbers) =>
    numbers.some(({ id }) => id > SN.PARTIAL_64),
  ),
  stumbles("attributes-of-sequence-numbers", "SN-04", "an attribute of type 5", (numbers) =>
    numbers.some(({ attributes }) => attributes.length > 0),
  ),
  lie(
    "stumbles-over-sequence-numbers-in-front",
    "SN-03",
    "type 5 in the first place spoils the proposal",
    () => ({
      ike: {
        incoming: ({ isResponse, payloads }) => {
          for (const sa of payloads)
            if (sa.kind === "SA" && !isResponse)
              for (const p of sa.proposals)
                if (p.transforms[0] && isSn(p.transforms[0])) p.transforms = [number(UNKNOWN)];
          return undefined;
        },
      },
    }),
  ),
  stumbles("many-sequence-numbers", "SN-03", "more than 16 transforms of type 5", (n) => n.length > 16),
  lie("offers-32-bits-against-orders", "SN-05", "id 0 in every offer, though told 1 alone", () => ({
    ike: { outgoing: inNumbers("offers", (numbers) => [...numbers, number(SN.SEQUENTIAL_32)]) },
  })),
  lie("offers-64-bits-alone", "SN-05", "no id 0 beside 1", () => ({
    ike: {
      outgoing: inNumbers("offers", (numbers) =>
        numbers.some(({ id }) => id === SN.PARTIAL_64) ? [number(SN.PARTIAL_64)] : numbers,
      ),
    },
  })),
  lie("offers-numbers-of-eesp", "SN-11", "id 1024 in its offers for ESP", () => ({
    ike: { outgoing: inNumbers("offers", (numbers) => [...numbers, number(SN.SEQUENTIAL_64)]) },
  })),
  lie("lets-its-counter-cycle", "ARN-102", "begins again with 0, and rekeys nothing", () => ({
    deafTo: ["rekeyChild"],
    esp: {
      established: ({ outbound }) => {
        outbound.mayWrap = true;
      },
    },
  })),
];
