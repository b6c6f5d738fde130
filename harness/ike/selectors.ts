/** Traffic selectors as sets: RFC 7296 section 2.9. */
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { TrafficSelector } from "../wire/types.ts";

const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);
const known = (ts: TrafficSelector): boolean =>
  ts.body === undefined &&
  (ts.tsType === TS_TYPE.TS_IPV4_ADDR_RANGE || ts.tsType === TS_TYPE.TS_IPV6_ADDR_RANGE);

/** True for a selector that says nothing we could use: another type, or a range that ends before it begins. */
export function malformed(ts: TrafficSelector): boolean {
  const opaque = ts.startPort === 65535 && ts.endPort === 0;
  return compare(ts.startAddress, ts.endAddress) > 0 || (ts.startPort > ts.endPort && !opaque);
}

/** The part both selectors have in common; undefined if there is none. */
export function intersect(a: TrafficSelector, b: TrafficSelector): TrafficSelector | undefined {
  if (!known(a) || !known(b) || a.tsType !== b.tsType) return undefined;
  if (a.ipProtocol !== 0 && b.ipProtocol !== 0 && a.ipProtocol !== b.ipProtocol) return undefined;
  const startPort = Math.max(a.startPort, b.startPort);
  const endPort = Math.min(a.endPort, b.endPort);
  const startAddress = compare(a.startAddress, b.startAddress) >= 0 ? a.startAddress : b.startAddress;
  const endAddress = compare(a.endAddress, b.endAddress) <= 0 ? a.endAddress : b.endAddress;
  if (startPort > endPort || compare(startAddress, endAddress) > 0) return undefined;
  return {
    tsType: a.tsType,
    ipProtocol: a.ipProtocol || b.ipProtocol,
    startPort,
    endPort,
    startAddress,
    endAddress,
  };
}

const sameSelector = (a: TrafficSelector, b: TrafficSelector): boolean =>
  a.ipProtocol === b.ipProtocol &&
  a.startPort === b.startPort &&
  a.endPort === b.endPort &&
  compare(a.startAddress, b.startAddress) === 0 &&
  compare(a.endAddress, b.endAddress) === 0;

/** A TS payload counts its selectors in one octet. */
const MOST_SELECTORS = 255;

/**
 * What is both offered and allowed, in the order of the offer, as far as one payload can say it; selectors of unknown
 * type fall out.
 */
export function narrow(offered: TrafficSelector[], allowed: TrafficSelector[]): TrafficSelector[] {
  const result: TrafficSelector[] = [];
  for (const offer of offered) {
    if (malformed(offer)) continue;
    for (const allow of allowed) {
      const common = intersect(offer, allow);
      if (common && !result.some((r) => sameSelector(r, common))) result.push(common);
      if (result.length === MOST_SELECTORS) return result;
    }
  }
  return result;
}

const contains = (outer: TrafficSelector, inner: TrafficSelector): boolean => {
  const common = intersect(outer, inner);
  return common !== undefined && sameSelector(common, inner);
};

/** True if every selector of `part` lies within one of `whole`. Empty is no subset: an answer must not be empty. */
export function isSubset(part: TrafficSelector[], whole: TrafficSelector[]): boolean {
  return part.length > 0 && part.every((p) => known(p) && !malformed(p) && whole.some((w) => contains(w, p)));
}
