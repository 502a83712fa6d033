/** What an entry in the table of settings says. */
import type { Form, SettingValue } from "./forms.ts";

interface SettingOf<Given extends SettingValue> {
  /** The key in the config file. */
  readonly key: string;
  /** The option, with a short one if there is one: "-b, --base <dir>". */
  readonly option: string;
  /** The variable of the environment that sets the same; no new setting gets one. */
  readonly environment?: string;
  readonly form: Form<Given>;
  /** The value if none is given, as it could be given; undefined if there is none. */
  readonly default: Given | undefined;
  /** The default in words, if the daemon finds it on the host or if it has no written form. */
  readonly defaultText?: string;
  /**
   * Makes the final value of the one that counts, without a look at the host.
   *
   * @throws UserError for a value that cannot be
   */
  readonly check?: (given: Given) => unknown;
  /** Whether a reload takes a new value. */
  readonly reload: boolean;
  /** What the value is, or what a flag does: a phrase for --help, which documents continue to a sentence. */
  readonly help: string;
  /** For an option that switches a flag off: what the option does. */
  readonly helpOff?: string;
  /** Further sentences for documents. A reference such as msync(1) and an option in them are set in bold. */
  readonly details?: string;
  /** The value that the config file of the packages sets. */
  readonly shipped?: string;
  /** The value in the config file of the packages that is only shown, if the default is none. */
  readonly example?: string;
}

/** A setting; its default and its check take values of its form. */
export type Setting =
  SettingOf<string> | SettingOf<number> | SettingOf<boolean> | SettingOf<readonly string[]>;

type GivenOf<One extends Setting> = One["form"] extends Form<infer Given> ? Given : never;

/** The type of a setting's final value. */
export type ValueOf<One extends Setting> =
  | (One extends { readonly check: (given: never) => infer Value } ? Value : GivenOf<One>)
  | (One["default"] extends undefined ? undefined : never);

/** The default as people write it; undefined if there is none. */
export function defaultTextOf(setting: Setting): string | undefined {
  const { default: value, defaultText = value } = setting;
  if (typeof defaultText === "boolean") return defaultText ? "yes" : "no";
  const written = String(defaultText ?? "");
  return written === "" ? undefined : written;
}

/** A setting's line in --help: flags have no default there, because the option is the other value. */
export function helpOf(setting: Setting): string {
  const { form, help, helpOff = help } = setting;
  const shown = form.kind === "flag" ? undefined : defaultTextOf(setting);
  return shown === undefined ? helpOff : `${helpOff} (${shown})`;
}

/** An option as sentences name it: all of its forms, without its value. */
export function optionName({ option }: Setting): string {
  return option.split(" <")[0] ?? option;
}
