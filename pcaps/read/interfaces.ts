/** Interface Description Blocks of pcapng: where packets were captured, and in what their times count. */

/** An interface that packets name by its place in the section. */
export interface Interface {
  linkType: number;
  /** The most octets of a packet that were kept; 0 where there is no limit. */
  snapLength: number;
  /** Of time stamps. */
  unitsPerSecond: number;
  /** Added to every time stamp. */
  offsetSeconds: number;
}

/** Two octets of link type, two reserved, four of the limit. */
export const INTERFACE_FIXED = 8;
const MICROSECONDS = 1e6;
const [END, TIME_RESOLUTION, TIME_OFFSET] = [0, 9, 14];

/**
 * Reads a block from `from`, behind its length, to `end`. `fault` says where an option leads out of the block: those
 * before it count.
 */
export function readInterface(
  view: DataView,
  from: number,
  end: number,
  little: boolean,
): { value: Interface; fault?: { at: number; reason: string } } {
  const value: Interface = {
    linkType: view.getUint16(from, little),
    snapLength: view.getUint32(from + 4, little),
    unitsPerSecond: MICROSECONDS,
    offsetSeconds: 0,
  };
  let at = from + INTERFACE_FIXED;
  while (end - at >= 4) {
    const [code, length] = [view.getUint16(at, little), view.getUint16(at + 2, little)];
    if (code === END) break;
    if (length > end - at - 4) {
      const reason = `option ${code} of ${length} octets, ${end - at - 4} are left in the block`;
      return { value, fault: { at, reason } };
    }
    if (code === TIME_RESOLUTION && length >= 1) value.unitsPerSecond = unitsOf(view.getUint8(at + 4));
    if (code === TIME_OFFSET && length >= 8) value.offsetSeconds = Number(view.getBigInt64(at + 4, little));
    at += 4 + length + (-length & 3);
  }
  return { value };
}

/** A power of 10, or with the highest bit one of 2. */
function unitsOf(resolution: number): number {
  const exponent = resolution & 0x7f;
  return resolution & 0x80 ? 2 ** exponent : 10 ** exponent;
}
