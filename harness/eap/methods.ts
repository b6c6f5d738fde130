/** The methods there are. */
import { aka } from "./aka.ts";
import { gtc } from "./gtc.ts";
import { md5 } from "./md5.ts";
import type { EapMethod } from "./method.ts";
import { mschapv2 } from "./mschapv2.ts";
import { sim } from "./sim.ts";
import { tls } from "./tls.ts";
import { ttls } from "./ttls.ts";
import type { EapMethodName } from "./types.ts";

export const eapMethods: Readonly<Record<EapMethodName, EapMethod>> = {
  ...{ md5, gtc, mschapv2, tls, ttls, sim, aka },
};

/** The method of this type; undefined if there is no code for it. */
export const methodOfType = (type: number): EapMethod | undefined =>
  Object.values(eapMethods).find((method) => method.type === type);
