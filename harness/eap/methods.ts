/** The methods there are. */
import { gtc } from "./gtc.ts";
import { md5 } from "./md5.ts";
import type { EapMethod } from "./method.ts";
import { mschapv2 } from "./mschapv2.ts";

export const eapMethods: readonly EapMethod[] = [md5, gtc, mschapv2];

/** The method by its name or its type; undefined if there is no code for it. */
export const eapMethod = (named: string | number): EapMethod | undefined =>
  eapMethods.find(({ name, type }) => named === name || named === type);
