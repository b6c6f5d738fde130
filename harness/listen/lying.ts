/** Has a dial's endpoint tell a lie. */
import type { Lie } from "../../peers/builtin/lies/lie.ts";
import { ordinaryFragmentation } from "../extensions/fragmentation.ts";
import type { Script } from "../script/script.ts";

/** To be called before anything has come. */
export function applied({ behaviour }: Lie, script: Script): void {
  const { ike, esp, policy, fragmentation } = behaviour();
  if (fragmentation === "off") script.fragmentation();
  else if (fragmentation) script.fragmentation({ ...ordinaryFragmentation, ...fragmentation });
  if (ike) script.extensions.push({ name: "lie", ...ike });
  if (esp) script.espExtensions.push({ name: "lie", ...esp });
  policy?.(script.policy);
}
