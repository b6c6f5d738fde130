/** A new IKE SA for a member whose own is gone. */
import type { Core } from "../ike/core.ts";
import { startAuth } from "../ike/exchanges/ike-auth.ts";
import { startInit } from "../ike/exchanges/ike-sa-init.ts";
import type { Application } from "../ike/hooks.ts";
import { IkeSa } from "../ike/sa.ts";

/** IKE_SA_INIT between the same addresses as before, and GSA_AUTH. */
export function reconnect(
  core: Core,
  { local, remote }: IkeSa,
  application: Application,
  done: (failure?: string) => void,
): void {
  const sa = new IkeSa("initiator", core.freshSpi(8), local, remote);
  core.add(sa);
  startInit(core, sa, (failure) => {
    if (failure) return done(failure);
    startAuth(core, sa, { application }, (outcome) => done(outcome.failure ?? outcome.applicationFailure));
  });
}
