/** Whether a member takes a GSA_REKEY, in the order of RFC 9838 section 2.4.1.4: ICV, AUTH, Message ID. */
import type { Datagram } from "../link/types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { type Decide, decider, type GroupHooks } from "./hooks.ts";
import { isFor } from "./member-data.ts";
import type { JoinedGroup } from "./member-group.ts";
import type { HeldRekey } from "./member-types.ts";
import { type OpenedRekey, openRekey, type RekeyError } from "./rekey-open.ts";

/** What a member that lies accepts in spite of what is wrong with it. */
function overlooked(decide: Decide): ReadonlySet<RekeyError> {
  const accepts: [RekeyError, boolean][] = [
    ["signature", decide("wrong signature", "drop") === "accept"],
    ["algorithm", decide("wrong AlgorithmIdentifier", "drop") === "accept"],
    ["missing AUTH", decide("missing AUTH", "drop") === "accept"],
    ["AUTH with implicit", decide("AUTH in spite of implicit authentication", "drop") === "accept"],
  ];
  return new Set(accepts.flatMap(([error, accepted]) => (accepted ? [error] : [])));
}

/** Where C and RESERVED of the only payload stand. */
const RESERVED_AT = 29;

function withoutReserved(octets: Uint8Array): Uint8Array {
  const copy = octets.slice();
  copy[RESERVED_AT] = (copy[RESERVED_AT] ?? 0) & 0x80;
  return copy;
}

/** An authentic message that is new; undefined if it is to be dropped, or if more of it is to come. */
export function acceptRekey(
  group: JoinedGroup,
  held: HeldRekey,
  octets: Uint8Array,
  datagram: Datagram,
  hooks: readonly GroupHooks[],
): OpenedRekey | undefined {
  const decide = decider(hooks);
  const elsewhere = !isFor(held.planned, datagram);
  if (elsewhere && decide("GSA_REKEY to another address", "drop") === "drop")
    return void group.tell("a GSA_REKEY that was not sent to the group");
  const collects =
    group.ike.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) &&
    decide("fragments of GSA_REKEY", "collect") === "collect";
  const whole =
    decide("RESERVED of a GSA_REKEY", "as it came") === "as it came" ? octets : withoutReserved(octets);
  const options = { ...(collects && { fragments: held.fragments }), overlooks: overlooked(decide) };
  const found = openRekey(whole, held.sa, options);
  const opened = hooks.reduce((result, hook) => hook.openedRekey?.(result) ?? result, found);
  if (opened === "wait") return undefined;
  if ("error" in opened) return void group.tell(`GSA_REKEY: ${opened.error}, ${opened.reason}`);
  return isNew(group, held, opened.messageId, decide) ? opened : undefined;
}

function isNew(group: JoinedGroup, { nextMessageId }: HeldRekey, messageId: number, decide: Decide): boolean {
  const signed = decide("numbers of GSA_REKEY", "unsigned") === "signed";
  const isOld = messageId < nextMessageId || (signed && messageId >= 2 ** 31);
  if (!isOld || decide("replayed GSA_REKEY", "drop") === "accept") return true;
  // The controller sends copies of a message, as nobody can ask for it.
  if (messageId !== nextMessageId - 1) group.tell(`GSA_REKEY ${messageId} where ${nextMessageId} is next`);
  return false;
}
