/** The driver of a participant: it dials when its owner has it dial, and nobody can tell it anything else. */
import { type Driver, DriverUnsupported, type PeerStatus } from "../../peers/contract.ts";

const cannot = (what: string): Promise<never> =>
  Promise.reject(new DriverUnsupported(`nobody can make a participant ${what}`));

export interface ParticipantOptions {
  /** The dial that began this test is let in. */
  release(): void;
  /** Its owner is asked to dial again; resolves once it does, false when it does not. */
  again(): Promise<boolean>;
}

export class Participant implements Driver {
  readonly #options: ParticipantOptions;
  #dialled = false;

  constructor(options: ParticipantOptions) {
    this.#options = options;
  }

  configure = async (): Promise<void> => {};

  /** The first one is there already. */
  async initiate(): Promise<void> {
    if (this.#dialled) {
      if (!(await this.#options.again())) return cannot("dial a second time: it did not come");
      return;
    }
    this.#dialled = true;
    this.#options.release();
  }

  rekeyIke = (): Promise<void> => cannot("rekey its IKE SA");
  rekeyChild = (): Promise<void> => cannot("rekey its Child SA");
  delete = (what: "ike" | "child"): Promise<void> =>
    cannot(what === "ike" ? "delete its IKE SA" : "delete its Child SA");
  sendTraffic = (): Promise<void> => cannot("send traffic");

  /** Where nothing is known of it, nothing is held against it. */
  status = async (): Promise<PeerStatus> => ({ alive: true, ikeSas: [], childSas: [] });
  reset = async (): Promise<void> => {};
  logs = async (): Promise<string> => "";
  markLog = async (): Promise<void> => {};
}
