/** Lies about who somebody is: signatures, hashes, certificates, identities. */

import { hasNotify, notify, payload } from "../../../harness/ike/payloads.ts";
import type { Policy } from "../../../harness/ike/policy.ts";
import type { Fault } from "../../../harness/pki/path.ts";
import { hex, readU16 } from "../../../harness/wire/bytes.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../../../harness/wire/index.ts";
import { AUTH_METHOD } from "../../../harness/wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { NotifyPayload, Payload } from "../../../harness/wire/types.ts";
import { type Lie, type LieBehaviour, lie } from "./lie.ts";
import { eachNotify } from "./setup.ts";
import { decides, eachPayload, inMessage, without } from "./tools.ts";

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

/** Changes the list of hashes in IKE_SA_INIT. */
const inHashes = (change: (list: NotifyPayload) => void) =>
  inMessage(EXCHANGE.IKE_SA_INIT, eachNotify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, change));

const idsOf = ({ data }: NotifyPayload): number[] =>
  Array.from({ length: data.length >> 1 }, (_, i) => readU16(data, 2 * i));
const octetsOf = (ids: number[]): Uint8Array => Uint8Array.from(ids.flatMap((id) => [id >> 8, id & 255]));

const lists = (name: string, breaks: string, effect: string, change: (ids: number[]) => number[]): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      outgoing: inHashes((list) => {
        list.data = octetsOf(change(idsOf(list)));
      }),
    },
  }));

/** Changes the lists of the other end before the core sees them. */
const hears = (name: string, breaks: string, effect: string, change: (payloads: Payload[]) => void): Lie =>
  lie(name, breaks, effect, () => ({
    ike: {
      incoming: ({ header, payloads }) => {
        if (header.exchangeType === EXCHANGE.IKE_SA_INIT) change(payloads);
        return undefined;
      },
    },
  }));

/** What the other end lists is all that we list and accept ourselves. */
function oneHashForBothWays(): LieBehaviour {
  let own: Policy | undefined;
  return {
    policy: (policy) => {
      own = policy;
    },
    ike: {
      incoming: ({ header, payloads }) => {
        const list = payloads.find(isHashes);
        if (header.exchangeType !== EXCHANGE.IKE_SA_INIT || list?.kind !== "Notify" || !own) return undefined;
        const theirs = idsOf(list);
        own.signatureHashes = own.signatureHashes.filter((id) => theirs.includes(id));
        return undefined;
      },
    },
  };
}

const hashLies: Lie[] = [
  lie("announces-hashes-with-an-odd-octet", "SIGAUTH-09", "one octet behind the list of hashes", () => ({
    ike: {
      outgoing: inHashes((list) => {
        list.data = Uint8Array.of(...list.data, 0);
      }),
    },
  })),
  lie("announces-hashes-for-ike", "SIGAUTH-09", "Protocol ID 1 in SIGNATURE_HASH_ALGORITHMS", () => ({
    ike: {
      outgoing: inHashes((list) => {
        list.protocolId = 1;
      }),
    },
  })),
  lists("announces-sha1", "SIGAUTH-30", "SHA-1 among the hashes", (ids) => [1, ...ids]),
  lists("does-without-sha256", "SIGAUTH-28", "no SHA2-256 among the hashes", (ids) =>
    ids.filter((id) => id !== 2),
  ),
  lists("announces-identity-in-vain", "SIGAUTH-25", "Identity listed, EdDSA refused", (ids) => [...ids, 5]),
  lists("announces-no-identity", "SIGAUTH-24", "SHA-2 in place of Identity", () => [2, 3, 4]),
  lie(
    "announces-only-common-hashes",
    "SIGAUTH-10",
    "only hashes that the other end listed",
    oneHashForBothWays,
  ),
  lie(
    "insists-on-one-hash-for-both-ways",
    "SIGAUTH-12",
    "refuses a hash it may not use itself",
    oneHashForBothWays,
  ),
  decides("uses-a-hash-that-was-not-announced", "SIGAUTH-11", "SHA2-256 whatever the list says", {
    "hash of our signature": "any",
  }),
  hears("signs-by-rfc7427-unasked", "SIGAUTH-01", "method 14 for one who announced no hashes", (payloads) => {
    if (!payloads.some(isHashes))
      payloads.push(notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, octetsOf([2, 3, 4, 5])));
  }),
  hears(
    "stumbles-over-unknown-hashes",
    "SIGAUTH-14",
    "an older method where a hash is unknown",
    (payloads) => {
      const at = payloads.findIndex(
        (p) => p.kind === "Notify" && isHashes(p) && idsOf(p).some((id) => id > 7),
      );
      if (at >= 0) payloads.splice(at, 1);
    },
  ),
];

