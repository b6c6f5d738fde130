export { authenticator } from "./authenticator.ts";
export { eapMethods, methodOfType } from "./methods.ts";
export { supplicant } from "./supplicant.ts";
export type * from "./types.ts";
