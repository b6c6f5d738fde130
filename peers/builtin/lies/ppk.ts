/** Lies about PPKs in IKE_AUTH (RFC 8784). */
import { mixPpk } from "../../../harness/crypto/keys.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify, payload } from "../../../harness/ike/payloads.ts";
import type { Ppk } from "../../../harness/ike/policy.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import type { Payload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, inMessage } from "./tools.ts";

type Change = (message: OutgoingMessage) => void;

const omits =
  (notifyType: number): Change =>
  (message) => {
    message.payloads = message.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== notifyType);
  };

const adds =
  (notifyType: number, data?: Uint8Array): Change =>
  ({ payloads }) => {
    if (!hasNotify(payloads, notifyType)) payloads.push(notify(notifyType, data));
  };

/** Writes data into each notify of this type. */
const fills =
  (notifyType: number, data: (old: Uint8Array) => Uint8Array): Change =>
  ({ payloads }) => {
    for (const found of notifies(payloads, notifyType)) found.data = data(found.data);
  };

const inInit = (change: Change, which?: "request" | "response") =>
  inMessage(EXCHANGE.IKE_SA_INIT, change, which);

const besideAuth = (change: Change, which: "request" | "response") =>
  inMessage(
    EXCHANGE.IKE_AUTH,
    (message) => void (payload(message.payloads, "AUTH") && change(message)),
    which,
  );

const sends = (name: string, breaks: string, effect: string, outgoing: Change): Lie =>
  lie(name, breaks, effect, () => ({ ike: { outgoing } }));

/** Has other PPKs than it was told. */
const has = (name: string, breaks: string, effect: string, change: (ppk: Ppk) => Ppk): Lie =>
  lie(name, breaks, effect, () => ({
    policy: (policy) => {
      policy.ppks = policy.ppks.map(change);
    },
  }));

const required = (name: string, breaks: string, effect: string, value: boolean): Lie =>
  lie(name, breaks, effect, () => ({
    policy: (policy) => {
      if (policy.ppks.length > 0) policy.ppkRequired = value;
    },
  }));

/** Reads PPK_IDs of requests otherwise than they came. */
const reads = (name: string, effect: string, change: (id: Uint8Array) => Uint8Array): Lie =>
  lie(name, "PPK-15", effect, () => ({
    ike: {
      incoming: ({ isResponse, payloads }) => {
        if (!isResponse)
          for (const found of notifies(payloads, NOTIFY.PPK_IDENTITY)) found.data = change(found.data);
        return undefined;
      },
    },
  }));

function upToNul(id: Uint8Array): Uint8Array {
  const nul = id.indexOf(0, 1);
  return nul < 0 ? id : id.subarray(0, nul);
}

const isFull = (found: Payload[], notifyType: number): boolean =>
  notifies(found, notifyType).some(({ data }) => data.length > 0);

/** NO_PPK_AUTH has what AUTH has, which is made with the PPK. */
const copyAuth: Change = ({ payloads }) => {
  const auth = payload(payloads, "AUTH");
  if (auth) for (const found of notifies(payloads, NOTIFY.NO_PPK_AUTH)) found.data = auth.data;
};

const announcing: readonly Lie[] = [
  sends("announces-no-ppks", "PPK-01", "IKE_SA_INIT without USE_PPK", inInit(omits(NOTIFY.USE_PPK))),
  sends(
    "puts-data-into-use-ppk",
    "PPK-03",
    "USE_PPK with data",
    inInit(fills(NOTIFY.USE_PPK, () => Uint8Array.of(1))),
  ),
  sends(
    "announces-ppks-unasked",
    "PPK-04",
    "USE_PPK to an initiator that did not say it",
    inInit((message) => {
      if (payload(message.payloads, "SA")) adds(NOTIFY.USE_PPK)(message);
    }, "response"),
  ),
  sends(
    "forgets-ppks-after-a-cookie",
    "PPK-02",
    "the request with the cookie lacks USE_PPK",
    inInit((message) => {
      if (hasNotify(message.payloads, NOTIFY.COOKIE)) omits(NOTIFY.USE_PPK)(message);
    }, "request"),
  ),
  lie("refuses-data-in-use-ppk", "PPK-04", "NO_PROPOSAL_CHOSEN for a USE_PPK with data", () => ({
    ike: {
      refusesInit: (_core, { payloads }) =>
        isFull(payloads, NOTIFY.USE_PPK) ? notify(NOTIFY.NO_PROPOSAL_CHOSEN) : undefined,
    },
  })),
  required("insists-on-ppks", "PPK-07", "an optional PPK is mandatory", true),
  required("insists-on-no-ppk", "PPK-06", "a mandatory PPK is optional", false),
];

const mixing: readonly Lie[] = [
  decides("mixes-no-ppk-into-sk-d", "PPK-08", "keys of Child SAs without the PPK", {
    "a PPK": "not into SK_d",
  }),
  decides("mixes-in-no-ppk", "PPK-08", "AUTH and all keys as without the PPK", { "a PPK": "into nothing" }),
  has("cuts-ppks", "PPK-08", "the last octet of the PPK does not count", (ppk) => ({
    ...ppk,
    secret: ppk.secret.subarray(0, -1),
  })),
  has("cuts-ppk-ids", "PPK-23", "the last octet of the PPK_ID is lost", (ppk) => ({
    ...ppk,
    id: ppk.id.subarray(0, -1),
  })),
  lie("mixes-ppks-in-again", "PPK-09", "the PPK is mixed into the keys of a rekeyed IKE SA", () => {
    let secret = new Uint8Array();
    return {
      policy: ({ ppks: [ppk] }) => {
        secret = Uint8Array.from(ppk?.secret ?? []);
      },
      ike: {
        ikeKeys: (inputs) => {
          const suite = inputs.replaces?.suite;
          if (suite && inputs.SK_d) inputs.SK_d = mixPpk(suite.prf, secret, inputs.SK_d);
        },
      },
    };
  }),
];

