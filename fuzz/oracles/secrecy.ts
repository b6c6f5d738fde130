/** What a peer gives away: in clear, or by values that must never come twice. */
import { hex } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD, payloadTypes } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Alarm } from "../alarm.ts";
import type { Heard, Said } from "./lint-heard.ts";

/** Payloads that have no place outside of SK. */
const SECRET: ReadonlySet<number> = new Set([
  ...[PAYLOAD.IDi, PAYLOAD.IDr, PAYLOAD.AUTH, PAYLOAD.CERT, PAYLOAD.EAP, PAYLOAD.TSi, PAYLOAD.TSr],
  ...[PAYLOAD.CP, PAYLOAD.DELETE, PAYLOAD.GSA, PAYLOAD.KD, PAYLOAD.IDg],
]);

const alarm = (title: string, signature: string, severity: Alarm["severity"], detail: string): Alarm => ({
  ...{ oracle: "secrecy", title, signature, severity, detail, alone: true },
});

/** In IKE_SA_INIT nothing is secret, and payloads that do not belong there say only that they are wrong. */
function inClear(said: Said): Alarm[] {
  if (said.exchangeType === EXCHANGE.IKE_SA_INIT) return [];
  const { payloads } = said.seen.message;
  const secret = payloads.find(({ type }) => SECRET.has(type));
  if (!secret) return [];
  const name = payloadTypes.nameOf(secret.type);
  return [alarm(`sends ${name} in clear`, `in clear ${name}`, "high", `exchange type ${said.exchangeType}`)];
}

const isZero = (said: Said): boolean => said.seen.message.header.spiR.every((octet) => octet === 0);

const makesSa = ({ exchangeType, isResponse, payloads }: Said): boolean =>
  exchangeType === EXCHANGE.IKE_SA_INIT && isResponse && payloads.some(({ kind }) => kind === "SA");

function zeroSpi(said: Said): Alarm[] {
  if (!makesSa(said) || !isZero(said)) return [];
  return [alarm("makes an IKE SA with an SPI of zero", "SPI zero", "medium", "in a response with SA")];
}

/** Alarms of one case. That IVs come twice is for the rules of lint. */
export const secrecyAlarms = ({ ike }: Heard): Alarm[] =>
  ike.flatMap((said) => (said.ours ? [] : [...inClear(said), ...zeroSpi(said)]));

const nonceOf = (payloads: readonly Payload[]): string | undefined => {
  const found = payloads.find((payload) => payload.kind === "Nonce");
  return found?.kind === "Nonce" ? hex(found.data) : undefined;
};

const cookieOf = (payloads: readonly Payload[]): string | undefined => {
  const found = payloads.find((payload) => payload.kind === "Notify" && payload.notifyType === NOTIFY.COOKIE);
  return found?.kind === "Notify" ? hex(found.data) : undefined;
};

/** Values that are remembered. */
const MOST = 4096;

/** By each value what it came with, the oldest forgotten first. */
class Seen {
  readonly #values = new Map<string, string>();

  /** Whether the value came before with something else. */
  elsewhere(value: string, beside: string): boolean {
    const before = this.#values.get(value);
    if (before !== undefined) return before !== beside;
    this.#values.set(value, beside);
    const [oldest] = this.#values.keys();
    if (this.#values.size > MOST && oldest !== undefined) this.#values.delete(oldest);
    return false;
  }

  clear(): void {
    this.#values.clear();
  }
}

/**
 * What must not come twice from one process of a peer, over all cases played with it: its nonces, and cookies for
 * different initiators. To be cleared when the peer is started anew.
 */
export class CampaignMemory {
  readonly #nonces = new Seen();
  readonly #cookies = new Seen();

  see({ ike }: Heard): Alarm[] {
    return ike.flatMap((said) => (said.ours ? [] : this.#judge(said)));
  }

  clear(): void {
    this.#nonces.clear();
    this.#cookies.clear();
  }

  #judge({ seen, sa, payloads, isResponse, exchangeType }: Said): Alarm[] {
    if (exchangeType !== EXCHANGE.IKE_SA_INIT || !isResponse) return [];
    const nonce = nonceOf(payloads);
    const cookie = cookieOf(payloads);
    // A cookie is for the initiator's SPI (RFC 7296 section 2.6); the other one may be anything yet.
    const [spiI = ""] = sa.split(":");
    const alarms: Alarm[] = [];
    // A response that is sent once more is the same to its last octet.
    if (nonce !== undefined && nonce !== "" && this.#nonces.elsewhere(nonce, hex(seen.octets)))
      alarms.push(alarm("uses a nonce twice", "nonce twice", "high", `Nr ${nonce.slice(0, 64)}`));
    if (cookie !== undefined && cookie !== "" && this.#cookies.elsewhere(cookie, spiI))
      alarms.push(
        alarm("gives different initiators the same cookie", "cookie twice", "medium", cookie.slice(0, 64)),
      );
    return alarms.map((each) => ({ ...each, alone: false }));
  }
}
