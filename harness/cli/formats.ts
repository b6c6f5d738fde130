import { REPORT_FORMATS, type ReportFormat } from "../../reports/write.ts";
import { unknownName } from "../run/usage-error.ts";

/** What is said of `--format`. */
export const FORMATS_HELP = `any of ${REPORT_FORMATS.join(", ")}, with commas`;

/** The formats of `--format json,html`. @throws UsageError naming the nearest */
export function formats(list: string): ReportFormat[] {
  return list.split(",").map((given) => {
    const format = REPORT_FORMATS.find((name) => name === given.trim());
    if (!format) throw unknownName("report format", given.trim(), REPORT_FORMATS);
    return format;
  });
}
