/** Lies about half-open SAs and the fragments that wait under them. */
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { lie } from "./lie.ts";

const MANY = 10;

export const halfOpenLies = [
  lie("serves-nobody-beside-ten-others", "INT-28", "silence once ten SAs are half open", () => ({
    ike: {
      incoming: ({ header, isResponse }, core) =>
        header.exchangeType === EXCHANGE.IKE_SA_INIT && !isResponse && core.halfOpen.waiting >= MANY
          ? "drop"
          : undefined,
    },
  })),
  lie(
    "collects-nothing-beside-ten-others",
    "INT-15",
    "no fragments are taken once ten SAs are half open",
    () => {
      let waiting = 0;
      return {
        ike: {
          incoming: (_message, core) => {
            waiting = core.halfOpen.waiting;
            return undefined;
          },
          decide: {
            get fragment() {
              return waiting >= MANY ? "drop" : "collect";
            },
          },
        },
      };
    },
  ),
];
