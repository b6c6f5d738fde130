/** Lies of a peer without PPKs: what notifies about them do to it that it should ignore. */
import type { Extension, IncomingMessage, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { hasNotify, notifies, notify, payload } from "../../../harness/ike/payloads.ts";
import { fromHex } from "../../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../../harness/wire/registry/notify-types.ts";
import { type LieBehaviour, lie } from "./lie.ts";
import { inMessage } from "./tools.ts";

/** Those of the drafts of RFC 9867 as well. */
const EARLY = [NOTIFY.USE_PPK_INT, NOTIFY.PPK_IDENTITY_KEY, 50208, 50209];
const PPK_ID = fromHex("0270706b");

const hasOne = ({ payloads }: IncomingMessage, types: readonly number[]): boolean =>
  types.some((type) => hasNotify(payloads, type));

const isDeafTo = (types: readonly number[]): LieBehaviour => ({
  ike: { incoming: (message) => (hasOne(message, types) ? "drop" : undefined) },
});

/** Does something with a request before the core sees it. */
const reads = (exchangeType: number, read: (request: IncomingMessage) => void): LieBehaviour => ({
  ike: {
    incoming: (message) => {
      if (!message.isResponse && message.header.exchangeType === exchangeType) read(message);
      return undefined;
    },
  },
});

/** Adds a notify to a response if its request has one of these types. */
const echoes = (exchangeType: number, asked: readonly number[], data?: Uint8Array): LieBehaviour => ({
  ike: {
    outgoing: inMessage(
      exchangeType,
      ({ request, payloads }: OutgoingMessage) => {
        const type = asked.find((t) => hasNotify(request?.payloads ?? [], t));
        if (type !== undefined) payloads.push(notify(data ? NOTIFY.PPK_IDENTITY : type, data));
      },
      "response",
    ),
  },
});

/** As if the data of PPK_IDENTITY were a reason to distrust AUTH. */
function refusesNamed({ payloads }: IncomingMessage): void {
  const auth = payload(payloads, "AUTH");
  if (auth && hasNotify(payloads, NOTIFY.PPK_IDENTITY)) auth.data = auth.data.map((octet) => octet ^ 1);
}

function takesNoPpkAuth({ payloads }: IncomingMessage): void {
  const auth = payload(payloads, "AUTH");
  const [without] = notifies(payloads, NOTIFY.NO_PPK_AUTH);
  if (auth && without) auth.data = without.data;
}

/** Names a PPK in IKE_AUTH to a responder that announced USE_PPK, asked or not. */
function namesOne(): LieBehaviour {
  let announced = false;
  return {
    ike: {
      incoming: (message) => {
        announced ||= message.isResponse && hasNotify(message.payloads, NOTIFY.USE_PPK);
        return undefined;
      },
      outgoing: inMessage(
        EXCHANGE.IKE_AUTH,
        ({ payloads }) => {
          if (announced) payloads.push(notify(NOTIFY.PPK_IDENTITY, PPK_ID));
        },
        "request",
      ),
    },
  };
}

/** Computes other keys for a Child SA once a response to CREATE_CHILD_SA named a PPK. */
function mixesIn(): LieBehaviour {
  let named = false;
  const incoming: Extension["incoming"] = ({ header, isResponse, payloads }) => {
    if (isResponse && header.exchangeType === EXCHANGE.CREATE_CHILD_SA)
      named = hasNotify(payloads, NOTIFY.PPK_IDENTITY);
    return undefined;
  };
  const childKeys: Extension["childKeys"] = (inputs) => {
    if (named) inputs.SK_d = inputs.SK_d.map((octet) => octet ^ 1);
  };
  return { ike: { incoming, childKeys } };
}

const refusesOffers: Extension["answers"] = (_core, _sa, request) =>
  request.header.exchangeType === EXCHANGE.CREATE_CHILD_SA && hasOne(request, EARLY)
    ? { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] }
    : undefined;

export const ppkFallbackLies = [
  lie("drops-messages-with-notifies-of-ppks", "PPK-L1", "does not ignore USE_PPK and PPK_IDENTITY", () =>
    isDeafTo([NOTIFY.USE_PPK, NOTIFY.PPK_IDENTITY, NOTIFY.NO_PPK_AUTH]),
  ),
  lie("announces-ppks-that-it-does-not-have", "PPK-04", "returns USE_PPK to whoever sends it", () =>
    echoes(EXCHANGE.IKE_SA_INIT, [NOTIFY.USE_PPK]),
  ),
  lie("names-a-ppk-that-it-does-not-have", "PPK-L1", "PPK_IDENTITY for USE_PPK, unasked", namesOne),
  lie("refuses-who-names-a-ppk", "PPK-L1", "AUTHENTICATION_FAILED for PPK_IDENTITY", () =>
    reads(EXCHANGE.IKE_AUTH, refusesNamed),
  ),
  lie("takes-no-ppk-auth-for-auth", "PPK-L2", "verifies the data of NO_PPK_AUTH, unasked", () =>
    reads(EXCHANGE.IKE_AUTH, takesNoPpkAuth),
  ),
  lie(
    "drops-messages-with-notifies-of-early-ppks",
    "PPKINT-L1",
    "does not ignore USE_PPK_INT and PPK_IDENTITY_KEY",
    () => isDeafTo(EARLY),
  ),
  lie(
    "announces-early-ppks-that-it-does-not-have",
    "PPKINT-05",
    "returns USE_PPK_INT to whoever sends it",
    () => echoes(EXCHANGE.IKE_SA_INIT, EARLY),
  ),
  lie("refuses-who-offers-a-ppk", "PPKINT-29", "NO_PROPOSAL_CHOSEN for PPK_IDENTITY_KEY", () => ({
    ike: { answers: refusesOffers },
  })),
  lie("confirms-a-ppk-that-it-does-not-have", "PPKINT-29", "PPK_IDENTITY for PPK_IDENTITY_KEY", () =>
    echoes(EXCHANGE.CREATE_CHILD_SA, EARLY, PPK_ID),
  ),
  lie("mixes-in-a-ppk-that-it-did-not-offer", "PPKINT-L2", "other keys for PPK_IDENTITY, unasked", mixesIn),
];
