/** The words for error codes. */
import { DecodeError } from "../../base/bytes.ts";
import { StageError } from "./stage-error.ts";
import { errorCode } from "../../sys/system-error.ts";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  ENOENT: "there is no such file or directory",
  ENOTDIR: "a component of its path is not a directory, or a symbolic link, which is not followed",
  ELOOP: "it has become a symbolic link, which is not followed",
  ENOSPC: "no space left on the device",
  EDQUOT: "no space left: the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an input/output error",
  EXDEV: "it is on another file system than the base directory",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the file system does not take so long a name",
};

/** What went wrong, in words. */
export function explain(error: unknown): string {
  if (error instanceof StageError) return error.message;
  if (error instanceof DecodeError) return `what is written there is damaged (${error.message})`;
  const code = errorCode(error);
  return REASONS[code] ?? `the system reports ${code}`;
}
