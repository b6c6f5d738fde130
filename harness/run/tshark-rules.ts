/** What tshark 4.0 reads otherwise than we do, and why: each rule as narrow as its reason. */
import type { Difference } from "./tshark-comparison.ts";

export interface Rule {
  name: string;
  reason: string;
  explains: (difference: Difference) => boolean;
}

const MAJOR = 2;
const ESP_HEADER = 8;
/** RFC 4303 section 2.4: the padding ends a packet on such a boundary, and IVs and ICVs keep it. */
const ESP_WORD = 4;
/** Next Headers of ESP that it has no protocol for: none (dummy packets), and ESP Echo. */
const UNKNOWN_INSIDE: ReadonlySet<string> = new Set(["59", "144"]);

/** Differences about what is inside of an Encrypted payload. */
const isInside = ({ field }: Difference): boolean => /^(inner payload|Encrypted payload)/.test(field);

/** Where tshark has nothing that we could be compared with. */
const isMissing = ({ field, theirs }: Difference): boolean =>
  theirs === "undefined" || /payloads$/.test(field);

export const RULES: readonly Rule[] = [
  {
    name: "major version",
    reason: "reads a message by the version in its header: as IKEv1, or not at all",
    explains: ({ field, reading }) =>
      reading.message !== undefined &&
      reading.message.header.version >>> 4 !== MAJOR &&
      (field === "header > exchange type" || !field.startsWith("header")),
  },
  {
    name: "ill-formed payload",
    reason: "reads a payload that we find ill-formed in another way, or stops there",
    explains: ({ faults = [] }) => faults.length > 0,
  },
  {
    name: "last fragment",
    reason: "shows a message only if its fragment of the highest number came last",
    explains: ({ field, theirs, reading: { message, seen } }) => {
      const last = message?.payloads.at(-1);
      const complete = seen?.kind === "ike" && seen.fragments !== undefined && seen.inner !== undefined;
      const early = last?.kind === "SKF" && last.fragmentNumber !== last.totalFragments;
      return field === "Encrypted payload" && theirs === "closed" && complete && early;
    },
  },
  {
    name: "fragments of others",
    reason:
      "joins fragments by ends and Message ID alone, whatever SA, exchange or cut they are of, and with copies",
    explains: (difference) => difference.reading.confused === true && isInside(difference),
  },
  {
    name: "identity without data",
    reason: "stops at an Identification payload without data (ID_NULL)",
    explains: ({ stoppedAt }) => stoppedAt?.kind === "ID" && stoppedAt.data.length === 0,
  },
  {
    name: "depth",
    reason: "takes each payload and proposal for a level of nesting, and stops at some 250",
    explains: (difference) =>
      isMissing(difference) &&
      difference.frame.parts.some((part) => part.kind === "ike" && part.ike.halted === "depth"),
  },
  {
    name: "protocol in ESP",
    reason:
      "does not show a Next Header for which it has no protocol; the plaintext, which ends in it, is compared",
    explains: ({ field, ours, theirs }) =>
      field === "ESP > Next Header" && theirs === "undefined" && UNKNOWN_INSIDE.has(ours),
  },
  {
    name: "short ESP",
    reason: "takes octets for ESP that are fewer than its header",
    explains: ({ field, reading }) => field === "ESP packet" && reading.size < ESP_HEADER,
  },
  {
    name: "cut ESP",
    reason: "judges the ICV of a packet that is no whole number of words, which no cipher can have made",
    explains: ({ field, theirs, reading }) =>
      field === "ESP > ICV of damaged octets" && theirs === "true" && reading.size % ESP_WORD !== 0,
  },
];
