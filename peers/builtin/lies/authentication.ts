/** Lies about who somebody is: signatures, hashes, certificates, identities. */
import { hasNotify, notify } from "../../../harness/ike/payloads.ts";
import { AUTH_METHOD } from "../../../harness/wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { eachPayload, inMessage } from "./tools.ts";

const isHashes = (p: Payload): boolean =>
  p.kind === "Notify" && p.notifyType === NOTIFY.SIGNATURE_HASH_ALGORITHMS;

const signatureLies: Lie[] = [
  lie("spoils-its-signature", "SIGAUTH-03", "the last bit of the signature turned", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        eachPayload("AUTH", (auth) => {
          if (auth.method !== AUTH_METHOD.SHARED_KEY_MIC)
            auth.data = auth.data.map((octet, i) => (i === auth.data.length - 1 ? octet ^ 1 : octet));
        }),
      ),
    },
  })),
  lie(
    "keeps-to-the-old-methods",
    "SIGAUTH-02",
    "methods 1 and 9 to 11 although both announced hashes",
    () => ({
      ike: {
        incoming: ({ header, payloads }) => {
          const at = header.exchangeType === EXCHANGE.IKE_SA_INIT ? payloads.findIndex(isHashes) : -1;
          if (at >= 0) payloads.splice(at, 1);
          return undefined;
        },
        outgoing: inMessage(EXCHANGE.IKE_SA_INIT, ({ payloads }) => {
          const answers = payloads.some((p) => p.kind === "SA");
          if (!answers || hasNotify(payloads, NOTIFY.SIGNATURE_HASH_ALGORITHMS)) return;
          payloads.push(notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, Uint8Array.of(0, 2, 0, 3, 0, 4, 0, 5)));
        }),
      },
    }),
  ),
];

export const authenticationLies: readonly Lie[] = [...signatureLies];
