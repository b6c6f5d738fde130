/**
 * How an entry of a baseline names tests: by id, or with `*` in the place of the section or the name, or of both
 * (`g-ikev2/2.3/*`). What stands for several tests leaves those alone that another entry names with fewer `*`.
 */

const partsOf = (tests: string): string[] => tests.split("/");

const starsOf = (tests: string): number => partsOf(tests).filter((part) => part === "*").length;

/** Whether `tests` is an id, or has `*` only where it stands for a whole section or name. */
export function isPattern(tests: string): boolean {
  const [document = "", ...rest] = partsOf(tests);
  if (!tests.includes("*")) return true;
  return (
    !document.includes("*") && rest.length === 2 && rest.every((part) => part === "*" || !part.includes("*"))
  );
}

const fits = (part: string, other: string | undefined): boolean => part === "*" || part === other;

/** Whether the test with this id is among `tests`. */
export function namesTest(tests: string, id: string): boolean {
  const [parts, place] = [partsOf(tests), partsOf(id)];
  return parts.length === place.length && parts.every((part, i) => fits(part, place[i]));
}

/** Whether neither of the two goes before the other for a test that both name. */
export function collide(one: string, other: string): boolean {
  if (one === other) return true;
  if (!one.includes("*") || starsOf(one) !== starsOf(other)) return false;
  const [parts, others] = [partsOf(one), partsOf(other)];
  return (
    parts.length === others.length && parts.every((part, i) => fits(part, others[i]) || others[i] === "*")
  );
}

interface Naming {
  tests: readonly string[];
  except?: readonly string[] | undefined;
}

/** The item whose tests name `id` with the fewest `*`, of those that do not except it. */
export function nearestNaming<T extends Naming>(items: readonly T[], id: string): T | undefined {
  const naming = items
    .filter(({ except = [] }) => !except.some((tests) => namesTest(tests, id)))
    .flatMap((item) =>
      item.tests.filter((tests) => namesTest(tests, id)).map((tests) => ({ item, stars: starsOf(tests) })),
    );
  return naming.sort((a, b) => a.stars - b.stars)[0]?.item;
}
