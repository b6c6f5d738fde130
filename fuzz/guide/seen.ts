/** A set that forgets its oldest members once it is full. */
export class Seen {
  readonly #most: number;
  readonly #members: Set<string>;

  constructor(most: number, members: Iterable<string> = []) {
    this.#most = most;
    this.#members = new Set(members);
    this.#bound();
  }

  get size(): number {
    return this.#members.size;
  }

  has(member: string): boolean {
    return this.#members.has(member);
  }

  /** True if it is new. */
  add(member: string): boolean {
    if (this.#members.has(member)) return false;
    this.#members.add(member);
    this.#bound();
    return true;
  }

  /** The oldest first. */
  list(): string[] {
    return [...this.#members];
  }

  #bound(): void {
    for (const oldest of this.#members) {
      if (this.#members.size <= this.#most) return;
      this.#members.delete(oldest);
    }
  }
}