const overlooks = (name: string, effect: string, fault: Fault): Lie =>
  decides(name, "IKEV2-001", effect, { "certificate fault": fault });

/** Its object identifier. */
const SECP256K1 = "06052b8104000a";

const isCertificate = ({ kind }: Payload): boolean => kind === "CERT";

const certificateLies: Lie[] = [
  overlooks("accepts-an-expired-certificate", "an SA for a certificate that has expired", "expired"),
  overlooks("accepts-a-certificate-before-its-time", "an SA for one that is not valid yet", "not yet valid"),
  overlooks("accepts-a-certificate-of-another-name", "an SA for the certificate of another", "name"),
  overlooks(
    "accepts-a-certificate-with-a-broken-signature",
    "an SA for a forged certificate",
    "bad signature",
  ),
  overlooks(
    "accepts-a-certificate-of-an-unknown-issuer",
    "an SA for anybody's certificate",
    "unknown issuer",
  ),
  overlooks("accepts-a-certificate-issued-by-no-ca", "an SA where an end certificate is a CA's", "not a CA"),
  overlooks("accepts-a-certificate-for-another-use", "an SA for a certificate of other uses", "usage"),
  overlooks("accepts-an-unknown-critical-extension", "an SA where it cannot know", "critical extension"),
  lie("reads-one-certificate-only", "IKEV2-261", "refuses a certificate below another CA", () => ({
    ike: {
      incoming: (message) => {
        const [first] = message.payloads.filter(isCertificate);
        message.payloads = message.payloads.filter((p) => p === first || !isCertificate(p));
        return undefined;
      },
    },
  })),
  lie("sends-another-certificate-first", "IKEV2-003", "AUTH does not verify with the first CERT", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, ({ payloads }) => {
        const own = payloads.find(isCertificate);
        if (own?.kind !== "CERT") return;
        payloads.splice(payloads.indexOf(own), 0, {
          ...own,
          data: own.data.map((octet, i) => (i > 300 ? octet ^ 1 : octet)),
        });
      }),
    },
  })),
  lie("says-nothing-of-an-unknown-key", "SIGAUTH-17", "silence for a certificate on secp256k1", () => ({
    ike: {
      incoming: ({ payloads }) =>
        payloads.some((p) => p.kind === "CERT" && hex(p.data).includes(SECP256K1)) ? "drop" : undefined,
    },
  })),
  lie("sends-no-certificate", "IKEV2-264", "no CERT although one is asked for", () => ({
    ike: { outgoing: inMessage(EXCHANGE.IKE_AUTH, without(PAYLOAD.CERT)) },
  })),
];

/** Changes CERTREQ. */
const asks = (name: string, effect: string, change: (hashes: Uint8Array) => Uint8Array): Lie =>
  lie(name, "IKEV2-320", effect, () => ({
    ike: {
      outgoing: eachPayload("CERTREQ", (request) => {
        request.data = change(request.data);
      }),
    },
  }));

const requestLies: Lie[] = [
  asks("asks-for-certificates-of-another-ca", "a hash of no CA in CERTREQ", (hashes) =>
    hashes.map((octet) => octet ^ 1),
  ),
  asks("cuts-the-hashes-of-certreq", "hashes of 19 octets", (hashes) => hashes.subarray(0, 19)),
  lie("gives-up-for-an-unknown-ca", "IKEV2-263", "no AUTH for one who asks for another CA", () => ({
    ike: {
      incoming: ({ payloads }) => {
        const asked = payload(payloads, "CERTREQ");
        return asked?.data.every((octet) => octet === asked.data[0]) ? "drop" : undefined;
      },
    },
  })),
];