const initiating: readonly Lie[] = [
  sends(
    "sends-ppk-identity-uninvited",
    "PPK-07",
    "PPK_IDENTITY to a responder that did not say USE_PPK",
    besideAuth(adds(NOTIFY.PPK_IDENTITY, Uint8Array.of(2, 0x61)), "request"),
  ),
  sends(
    "omits-no-ppk-auth",
    "PPK-11",
    "an optional PPK without NO_PPK_AUTH",
    besideAuth(omits(NOTIFY.NO_PPK_AUTH), "request"),
  ),
  sends(
    "makes-no-ppk-auth-with-the-ppk",
    "PPK-13",
    "NO_PPK_AUTH is a copy of AUTH",
    besideAuth(copyAuth, "request"),
  ),
  sends(
    "writes-ppk-ids-without-a-type",
    "PPK-23",
    "a PPK_ID that begins with its text",
    besideAuth(
      fills(NOTIFY.PPK_IDENTITY, (id) => id.subarray(1)),
      "request",
    ),
  ),
  sends(
    "names-its-ppk-before-eap",
    "PPK-22",
    "PPK_IDENTITY in the first request, which has no AUTH",
    inMessage(
      EXCHANGE.IKE_AUTH,
      (message) => {
        if (payload(message.payloads, "ID") && !payload(message.payloads, "AUTH"))
          adds(NOTIFY.PPK_IDENTITY, Uint8Array.of(2, 0x61))(message);
      },
      "request",
    ),
  ),
  lie("names-its-last-ppk", "PPK-10", "the preferred PPK is not used", () => ({
    policy: (policy) => {
      policy.ppks.reverse();
    },
  })),
  lie("reads-data-in-ppk-identity", "PPK-19", "a response with data in PPK_IDENTITY is refused", () => ({
    ike: {
      refuses: (_core, _sa, { payloads }) =>
        isFull(payloads, NOTIFY.PPK_IDENTITY) ? "data in PPK_IDENTITY" : undefined,
    },
  })),
  decides("goes-on-without-its-mandatory-ppk", "PPK-20", "an IKE SA without the PPK that must be", {
    "response without PPK_IDENTITY": "go on",
  }),
  sends(
    "gives-up-in-silence-without-its-ppk",
    "PPK-20",
    "no AUTHENTICATION_FAILED for a responder without the PPK",
    inMessage(
      EXCHANGE.INFORMATIONAL,
      (message) => {
        if (hasNotify(message.payloads, NOTIFY.AUTHENTICATION_FAILED)) message.octets = () => [];
      },
      "request",
    ),
  ),
];

const responding: readonly Lie[] = [
  sends(
    "uses-ppks-in-silence",
    "PPK-18",
    "no PPK_IDENTITY in the response",
    besideAuth(omits(NOTIFY.PPK_IDENTITY), "response"),
  ),
  sends(
    "answers-with-the-ppk-id",
    "PPK-18",
    "PPK_IDENTITY of the response has data",
    besideAuth(
      fills(NOTIFY.PPK_IDENTITY, () => Uint8Array.of(2, 0x61)),
      "response",
    ),
  ),
  sends(
    "claims-ppks-that-it-lacks",
    "PPK-16",
    "PPK_IDENTITY in the response, but keys without a PPK",
    besideAuth(adds(NOTIFY.PPK_IDENTITY), "response"),
  ),
  decides("believes-whoever-names-a-ppk", "PPK-15", "any AUTH is right", { "wrong AUTH": "accept" }),
  decides("overlooks-a-missing-ppk-identity", "PPK-14", "goes on without a PPK", {
    "request without PPK_IDENTITY": "go on",
  }),
  lie("knows-its-first-ppk-only", "PPK-18", "the second of two PPKs is unknown", () => ({
    policy: (policy) => {
      policy.ppks = policy.ppks.slice(0, 1);
    },
  })),
  decides("takes-ppks-of-others", "PPK-17", "a PPK that belongs to another identity", {
    "PPK of another identity": "take",
  }),
  decides("does-without-ppks-beside-null", "PPK-27", "NULL authentication and no PPK", {
    "PPK beside NULL authentication": "as configured",
  }),
  reads("reads-no-types-of-ppk-ids", "any type stands for PPK_ID_FIXED", (id) =>
    Uint8Array.of(2, ...id.subarray(1)),
  ),
  reads("ends-ppk-ids-at-a-nul", "what is behind a NUL of a PPK_ID does not count", upToNul),
  reads("compares-no-case-of-ppk-ids", "capitals are small letters in a PPK_ID", (id) =>
    id.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet)),
  ),
  lie("drops-requests-with-two-ppk-identities", "PPK-15", "silence", () => ({
    ike: {
      incoming: ({ payloads }) => (notifies(payloads, NOTIFY.PPK_IDENTITY).length > 1 ? "drop" : undefined),
    },
  })),
  lie("proves-itself-with-the-ppk-before-eap", "PPK-22", "the first AUTH is made with the PPK", () => {
    let secret = new Uint8Array();
    return {
      policy: ({ ppks: [ppk] }) => {
        secret = Uint8Array.from(ppk?.secret ?? []);
      },
      ike: {
        authOctets: (inputs) => {
          const { sa, of } = inputs;
          const before = of === "responder" && sa.role === "responder" && !sa.authRounds;
          if (before && sa.suite) inputs.SK_p = mixPpk(sa.suite.prf, secret, inputs.SK_p);
        },
      },
    };
  }),
];

export const ppkLies: readonly Lie[] = [...announcing, ...mixing, ...initiating, ...responding];
