/** Payloads of planted conversations, ordinary unless told otherwise. */
import { EMPTY, fromHex } from "../../../wire/bytes.ts";
import { AUTH_METHOD } from "../../../wire/registry/auth-methods.ts";
import { ID_TYPE } from "../../../wire/registry/id-types.ts";
import { PAYLOAD } from "../../../wire/registry/payload-types.ts";
import { isSpecError, parseProposal } from "../../../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../../../wire/registry/protocol-ids.ts";
import { TS_TYPE } from "../../../wire/registry/ts-types.ts";
import type {
  AuthPayload,
  ConfigAttribute,
  CpPayload,
  DeletePayload,
  EapPayload,
  IdPayload,
  KePayload,
  NoncePayload,
  NotifyPayload,
  Proposal,
  SaPayload,
  TsPayload,
} from "../../../wire/types.ts";

/** So many octets of this value. */
export const octets = (count: number, value = 0): Uint8Array => new Uint8Array(count).fill(value);

/** Proposals as text, numbered from 1. */
export const sa = (protocolId: number, spi: Uint8Array, ...specs: string[]): SaPayload => ({
  kind: "SA",
  type: PAYLOAD.SA,
  proposals: specs.map((spec, at) => ({ ...proposal(spec, protocolId, spi), number: at + 1 })),
});

function proposal(spec: string, protocolId: number, spi: Uint8Array): Proposal {
  const read = parseProposal(spec, protocolId, spi);
  if (isSpecError(read)) throw new Error(read.reason);
  return read;
}

export const ikeSa = (...specs: string[]): SaPayload => sa(PROTOCOL.IKE, EMPTY, ...specs);

export const ke = (group = 31, data = octets(32, 7)): KePayload => ({
  ...{ kind: "KE", type: PAYLOAD.KE, group, data },
});

/** All octets are `first`, so that two with different ones differ. */
export const nonce = (first: number, size = 32): NoncePayload => ({
  ...{ kind: "Nonce", type: PAYLOAD.NONCE, data: octets(size, first) },
});

export const notify = (
  notifyType: number,
  data: Uint8Array = EMPTY,
  over: Partial<NotifyPayload> = {},
): NotifyPayload => ({
  ...{ kind: "Notify", type: PAYLOAD.NOTIFY, protocolId: 0, spi: EMPTY, notifyType, data },
  ...over,
});

/** About a Child SA. */
export const notifyOf = (notifyType: number, spi: Uint8Array): NotifyPayload =>
  notify(notifyType, EMPTY, { protocolId: PROTOCOL.ESP, spi });

export const id = (type: number, name: string): IdPayload => ({
  ...{ kind: "ID", type, idType: ID_TYPE.ID_FQDN, data: Buffer.from(name) },
});

export const auth = (method: number = AUTH_METHOD.SHARED_KEY_MIC, data = octets(32, 9)): AuthPayload => ({
  ...{ kind: "AUTH", type: PAYLOAD.AUTH, method, data },
});

/** A range of IPv4 addresses, all ports, as in `c0000200`. */
export const ts = (type: number, start: string, end: string): TsPayload => ({
  kind: "TS",
  type,
  selectors: [
    {
      ...{ tsType: TS_TYPE.TS_IPV4_ADDR_RANGE, ipProtocol: 0, startPort: 0, endPort: 65535 },
      ...{ startAddress: fromHex(start), endAddress: fromHex(end) },
    },
  ],
});

export const remove = (protocolId: number, ...spis: Uint8Array[]): DeletePayload => ({
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId, spiSize: spis[0]?.length ?? 0, spis },
});

export const cp = (cfgType: number, ...attributes: ConfigAttribute[]): CpPayload => ({
  ...{ kind: "CP", type: PAYLOAD.CP, cfgType, attributes },
});

export const eap = (code: number, identifier: number, data: Uint8Array = EMPTY): EapPayload => ({
  ...{ kind: "EAP", type: PAYLOAD.EAP, code, identifier, data },
});
