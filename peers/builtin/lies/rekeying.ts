/** Lies about CREATE_CHILD_SA and Delete. */
import { notifies } from "../../../harness/ike/payloads.ts";
import { equal } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, eachPayload, inMessage, lastHostOnly } from "./tools.ts";

const childSas = [
  lie(
    "keys-new-child-sas-with-the-first-nonces",
    "IKEV2-173",
    "KEYMAT of a new Child SA takes old nonces",
    () => ({
      ike: {
        childKeys: (inputs) => {
          inputs.Ni = inputs.sa.Ni;
          inputs.Nr = inputs.sa.Nr;
        },
      },
    }),
  ),
  decides("leaves-g-ir-out-of-keymat", "IKEV2-174", "PFS on the wire only", {
    "key exchange in CREATE_CHILD_SA": "leave out of KEYMAT",
  }),
  lie("omits-rekey-sa", "IKEV2-031", "a rekey that looks like a new Child SA", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, (message) => {
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.REKEY_SA,
        );
      }),
    },
  })),
  lie(
    "names-its-outbound-spi-in-rekey-sa",
    "IKEV2-032",
    "REKEY_SA has the SPI of the other direction",
    () => ({
      ike: {
        outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, ({ sa, payloads }) => {
          for (const rekey of notifies(payloads, NOTIFY.REKEY_SA)) {
            rekey.spi = sa?.children.find((c) => equal(c.spiIn, rekey.spi))?.spiOut ?? rekey.spi;
          }
        }),
      },
    }),
  ),
  lie(
    "offers-less-traffic-in-a-rekey",
    "IKEV2-145",
    "TSi and TSr of a rekey request are one host each",
    () => ({
      ike: { outgoing: inMessage(EXCHANGE.CREATE_CHILD_SA, eachPayload("TS", lastHostOnly), "request") },
    }),
  ),
  decides("keeps-the-replaced-child-sa", "IKEV2-130", "no Delete of the SA it replaced", {
    "replaced Child SA": "keep",
  }),
  lie(
    "drops-a-child-sa-once-replaced",
    "IKEV2-125",
    "forgets the keys of the old SA at the new one's start",
    () => ({
      ike: {
        childEstablished: ({ replaces }) => {
          if (replaces) replaces.keysIn.encr.fill(0);
        },
      },
    }),
  ),
  lie("misses-the-first-esp-packet", "IKEV2-123", "the first packet of every Child SA is lost", () => ({
    esp: {
      incoming: (result) =>
        result.ok && result.sequence === 1n ? { ok: false, reason: "spi", detail: "not ready yet" } : result,
    },
  })),
];

export const rekeyingLies: readonly Lie[] = [...childSas];
