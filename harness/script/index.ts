/** The vocabulary of the suites. */
export { expect } from "chai";
export type { IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
export * from "../ike/payloads.ts";
export * from "../wire/index.ts";
export { EXCHANGE } from "../wire/registry/exchange-types.ts";
export { NOTIFY, notifyTypes } from "../wire/registry/notify-types.ts";
export { PAYLOAD } from "../wire/registry/payload-types.ts";
export { PROTOCOL } from "../wire/registry/protocol-ids.ts";
export { TRANSFORM } from "../wire/registry/transform-types.ts";
export * from "./choices.ts";
export * from "./echo.ts";
export * from "./expectations.ts";
export { espProposals, ikeProposals, selector } from "./policy.ts";
export * from "./raw.ts";
export { Script } from "./script.ts";
export { Session } from "./session.ts";
export { test } from "./test.ts";
export { Ambiguous, Failure, SetupProblem, Unsupported, WrongReason } from "./verdicts.ts";
