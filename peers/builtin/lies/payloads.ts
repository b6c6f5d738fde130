/** Lies about payload formats. */
import type { Lie } from "./lie.ts";
import { decides } from "./tools.ts";

export const payloadLies: readonly Lie[] = [
  decides(
    "accepts-malformed-messages",
    "IKEV2-272",
    "acts on malformed payloads as far as it can read them",
    {
      "malformed message": "accept",
      "unacceptable TS": "take own",
    },
  ),
];
