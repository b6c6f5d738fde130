/** Every operator by its name. */
import { authOperators } from "./crypto-auth.ts";
import { sealOperators } from "./crypto-seal.ts";
import { fieldsOperators } from "./fields.ts";
import { lengthsOperators } from "./lengths.ts";
import { octetsOperators } from "./octets.ts";
import type { Operator } from "./operator.ts";
import { structureOperators } from "./structure.ts";

export const operators: readonly Operator[] = [
  ...octetsOperators,
  ...fieldsOperators,
  ...lengthsOperators,
  ...structureOperators,
  ...sealOperators,
  ...authOperators,
];

const byName = new Map(operators.map((operator) => [operator.name, operator]));

export const findOperator = (name: string): Operator | undefined => byName.get(name);
