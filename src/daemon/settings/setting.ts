/** The fields of an entry in the table of settings, and what follows from one entry. */
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
  /** The default in words, if the daemon finds it on the host or if no value of the form means it. */
  readonly defaultText?: string;
  /**
   * Makes the final value. It sees only the value that overrides all others, and never looks at the host.
   *
   * @throws UserError for a value that makes no sense
   */
  readonly check?: (given: Given) => unknown;
  /** Whether a reload takes a new value. */
  readonly reload: boolean;
  /** The meaning of the value, or the effect of a flag: a phrase for --help and completions, a sentence in documents. */
  readonly help: string;
  /** The same for the option of a flag that is on by default: the option switches it off. */
  readonly helpOff?: string;
  /** Further sentences for documents. A reference such as msync(1) and an option in them are set in bold. */
  readonly details?: string;
  /** The value that etc/makuosan.conf sets. */
  readonly shipped?: string;
  /** The value that etc/makuosan.conf shows in a comment, if it cannot show the default. */
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

/**
 * A setting's line in --help. It has no default for a flag, because the option itself is the other value.
 *
 * @param say translates its parts
 */
export function helpOf(setting: Setting, say: (english: string) => string = String): string {
  const { form, help, helpOff = help } = setting;
  const shown = form.kind === "flag" ? undefined : defaultTextOf(setting);
  return shown === undefined ? say(helpOff) : `${say(helpOff)} (${say(shown)})`;
}

/** The names of an option, short and long, without its value: "-b, --base". */
export function optionName({ option }: Setting): string {
  return option.split(" <")[0] ?? option;
}
