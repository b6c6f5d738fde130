/** Why no IKE SA comes up with a peer whose lab may be configured wrongly: secret, identity and proposals told apart. */
import { sameIdentity } from "../ike/identity.ts";
import { errorNotify, payload } from "../ike/payloads.ts";
import type { Identity } from "../ike/policy.ts";
import type { Script } from "../script/script.ts";
import { hex } from "../wire/bytes.ts";
import { formatAddress } from "../wire/ip.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { ID_TYPE, idTypes } from "../wire/registry/id-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";

/** Any answer to IKE_SA_INIT came before. Undefined if both SAs come up. */
export async function handshake(script: Script): Promise<string | undefined> {
  const { failure, childFailure } = await script.tryDial();
  if (failure !== undefined) return failure;
  return childFailure && `ESP proposals or traffic selectors do not agree with the peer's: ${childFailure}`;
}

/**
 * The words for a handshake that failed with `failure`: of a further one in which we name no IDr and take any, so that the peer
 * shows who it is.
 */
export async function diagnosis(script: Script, failure: string): Promise<string> {
  script.decide("wrong identity", "accept");
  script.change(EXCHANGE.IKE_AUTH, (message) => {
    message.payloads = message.payloads.filter(({ type }) => type !== PAYLOAD.IDr);
  });
  const further = await script.tryDial();
  const { config } = script.arena;
  const exchange = script.trace.exchangesOf(EXCHANGE.IKE_AUTH).at(-1);
  if (!exchange) return `proposals do not agree with the peer's: ${further.failure ?? failure}`;
  const { response } = exchange;
  if (!response)
    return `no answer to IKE_AUTH: the peer may be silent on a wrong shared secret, or on our identity ${config.remoteId}`;
  const id = payload(response.payloads, "ID", PAYLOAD.IDr);
  const { remoteId } = script.arena.policy();
  const its: Identity | undefined = id && { type: id.idType, data: id.data };
  if (its && !sameIdentity(its, remoteId))
    return `wrong identity: the peer calls itself ${identityText(its)}, not ${config.localId}`;
  if (further.failure === undefined)
    return `no IKE SA at the first try, where a second one had one: ${failure}`;
  const why = further.failure;
  if (its) return `wrong shared secret: the peer's proof is not of ours: ${why}`;
  const refused = errorNotify(response.payloads)?.notifyType === NOTIFY.AUTHENTICATION_FAILED;
  return refused
    ? `wrong shared secret, or the peer does not know our identity ${config.remoteId}, which it tells nobody: ${why}`
    : `identity, shared secret or proposals do not agree with the peer's: ${why}`;
}

/** Of a peer that begins and need not answer us: undefined if both SAs come up. */
export async function dialled(script: Script): Promise<string | undefined> {
  const exchanges = () => script.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer");
  const established = () => script.trace.childSas().length > 0;
  await script.provoke(() => established() || exchanges().some(({ response }) => response !== undefined));
  if (established()) return undefined;
  const { config } = script.arena;
  const request = exchanges().at(-1)?.request;
  const why = script.lastReason();
  if (script.trace.exchanges.length === 0) return "the peer was told to begin, and no IKE_SA_INIT came";
  if (!request) return `proposals do not agree with the peer's: ${why}`;
  const id = payload(request.payloads, "ID", PAYLOAD.IDi);
  const its: Identity | undefined = id && { type: id.idType, data: id.data };
  if (its && !sameIdentity(its, script.arena.policy().remoteId))
    return `wrong identity: the peer calls itself ${identityText(its)}, not ${config.localId}`;
  return `wrong shared secret, or proposals that do not agree with the peer's: ${why}`;
}

const TEXTS: ReadonlySet<number> = new Set([ID_TYPE.ID_FQDN, ID_TYPE.ID_RFC822_ADDR]);
const ADDRESSES: ReadonlySet<number> = new Set([ID_TYPE.ID_IPV4_ADDR, ID_TYPE.ID_IPV6_ADDR]);

function identityText({ type, data }: Identity): string {
  if (TEXTS.has(type)) return JSON.stringify(new TextDecoder().decode(data.subarray(0, 100)));
  if (ADDRESSES.has(type) && (data.length === 4 || data.length === 16)) return formatAddress(data);
  return `${idTypes.nameOf(type)} ${hex(data.subarray(0, 32))}`;
}
