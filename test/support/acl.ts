/** Access control lists in the form that the kernel takes and gives (acl(5), linux/posix_acl_xattr.h). */

const VERSION = 2;
const NO_ID = 0xffff_ffff;
const TAGS = { user: 1, namedUser: 2, group: 4, namedGroup: 8, mask: 16, other: 32 } as const;

/** Permissions by entry: `user`, `group`, `mask`, `other`, and a number for a user of that id. */
export type Acl = Readonly<Record<string, number>>;

/** The value of an attribute. */
export function aclValue(acl: Acl): Buffer {
  const entries = Object.entries(acl).map(([name, permissions]) => {
    const isUser = /^\d+$/.test(name);
    const tag = isUser ? TAGS.namedUser : TAGS[name as keyof typeof TAGS];
    return { tag, permissions, id: isUser ? Number(name) : NO_ID };
  });
  entries.sort((a, b) => a.tag - b.tag);
  const value = Buffer.alloc(4 + 8 * entries.length);
  value.writeUInt32LE(VERSION, 0);
  entries.forEach(({ tag, permissions, id }, index) => {
    value.writeUInt16LE(tag, 4 + 8 * index);
    value.writeUInt16LE(permissions, 6 + 8 * index);
    value.writeUInt32LE(id, 8 + 8 * index);
  });
  return value;
}

/** The entries of an attribute's value; undefined if there is none. */
export function aclOf(value: Uint8Array | undefined): Acl | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value);
  const acl: Record<string, number> = {};
  for (let at = 4; at < bytes.length; at += 8) {
    const tag = bytes.readUInt16LE(at);
    const name = Object.entries(TAGS).find(([, one]) => one === tag)?.[0] ?? "unknown";
    acl[name === "namedUser" ? String(bytes.readUInt32LE(at + 4)) : name] = bytes.readUInt16LE(at + 2);
  }
  return acl;
}
