/** AVPs inside of EAP-TTLS (RFC 5281 section 10): EAP packets in AVPs of type EAP-Message. */
import { concat, readU16, readU24, readU32, u16, u32, view } from "../wire/bytes.ts";
import type { EapPacket } from "./types.ts";

export const AVP_EAP_MESSAGE = 79;
export const AVP_FLAG = { VENDOR: 0x80, MANDATORY: 0x40 } as const;
const HEADER = 8;
const EAP_HEADER = 4;

export interface Avp {
  code: number;
  flags: number;
  vendor?: number;
  data: Uint8Array;
}

/** With zeros behind it up to whole words; the last AVP has them, too. */
export function writeAvp({ code, flags, vendor, data }: Avp): Uint8Array {
  const more = vendor === undefined ? [] : [u32(vendor)];
  const length = HEADER + 4 * more.length + data.length;
  const padding = new Uint8Array(-data.length & 3);
  return concat(u32(code), u32(((flags << 24) | length) >>> 0), ...more, data, padding);
}

/** All AVPs, or why they cannot be read. The padding of the last may be missing. */
export function readAvps(octets: Uint8Array): Avp[] | string {
  const avps: Avp[] = [];
  for (let at = 0; at < octets.length; ) {
    if (at + HEADER > octets.length) return "an AVP that is not all there";
    const flags = octets[at + 4]!;
    const length = readU24(octets, at + 5);
    const from = flags & AVP_FLAG.VENDOR ? HEADER + 4 : HEADER;
    if (length < from || at + length > octets.length) return `an AVP of length ${length}`;
    avps.push({
      code: readU32(octets, at),
      flags,
      ...(from > HEADER && { vendor: readU32(octets, at + HEADER) }),
      data: view(octets, at + from, at + length),
    });
    at += (length + 3) & ~3;
  }
  return avps;
}

/** The AVP with an EAP packet. */
export const writeEapAvp = ({ code, identifier, data }: EapPacket): Uint8Array =>
  writeAvp({
    code: AVP_EAP_MESSAGE,
    flags: AVP_FLAG.MANDATORY,
    data: concat(Uint8Array.of(code, identifier), u16(data.length + EAP_HEADER), data),
  });

/** The one EAP packet among these AVPs, or why there is none. An unknown AVP with M must be refused (section 10.1). */
export function readEapAvp(octets: Uint8Array): EapPacket | string {
  const avps = readAvps(octets);
  if (typeof avps === "string") return avps;
  const isEap = ({ code, vendor = 0 }: Avp) => code === AVP_EAP_MESSAGE && vendor === 0;
  const unknown = avps.find((avp) => !isEap(avp) && (avp.flags & AVP_FLAG.MANDATORY) !== 0);
  if (unknown) return `an AVP of code ${unknown.code}, which must not be skipped`;
  const [message, another] = avps.filter(isEap);
  if (!message || another) return `${another ? "several AVPs" : "no AVP"} with an EAP packet`;
  const { data } = message;
  if (data.length < EAP_HEADER || readU16(data, 2) !== data.length) return "an EAP packet of another length";
  return { code: data[0]!, identifier: data[1]!, data: view(data, EAP_HEADER, data.length) };
}
