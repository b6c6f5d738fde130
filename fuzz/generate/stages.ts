/** Which stage a message of ours belongs to. */
import type { OutgoingEsp } from "../../harness/esp/hooks.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { hasNotify, payload } from "../../harness/ike/payloads.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Act, Stage } from "../trace.ts";

export type Sample = OutgoingMessage | OutgoingEsp;

export const isEsp = (sample: Sample): sample is OutgoingEsp => "spiIn" in sample;

const createChild: { readonly [A in Act]?: Stage } = {
  "rekey-child": "rekey-child",
  "peer-rekey-child": "rekey-child",
  "rekey-ike": "rekey-ike",
  "peer-rekey-ike": "rekey-ike",
};

/** The stage of a message that is sent in such a step: by its exchange, and what CREATE_CHILD_SA is for by the step. */
export function stageOf(act: Act, message: Sample): Stage {
  if (isEsp(message)) return "esp";
  switch (message.header.exchangeType) {
    case EXCHANGE.IKE_SA_INIT:
      return hasNotify(message.payloads, NOTIFY.COOKIE) ? "cookie" : "init";
    case EXCHANGE.IKE_INTERMEDIATE:
      return "intermediate";
    case EXCHANGE.IKE_AUTH:
      return payload(message.payloads, "EAP") ? "eap" : "auth";
    case EXCHANGE.CREATE_CHILD_SA:
      return createChild[act] ?? "create-child";
    case EXCHANGE.IKE_FOLLOWUP_KE:
      return "followup";
    case EXCHANGE.GSA_AUTH:
    case EXCHANGE.GSA_REGISTRATION:
    case EXCHANGE.GSA_REKEY:
      return "group";
    default:
      return "informational";
  }
}

/** The stage of an honest conversation that ends with this. */
export function stageOfAct(act: Act): Stage {
  switch (act) {
    case "init":
    case "auth":
    case "create-child":
    case "informational":
    case "esp":
      return act;
    case "peer-initiate":
      return "auth";
    case "register":
      return "group";
    case "peer-esp":
      return "esp";
    default:
      return createChild[act] ?? "informational";
  }
}

/** A payload with what decides how the octets in it are read. */
function nameOf(payload: Payload): string {
  if (payload.kind === "EAP") return `EAP ${payload.code} ${payload.data[0] ?? ""}`;
  return `${payload.type}`;
}

/** Of the exchange and the payloads of a message, each named once. */
export function shapeOf(sample: Sample): string {
  if (isEsp(sample)) return "esp";
  const { header, isResponse, payloads, clear } = sample;
  const names = new Set([...clear, ...payloads].map(nameOf));
  return `${header.exchangeType} ${isResponse ? "response" : "request"} ${[...names].sort().join(" ")}`;
}
