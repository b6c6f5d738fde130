/** GSA_REKEY messages as a member takes them: RFC 9838 sections 2.4.1.1, 2.4.1.2, 2.4.1.4. */
import { malformedGroup } from "../ike/group-syntax.ts";
import { excess } from "../ike/limits.ts";
import { openPayload } from "../ike/sk.ts";
import { malformed, unknownCritical } from "../ike/syntax.ts";
import { concat, EMPTY, equal } from "../wire/bytes.ts";
import { decodeChain, decodeMessage, isFrameError } from "../wire/index.ts";
import { AUTH_METHOD } from "../wire/registry/auth-methods.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { type AuthPayload, type Chain, FLAG, type Message, type Payload } from "../wire/types.ts";
import { isGroupPayload } from "./group-payloads.ts";
import type { RekeyFragments } from "./rekey-fragments.ts";
import { type RekeySa, rekeyProtection, rekeySignedOctets } from "./rekey-message.ts";

/**
 * Why a datagram is silently discarded. `header`: no GSA_REKEY of this Rekey SA; `fragment`: one that fits no set;
 * `padding`: authentic, but padded wrongly; `malformed`: authentic, but cannot be read.
 */
export type RekeyError =
  | "header"
  | "fragment"
  | "icv"
  | "padding"
  | "malformed"
  | "missing AUTH"
  | "AUTH with implicit"
  | "algorithm"
  | "signature";

export interface OpenedRekey {
  messageId: number;
  flags: number;
  /** All inner payloads, AUTH among them. */
  payloads: Payload[];
  findings: Chain["findings"];
}

/** `wait`: more fragments are to come. */
export type RekeyResult = OpenedRekey | { error: RekeyError; reason: string } | "wait";

export interface OpenRekeyOptions {
  /** Not set: messages in fragments are refused. */
  fragments?: RekeyFragments;
  /** What a member that lies does not mind. */
  overlooks?: ReadonlySet<RekeyError>;
}

const refuse = (error: RekeyError, reason: string) => ({ error, reason });

/** Opens a datagram (without the non-ESP marker). Never throws. Whether it is a replay is for the member to say. */
export function openRekey(octets: Uint8Array, sa: RekeySa, options: OpenRekeyOptions = {}): RekeyResult {
  const message = decodeMessage(octets);
  if (isFrameError(message)) return refuse("header", message.error);
  const fault = headerFault(message, sa);
  if (fault) return refuse("header", fault);
  const last = message.payloads[0];
  if (last?.kind !== "SK" && last?.kind !== "SKF") return refuse("header", "no Encrypted payload");
  const misfit = last.kind === "SKF" && (options.fragments?.misfit(message, last) ?? noFragments(options));
  if (misfit) return refuse("fragment", misfit);
  const opened = openPayload(rekeyProtection(sa), octets, last);
  if ("error" in opened) {
    const error = opened.error === "padding" ? "padding" : "icv";
    return refuse(error, `cannot open: ${opened.error}`);
  }
  if (last.kind === "SK") return judge(message, octets, opened.innerType, opened.plaintext, sa, options);
  const whole = options.fragments?.add(message, last, octets, opened.plaintext) ?? "wait";
  if (whole === "wait") return "wait";
  if (whole === "too long") return refuse("fragment", "more octets than are collected");
  return judge(message, whole.first, whole.innerType, whole.plaintext, sa, options);
}

const noFragments = ({ fragments }: OpenRekeyOptions): string | undefined =>
  fragments ? undefined : "fragments were not agreed on";

function headerFault({ header, payloads, trailing }: Message, { spi }: RekeySa): string | undefined {
  if (!equal(concat(header.spiI, header.spiR), spi)) return "another SPI";
  if (header.version >> 4 !== 2) return "major version";
  if (header.exchangeType !== EXCHANGE.GSA_REKEY) return `exchange type ${header.exchangeType}`;
  if ((header.flags & FLAG.response) !== 0) return "a response";
  if (header.length !== undefined) return "the Length field differs from the datagram";
  return payloads.length !== 1 || trailing ? "other than one payload" : undefined;
}

/** What an authentic message says; `first` is the datagram of fragment 1, or of the whole. */
function judge(
  { header }: Message,
  first: Uint8Array,
  innerType: number,
  inner: Uint8Array,
  sa: RekeySa,
  options: OpenRekeyOptions,
): RekeyResult {
  const { payloads, trailing, findings } = decodeChain(innerType, inner);
  const nested = payloads.some(({ kind }) => kind === "SK" || kind === "SKF") ? "SK inside SK" : undefined;
  const critical = unknownCritical(payloads.filter((p) => !isGroupPayload(p)));
  const fault =
    excess(payloads) ??
    nested ??
    malformed(payloads, trailing) ??
    malformedGroup(payloads) ??
    (critical && `an unknown critical payload ${critical.type}`);
  if (fault) return refuse("malformed", fault);
  const wrong = authFault(first, innerType, inner, payloads, sa);
  if (wrong && !options.overlooks?.has(wrong.error)) return wrong;
  return { messageId: header.messageId, flags: header.flags, payloads, findings };
}

function authFault(
  first: Uint8Array,
  innerType: number,
  inner: Uint8Array,
  payloads: Payload[],
  { auth }: RekeySa,
): { error: RekeyError; reason: string } | undefined {
  const [found, ...more] = payloads.filter((p): p is AuthPayload => p.kind === "AUTH");
  if (auth === "implicit") {
    return found && refuse("AUTH with implicit", "the group authenticates implicitly, but AUTH is there");
  }
  if (!found) return refuse("missing AUTH", "the group signs, but there is no AUTH");
  if (more.length > 0) return refuse("malformed", "several AUTH");
  const data = readAuthData(found);
  if (!data) return refuse("algorithm", `AUTH method ${found.method}, or no AlgorithmIdentifier`);
  if (!equal(data.identifier, auth.algorithmIdentifier))
    return refuse("algorithm", "another AlgorithmIdentifier");
  const covered = signedOctetsOf(first, innerType, inner, data.signature);
  return auth.scheme.verify(auth.publicKey, covered, data.signature)
    ? undefined
    : refuse("signature", "the signature does not verify");
}

/** RFC 7427 section 3; undefined for another method, or an identifier that leads outside. */
function readAuthData({
  method,
  data,
}: AuthPayload): { identifier: Uint8Array; signature: Uint8Array } | undefined {
  const end = 1 + (data[0] ?? 0);
  if (method !== AUTH_METHOD.DIGITAL_SIGNATURE || end === 1 || end > data.length) return undefined;
  return { identifier: data.subarray(1, end), signature: data.subarray(end) };
}

/** A | P out of what came. `signature` is a view of `inner`. */
function signedOctetsOf(
  first: Uint8Array,
  innerType: number,
  inner: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  const blank = Uint8Array.from(inner);
  const at = signature.byteOffset - inner.byteOffset;
  if (signature.length > 0) blank.fill(0, at, at + signature.length);
  const message = decodeMessage(first);
  if (isFrameError(message)) return EMPTY;
  const payload = message.payloads[0];
  const flags = (payload?.critical ? 0x80 : 0) | (payload?.reserved ?? 0);
  return rekeySignedOctets(message.header, innerType, flags, blank);
}
