/** Real time with a peer in it that may die. */
import { RealWorld } from "../link/udp.ts";

/** How often a waiting test looks whether the peer still runs, in milliseconds. */
const LOOK_MS = 50;

/** Nobody waits for a peer that has died: what it has not done by then it will not do. */
export class MortalWorld extends RealWorld {
  readonly #died: () => boolean;

  /** `died` is asked often, and must be cheap. */
  constructor(died: () => boolean) {
    super();
    this.#died = died;
  }

  override async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    let over = false;
    const timer = setInterval(() => {
      over = this.#died();
      if (over) this.poke();
    }, LOOK_MS);
    try {
      return (await super.until(() => over || condition(), timeoutMs)) && (!over || condition());
    } finally {
      clearInterval(timer);
    }
  }
}
