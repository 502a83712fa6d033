/** Collects the findings on one host. */
import type { DoctorFinding } from "../../console/protocol.ts";

/** Figures of a finding, with stable names for programs. */
export type Values = DoctorFinding["values"];

/** The findings on one host, in the order of the checks. */
export class Findings {
  readonly list: DoctorFinding[] = [];
  private readonly host: string;
  private readonly address: string;

  constructor(host: string, address: string) {
    this.host = host;
    this.address = address;
  }

  /** All is well with this check. */
  ok(check: string, text: string, values: Values = {}): void {
    this.add({ level: "ok", check, text, mend: "", values });
  }

  /** Worth knowing, and in nobody's way. */
  hint(check: string, text: string, mend: string, values: Values = {}): void {
    this.add({ level: "hint", check, text, mend, values });
  }

  /** In the way of pushes. */
  problem(check: string, text: string, mend: string, values: Values = {}): void {
    this.add({ level: "problem", check, text, mend, values });
  }

  private add(finding: Omit<DoctorFinding, "host" | "address">): void {
    this.list.push({ host: this.host, address: this.address, ...finding });
  }
}

/** A number of bytes for people: 12.3 GB. */
export function sizeText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** A share for people: 2.5 %. */
export function shareText(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}
