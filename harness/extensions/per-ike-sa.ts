import type { IkeSa } from "../ike/sa.ts";

/** What an extension keeps of an IKE SA: made when it is first asked for, and forgotten with the SA. */
export function perIkeSa<T>(make: () => T): (sa: IkeSa) => T {
  const all = new WeakMap<IkeSa, T>();
  return (sa) => {
    const kept = all.get(sa) ?? make();
    all.set(sa, kept);
    return kept;
  };
}
