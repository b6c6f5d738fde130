/** Placeholder seam: its owner replaces it. */
import type { EapAuthenticator, EapConversation, EapOptions } from "./types.ts";

export const supplicant = (_options: EapOptions): EapConversation => ({ take: () => ({}) });
export const authenticator = (_options: EapOptions): EapAuthenticator => ({
  take: () => ({}),
  begin: () => ({ code: 1, identifier: 0, data: new Uint8Array(0) }),
});
