/** ESP echo over a call: what the announcement says, and whether a request may be sent at all. */
import type { PeerConfig } from "../../peers/contract.ts";
import type { Random } from "../crypto/types.ts";
import { announceEcho, echoNotify, hasAnnounced } from "../extensions/esp-echo-announcement.ts";
import { EchoRequester } from "../extensions/esp-echo-requester.ts";
import { echoResponder } from "../extensions/esp-echo-responder.ts";
import type { IkeSa } from "../ike/sa.ts";
import { UsageError } from "../run/usage-error.ts";
import { type EchoRevision, echoForms } from "../wire/esp-echo.ts";
import { notifyTypes } from "../wire/registry/notify-types.ts";
import { Call, type CallOptions } from "./call.ts";
import { type EchoListener, type EchoPlan, EchoRun } from "./echo-run.ts";

export interface EchoCall {
  call: Call;
  /** Sends requests as planned. */
  run(plan: EchoPlan, listener: EchoListener): EchoRun;
}

/** @throws UsageError for what this revision does not have */
export function checkRevision(
  revision: EchoRevision,
  { plain, oneWay, replySpi }: { plain: boolean; oneWay: boolean; replySpi?: number },
): void {
  const form = echoForms[revision];
  if (plain && form.plain === "none")
    throw new UsageError(`revision ${revision} has no requests outside of SAs: leave --plain out`);
  if (!plain && !form.encrypted)
    throw new UsageError(`revision ${revision} has only requests outside of SAs: add --plain`);
  if (oneWay && !form.oneWay) throw new UsageError(`revision ${revision} has no one-way requests`);
  if (replySpi !== undefined && form.replyFlag === 0)
    throw new UsageError(`revision ${revision} has no field for --reply-spi`);
}

/** Our end announces the echo, answers the peer's own requests, and sends ours. */
export function echoCall(
  options: Omit<CallOptions, "extensions" | "esp"> & { config: PeerConfig; random: Random },
  revision: EchoRevision,
): EchoCall {
  const call = new Call({
    ...options,
    extensions: [announceEcho(echoNotify(revision))],
    esp: [echoResponder({ revision })],
  });
  return {
    call,
    run: (plan, listener) => {
      const requester: EchoRequester = new EchoRequester({
        ...{ plane: call.host, revision, random: options.random },
        onReply: (reply) => run.take(reply),
      });
      const run = new EchoRun(requester, plan, call, listener);
      call.host.options.esp.push(requester.extension);
      return run;
    },
  };
}

/** Why silence of this peer proves nothing; undefined if it announced the echo, or the revision has no announcement. */
export function unannounced(sa: IkeSa, revision: EchoRevision): string | undefined {
  const type = echoNotify(revision);
  if (type === undefined || hasAnnounced(sa, type)) return undefined;
  return `the peer did not announce ${notifyTypes.nameOf(type)}; silence proves nothing`;
}
