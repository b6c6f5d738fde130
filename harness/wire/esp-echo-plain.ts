/** Echo packets outside of any SA: ESP with NULL encryption and no ICV, on the reserved SPIs 7 and 8. */

import {
  defaultPadding,
  ESP_HEADER,
  isEspError,
  joinEsp,
  joinEspPlaintext,
  splitEsp,
  splitEspPlaintext,
} from "./esp.ts";
import {
  decodeEcho,
  type Echo,
  type EchoError,
  type EchoNumbers,
  type EchoRevision,
  echoForms,
  encodeEcho,
  isEchoError,
  ordinaryNumbers,
  type ReadEcho,
} from "./esp-echo.ts";
import type { Finding } from "./types.ts";

/** The trailer of a plain packet; a value that is not set is the ordinary one. */
export interface PlainTrailer {
  /** Not set: as many of 1, 2, 3 as bring the trailer to a boundary of 4 octets. */
  padding?: Uint8Array;
  /** As on the wire, even if it is not that of `padding`. */
  padLength?: number;
  nextHeader?: number;
}

export interface PlainEcho {
  spi: number;
  /** The Sequence Number of the ESP header, which nobody looks at. */
  espSequence: number;
  echo: Echo;
  /** Not written where the revision has none. */
  trailer?: PlainTrailer;
}

/** A packet as it came: `trailer` is whole, or not set where the revision has none. */
export interface ReadPlainEcho {
  spi: number;
  espSequence: number;
  echo: ReadEcho;
  trailer?: Required<PlainTrailer>;
  /** Those of the echo among them, with offsets from the SPI on. */
  findings: Finding[];
}

const MOST_PADDING = 3;

/** Reads a packet from the SPI on. Values are views of `bytes`. */
export function decodePlain(
  bytes: Uint8Array,
  revision: EchoRevision,
  numbers: EchoNumbers = ordinaryNumbers,
): ReadPlainEcho | EchoError {
  const packet = splitEsp(bytes);
  if (isEspError(packet)) return packet;
  const { spi, sequence: espSequence, rest } = packet;
  const parts = hasTrailer(revision) ? splitEspPlaintext(rest) : undefined;
  if (parts && isEspError(parts)) return { error: parts.error, findings: shifted(parts.findings) };
  const echo = decodeEcho(parts?.payload ?? rest, revision);
  if (isEchoError(echo)) return { error: echo.error, findings: shifted(echo.findings) };
  const inside = shifted(echo.findings);
  const role = oddRole(spi, echo, revision, numbers);
  if (!parts) return { spi, espSequence, echo, findings: [...inside, ...role] };
  const { padding, padLength, nextHeader } = parts;
  const findings = [...inside, ...role, ...oddTrailer(bytes, padding, nextHeader, revision)];
  return { spi, espSequence, echo, trailer: { padding, padLength, nextHeader }, findings };
}

const hasTrailer = (revision: EchoRevision): boolean => echoForms[revision].plain !== "without trailer";

const shifted = (findings: Finding[]): Finding[] =>
  findings.map((finding) => ({ ...finding, offset: finding.offset + ESP_HEADER }));

/** SPI and sub-type must say the same. */
function oddRole(spi: number, { subType }: Echo, revision: EchoRevision, numbers: EchoNumbers): Finding[] {
  const { header } = echoForms[revision];
  if (header === "bare" || header === "none") return [];
  const right = spi === numbers.spi.request ? numbers.subType.request : numbers.subType.reply;
  if (subType === right) return [];
  return [{ offset: ESP_HEADER, field: "Sub-Type", reason: `${subType} on SPI ${spi}, not ${right}` }];
}

function oddTrailer(
  bytes: Uint8Array,
  padding: Uint8Array,
  nextHeader: number,
  revision: EchoRevision,
): Finding[] {
  const end = bytes.length;
  const right = echoForms[revision].nextHeader;
  const checks: [wrong: boolean, offset: number, field: string, reason: string][] = [
    [end % 4 !== 0, end, "packet", `${end} octets are no multiple of 4`],
    [padding.length > MOST_PADDING, end - 2, "Pad Length", `${padding.length}, at most ${MOST_PADDING}`],
    [padding.some((octet, i) => octet !== i + 1), end - 2 - padding.length, "Padding", "not 1, 2, 3"],
    [nextHeader !== right, end - 1, "Next Header", `${nextHeader}, not ${right}`],
  ];
  return checks.flatMap(([wrong, offset, field, reason]) => (wrong ? [{ offset, field, reason }] : []));
}

/** The inverse of {@link decodePlain}. */
export function encodePlain(
  { spi, espSequence, echo, trailer = {} }: PlainEcho,
  revision: EchoRevision,
): Uint8Array {
  const payload = encodeEcho(echo, revision);
  if (!hasTrailer(revision)) return joinEsp({ spi, sequence: espSequence, rest: payload });
  const { padding = defaultPadding((4 - ((payload.length + 2) % 4)) % 4) } = trailer;
  const { padLength = padding.length, nextHeader = echoForms[revision].nextHeader } = trailer;
  const rest = joinEspPlaintext({ payload, padding, padLength, nextHeader });
  return joinEsp({ spi, sequence: espSequence, rest });
}
