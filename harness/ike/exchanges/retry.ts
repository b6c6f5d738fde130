/** Requests that the peer puts off with TEMPORARY_FAILURE: RFC 7296 section 2.25. */
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { Payload } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import { hasNotify } from "../payloads.ts";
import type { IkeSa } from "../sa.ts";
import { successorOf } from "../succession.ts";
import { deleteIke } from "./informational.ts";

/** What becomes of a command that was put off. */
export interface PutOff {
  /** Tries it had before this one. */
  tries: number;
  /** Gets the SA that has taken the place of the first one by then, or that one. */
  again(on: IkeSa): void;
  /** Called instead if no IKE SA is left. */
  gone(): void;
}

/** True if the command is tried again later. Ends an IKE SA on which nothing has gone on for minutes. */
export function tryLater(core: Core, sa: IkeSa, response: Payload[], command: PutOff): boolean {
  const { tries, waitMs } = core.policy.retry;
  if (tries === 0 || !hasNotify(response, NOTIFY.TEMPORARY_FAILURE)) return false;
  if (command.tries >= tries) {
    if (sa.established) deleteIke(core, sa, () => {});
    return false;
  }
  const wait = waitMs * 2 ** command.tries;
  // Two ends that put each other off must not do so again in step.
  const jitter = (wait * (core.random(1)[0] ?? 0)) / 255;
  core.after(wait + jitter, () => {
    const on = successorOf(sa);
    if (on.state === "established") command.again(on);
    else command.gone();
  });
  return true;
}
