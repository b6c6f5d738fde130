/** What a finding from elsewhere may have both ends told: nothing that reaches out of the lab, or out of a line of a configuration. */
import { z } from "zod";
import { isMulticast } from "../../harness/link/multicast-address.ts";
import type { ArenaWishes } from "../../harness/script/test.ts";
import { parseAddress, parsePrefix } from "../../harness/wire/ip.ts";
import { configWishesSchema } from "../../peers/builtin/process-protocol.ts";

const text = z.string().max(64);

const MOST_TEXT = 4_096;
const MOST_ITEMS = 256;
const MOST_NUMBER = 2 ** 32;
/** More than any setup has, and less than a stack. */
const MOST_DEEP = 16;

/** Why no peer is told this; undefined: it may be. */
function refused(value: unknown, deep = 0): string | undefined {
  if (deep > MOST_DEEP) return "is too deep";
  if (typeof value === "string") {
    if (value.length > MOST_TEXT) return `has a text of more than ${MOST_TEXT} characters`;
    // Daemons are told by files of lines, and some of them are as powerful as a shell.
    return /[\p{Cc}\u2028\u2029]/u.test(value) ? "has a control character in a text" : undefined;
  }
  if (typeof value === "number")
    return Math.abs(value) > MOST_NUMBER ? "has a number out of range" : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const items = Object.entries(value);
  if (items.length > MOST_ITEMS) return `has more than ${MOST_ITEMS} items in a list`;
  return items.flatMap(([key, item]) => refused(key, deep) ?? refused(item, deep + 1) ?? [])[0];
}

/** Inner addresses are prefixes; a group sends to addresses of groups alone, and to no host. */
function misled({ config = {} }: ArenaWishes): string | undefined {
  const { localTs = [], remoteTs = [], addressPools = [], groups = [] } = config;
  const inner = [...localTs, ...remoteTs, ...addressPools];
  if (!inner.every((prefix) => parsePrefix(prefix))) return "has a selector that is no prefix";
  const sentTo = groups.flatMap(({ dataGroups = [], rekeyGroup }) => [
    ...dataGroups,
    ...(rekeyGroup ? [rekeyGroup.host] : []),
  ]);
  const isGroup = (host: string) => parseAddress(host) !== undefined && isMulticast(host);
  return sentTo.every(isGroup) ? undefined : "has a group at an address that is none of a group";
}

export const wishesSchema: z.ZodType<ArenaWishes> = z
  .strictObject({
    config: configWishesSchema.optional(),
    outer: z.literal([4, 6]).optional(),
    inner: z.literal([4, 6]).optional(),
    speaks: z.strictObject({ document: text, revision: text }).optional(),
  })
  .superRefine((wishes, context) => {
    const message = refused(wishes) ?? misled(wishes);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
