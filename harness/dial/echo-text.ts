/** What `esp-ping` prints, after the model of ping. */
import type { EchoReply } from "../extensions/esp-echo-requester.ts";
import type { EchoSummary, Request } from "./echo-run.ts";

export const spiText = (spi: number): string => spi.toString(16).padStart(8, "0");

const ms = (time: number): string => time.toFixed(3);

/** A reply's line, with what is odd about it. */
export function replyLine(peer: string, { size, sequence }: Request, reply: EchoReply): string {
  const { data, rttMs, spi, asAsked, matches, duplicate } = reply;
  const odd = [
    ...(data.length < size ? [`${data.length} of them came back`] : []),
    ...(matches ? [] : ["with other data than was sent"]),
    ...(asAsked ? [] : ["on another SPI than was asked for"]),
    ...(duplicate ? ["duplicate"] : []),
  ];
  const remarks = odd.length > 0 ? ` (${odd.join(", ")})` : "";
  return `${size} octets from ${peer}: seq=${sequence} spi=${spiText(spi)} time=${ms(rttMs)} ms${remarks}`;
}

export const overdueLine = ({ size, sequence }: Request): string =>
  `no answer to seq=${sequence} of ${size} octets`;

export const sentLine = (peer: string, { size, sequence }: Request): string =>
  `${size} octets to ${peer}: seq=${sequence}, no reply asked for`;

export interface SummaryFacts {
  peer: string;
  elapsedMs: number;
  oneWay: boolean;
  /** Whether requests of several sizes were sent. */
  manySizes: boolean;
}

export function summaryLines(summary: EchoSummary, facts: SummaryFacts): string[] {
  const { requests, answered, duplicates, loss, roundTrip, largest, longestReply } = summary;
  const extra = duplicates > 0 ? `, +${duplicates} duplicates` : "";
  const share = facts.oneWay
    ? "no replies asked for"
    : `${answered} answered${extra}, ${Math.round(loss * 100)} % loss`;
  const lines = [
    `--- ESP echo statistics of ${facts.peer} ---`,
    `${requests} ${requests === 1 ? "request" : "requests"}, ${share}, time ${Math.round(facts.elapsedMs)} ms`,
  ];
  if (roundTrip) {
    const { min, avg, max, mdev } = roundTrip;
    lines.push(`round trip min/avg/max/mdev = ${[min, avg, max, mdev].map(ms).join("/")} ms`);
  }
  if (facts.manySizes)
    lines.push(largest === undefined ? "no size passes" : `largest size that passes: ${largest} octets`);
  if (longestReply !== undefined)
    lines.push(
      `replies bring back no more than ${longestReply} octets: what fits into a packet on the way back`,
    );
  return lines;
}
