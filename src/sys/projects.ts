/** The quota projects of directories (FS_IOC_FSGETXATTR), which XFS, ext4 and others have. */
import { nativeFunction } from "./native.ts";

// Numbers of the kernel's interface.
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_XFLAG_PROJINHERIT = 0x200;

/** Size of a struct fsxattr and offsets in it. */
const FSXATTR_BYTES = 28;
const FSXATTR = { flags: 0, project: 12 } as const;

const answer = Buffer.from(new SharedArrayBuffer(FSXATTR_BYTES));

/** Whether the system can be asked for projects. */
export function canReadProject(): boolean {
  return ioctl() !== undefined;
}

/**
 * The project that new entries of an open directory belong to.
 *
 * @param descriptor of a directory that is open for reading
 * @returns 0 if the directory gives none to its entries, or if its file system has no projects
 */
export function inheritedProject(descriptor: number): number {
  const call = ioctl();
  if (call?.(descriptor, FS_IOC_FSGETXATTR, answer) !== 0) return 0;
  const isInherited = (answer.readUInt32LE(FSXATTR.flags) & FS_XFLAG_PROJINHERIT) !== 0;
  return isInherited ? answer.readUInt32LE(FSXATTR.project) : 0;
}

function ioctl() {
  return nativeFunction("int ioctl(int, unsigned long, void *)");
}
