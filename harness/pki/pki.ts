/** Placeholder seam: its owner replaces it. */
import type { Pki } from "./types.ts";

export const pki = (): Promise<Pki> => Promise.reject(new Error("not built yet"));
