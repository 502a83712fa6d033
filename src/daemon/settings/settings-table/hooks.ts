/** The settings of hooks: programs that a member runs around a commit. */
import * as form from "../forms.ts";
import type { Setting } from "../setting.ts";

/** A sender gives up a member that makes no progress for 300 seconds: a minute is left for the member's own work. */
const TIMEOUT_SECONDS = form.number(1, 240);

/** A minute is enough to check a configuration, and all members wait for the slowest hook. */
const DEFAULT_TIMEOUT_SECONDS = 60;

export const HOOKS = {
  preCommit: {
    key: "pre-commit",
    option: "--pre-commit <program>",
    form: form.file,
    default: undefined,
    reload: true,
    help: "program that runs when a transfer is staged, and can refuse it",
    details:
      "Its standard input lists the paths that change. If it fails, nothing changes on this host. See HOOKS in makuosan(8).",
    example: "/usr/bin/true",
  },
  postCommit: {
    key: "post-commit",
    option: "--post-commit <program>",
    form: form.file,
    default: undefined,
    reload: true,
    help: "program that runs when a transfer has taken effect",
    example: "/usr/bin/true",
  },
  hookUser: {
    key: "hook-user",
    option: "--hook-user <name>",
    form: form.user,
    default: undefined,
    defaultText: "the user of the daemon",
    reload: true,
    help: "user that the hooks run as",
    example: "nobody",
  },
  hookTimeoutSeconds: {
    key: "hook-timeout",
    option: "--hook-timeout <seconds>",
    form: TIMEOUT_SECONDS,
    default: DEFAULT_TIMEOUT_SECONDS,
    reload: true,
    help: "seconds that each hook may run",
  },
} as const satisfies Record<string, Setting>;
