/** Lies in IKE_SA_INIT and IKE_AUTH. */
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { lie } from "./lie.ts";
import { inMessage, without } from "./tools.ts";

export const setupLies = [
  lie("omits-nonce", "IKEV2-266", "no Nonce in IKE_SA_INIT", () => ({
    ike: { outgoing: inMessage(EXCHANGE.IKE_SA_INIT, without(PAYLOAD.NONCE)) },
  })),
];
