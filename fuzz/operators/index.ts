/** Every operator by its name. */
import type { Operator } from "./operator.ts";
import { structureOperators } from "./structure.ts";

export const operators: readonly Operator[] = [...structureOperators];

const byName = new Map(operators.map((operator) => [operator.name, operator]));

export const findOperator = (name: string): Operator | undefined => byName.get(name);
