const SIZE = 65536;

/**
 * Memory for packets, cut from blocks of 64 KiB: the garbage collector pays per
 * block, and an allocation per packet showed in the packets per second. A packet that is kept keeps its block.
 */
export class Slab {
  private block = new ArrayBuffer(0);
  private at = 0;

  /** Octets not used before: zeros. */
  take(octets: number): Uint8Array {
    if (octets > SIZE) return new Uint8Array(octets);
    if (this.at + octets > this.block.byteLength) {
      this.block = new ArrayBuffer(SIZE);
      this.at = 0;
    }
    const taken = new Uint8Array(this.block, this.at, octets);
    // The next one begins at a multiple of 8.
    this.at += (octets + 7) & ~7;
    return taken;
  }
}
