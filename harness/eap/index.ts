export { authenticator } from "./authenticator.ts";
export { eapMethod, eapMethods } from "./methods.ts";
export { supplicant } from "./supplicant.ts";
export type * from "./types.ts";