const own = (name: string, breaks: string, effect: string, policy: (policy: Policy) => void): Lie =>
  lie(name, breaks, effect, () => ({ policy }));

const identityLies: Lie[] = [
  own(
    "names-itself-by-another-type",
    "IKEV2-259",
    "its identity as KEY_ID, or a key id as name",
    ({ localId }) => {
      localId.type = localId.type === ID_TYPE.ID_KEY_ID ? ID_TYPE.ID_FQDN : ID_TYPE.ID_KEY_ID;
    },
  ),
  own("ends-its-identity-with-a-nul", "IKEV2-258", "a NUL behind its identity", ({ localId }) => {
    localId.data = Uint8Array.of(...localId.data, 0);
  }),
  lie(
    "leaves-reserved-octets-out-of-auth",
    "IKEV2-161",
    "refuses an identity with reserved octets set",
    () => ({
      ike: {
        authOctets: (inputs) => {
          inputs.idBody = inputs.idBody.map((octet, i) => (i > 0 && i < 4 ? 0 : octet));
        },
      },
    }),
  ),
  lie("sets-the-reserved-octets-of-its-identity", "IKEV2-257", "reserved octets that are not zero", () => ({
    ike: {
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        eachPayload("ID", (id) => {
          id.reserved3 = 0x010203;
        }),
      ),
    },
  })),
];

/** Keeps the first IKE_SA_INIT request of an SA, and takes it for the one that AUTH covers. */
function firstRequest(): LieBehaviour {
  const first = new Map<string, Uint8Array>();
  const keep = (spiI: Uint8Array, octets: Uint8Array): void => {
    if (!first.has(hex(spiI))) first.set(hex(spiI), octets);
  };
  return {
    ike: {
      incoming: ({ header, isResponse, octets }) => {
        if (header.exchangeType === EXCHANGE.IKE_SA_INIT && !isResponse) keep(header.spiI, octets);
        return undefined;
      },
      outgoing: inMessage(
        EXCHANGE.IKE_SA_INIT,
        (message) => {
          message.octets = (octets) => {
            keep(message.header.spiI, octets);
            return [octets];
          };
        },
        "request",
      ),
      authOctets: (inputs) => {
        if (inputs.of === "initiator") inputs.message = first.get(hex(inputs.sa.spiI)) ?? inputs.message;
      },
    },
  };
}

function withoutVendorIds(octets: Uint8Array): Uint8Array {
  const message = decodeMessage(octets);
  if (isFrameError(message)) return octets;
  return encodeMessage({ ...message, payloads: message.payloads.filter(({ kind }) => kind !== "VendorID") });
}

const octetLies: Lie[] = [
  lie("covers-the-first-of-the-requests", "IKEV2-159", "AUTH over the request without cookie", firstRequest),
  lie("leaves-vendor-ids-out-of-auth", "IKEV2-160", "AUTH over IKE_SA_INIT without Vendor IDs", () => ({
    ike: {
      authOctets: (inputs) => {
        inputs.message = withoutVendorIds(inputs.message);
      },
    },
  })),
  own(
    "proves-itself-by-the-secret-instead",
    "IKEV2-162",
    "a shared secret in place of its certificate",
    (policy) => {
      policy.ownAuth = { method: "psk" };
    },
  ),
  own("cuts-the-secret-after-32-octets", "IKEV2-163", "only the first 32 octets of the secret", (policy) => {
    policy.psk = policy.psk.subarray(0, 32);
  }),
  own("adds-a-nul-to-the-secret", "IKEV2-163", "a NUL behind the secret", (policy) => {
    policy.psk = Uint8Array.of(...policy.psk, 0);
  }),
];

export const authenticationLies: readonly Lie[] = [
  ...signatureLies,
  ...hashLies,
  ...certificateLies,
  ...requestLies,
  ...identityLies,
  ...octetLies,
];
