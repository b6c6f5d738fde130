/** Ranges of traffic selectors against each other (RFC 7296 sections 2.9 and 3.13.1). */
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { TrafficSelector } from "../wire/types.ts";

const isRange = ({ tsType, body }: TrafficSelector): boolean =>
  body === undefined && (tsType === TS_TYPE.TS_IPV4_ADDR_RANGE || tsType === TS_TYPE.TS_IPV6_ADDR_RANGE);

/** OPAQUE: the port cannot be seen. */
const isOpaque = ({ startPort, endPort }: TrafficSelector): boolean => startPort === 65535 && endPort === 0;

/** Addresses of one family, as octets of one length. */
const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b);

interface Point {
  like: TrafficSelector;
  address: Uint8Array;
  port: number;
}

const holds = (selector: TrafficSelector, { like, address, port }: Point): boolean =>
  isRange(selector) &&
  selector.tsType === like.tsType &&
  (selector.ipProtocol === 0 || selector.ipProtocol === like.ipProtocol) &&
  compare(selector.startAddress, address) <= 0 &&
  compare(selector.endAddress, address) >= 0 &&
  (isOpaque(selector) || (selector.startPort <= port && selector.endPort >= port));

/**
 * Whether a corner of a range surely lies outside all of `those`. A range whose corners they hold may lie outside too:
 * that is not looked at. Selectors that are no address ranges, and OPAQUE ports, are taken for covered.
 */
export function surelyOutside(selector: TrafficSelector, those: readonly TrafficSelector[]): boolean {
  if (!isRange(selector) || isOpaque(selector)) return false;
  const corners = [selector.startAddress, selector.endAddress].flatMap((address) =>
    [selector.startPort, selector.endPort].map((port) => ({ like: selector, address, port })),
  );
  return corners.some((point) => !those.some((one) => holds(one, point)));
}
