/** Planted breaches of RFC 7296 itself, each a change of an honest conversation. */
import { plantedInAuth } from "./auth.ts";
import { plantedInExchanges } from "./exchanges.ts";
import { plantedInHeader } from "./header.ts";
import { plantedInKeyExchange } from "./key-exchange.ts";
import { plantedInNotifies } from "./notifies.ts";
import { plantedInOffers } from "./offers.ts";
import type { Planted } from "./rows.ts";

export const PLANTED: readonly Planted[] = [
  ...plantedInHeader,
  ...plantedInExchanges,
  ...plantedInOffers,
  ...plantedInKeyExchange,
  ...plantedInNotifies,
  ...plantedInAuth,
];
