/** Every reason why a sender or a member could not do something, with its English sentence. */

/**
 * Failed system calls have the name of their error code. The order matters where one sentence could be read as another:
 * sentences that end with another sentence come first. `{0}` and `{1}` are the places of arguments.
 */
export const REASONS = {
  // These end with another sentence, which may itself be one of this list.
  "not-durable": "it is not durable yet: {0}",
  attribute: "its extended attribute {0} cannot be set: {1}",
  "bad-pattern": "the sender's patterns: {0}",
  "stays-as-it-is": "it stays as it is: {0}",
  "attributes-not-sent": "its extended attributes are not sent: {0}",
  "group-unchanged": "its group cannot be changed: {0}",
  "tree-unreadable": "the tree cannot be read: {0}",
  "sender-left": "the sender left: {0}",
  "pre-commit": "the pre-commit hook {0}",
  "staging-foreign":
    "somebody else has put it there, and makuosan cannot move it away; rename it as root: {0}",
  "kept-beside": "it could not be deleted, so it is kept as {0}: {1}",
  "kept-in-area": "it could not be deleted, and stays in {0}: {1}",

  // Errors of the disk.
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  ENOENT: "there is no such file or directory",
  ENOTDIR: "a component of its path is not a directory, or a symbolic link, which is not followed",
  ELOOP: "it has become a symbolic link, which is not followed",
  ENOSPC: "no space left on the device",
  "no-inodes": "no inodes are left on the file system, so that no further file can be made",
  EBUSY: "something is mounted on it, or the kernel uses it",
  EDQUOT: "no space left: the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk reports an input/output error",
  EXDEV: "it is on another file system than the base directory",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long for the file system",
  "system-error": "the system reports {0}",
  damaged: "its data on the disk are damaged ({0})",
  "no-space": "no space: {0} bytes are needed and {1} are free",
  "too-few-inodes": "no inodes: {0} are needed and {1} are free",

  "half-done": "a part that is not known, because the list of changes cannot be read ({0})",

  // Something at a member is in the way.
  "path-too-long": "an entry in it has a path that is too long",
  "not-a-passage": "it is not a directory on this member, and a path leads through it",
  mounted: "something is mounted on it, or on a directory above it",
  immutable: "it is marked as immutable on this member: 'chattr -i' takes the mark away",
  "append-only": "it is marked as append-only on this member: 'chattr -a' takes the mark away",
  "other-project": "its directory belongs to another quota project than the base directory",
  "attributes-of-others": "it belongs to another user on this member, so its attributes cannot be set",
  sticky: "it belongs to somebody else, and so does its directory, which is sticky",
  vanished: "it has vanished on this member during the transfer",
  "holds-protected": "it is a directory on this member, and holds {0}, which this host excludes",
  "not-empty":
    "it is a directory on this member that is not empty: add --delete if everything in it is to be deleted",
  "holds-excluded": "it is a directory on this member, and something in it is excluded",
  "undo-gone":
    "it no longer keeps what it had before push {0}: the settings undo and undo-size of that host say how much it keeps",
  "undo-damaged":
    "what it has kept of push {0} in .makuosan is damaged, or something of it was deleted: push the former files from a host that has them",
  "undo-no-directory": "this directory, in which files come back, is not there, or is no real directory",
  "undo-excluded":
    "this host excludes it now, so the push cannot be taken back here: see its setting exclude",
  "undo-stays": "it stays, because {0} was not made by the push",
  "undo-in-the-way":
    "it is a directory on this host now, with {0}, which the push has not made: move that away, and repeat the undo",
  "undo-follows": "it has nothing of its own to bring back, and gets the former files from another host",
  "undo-stays-behind":
    "it has nothing of its own to bring back, and with its setting 'catch-up = no' it gets nothing from other hosts: set 'catch-up = yes' there",
  "undo-other-log": "its log of pushes is another one than on the sender: wait a moment, and repeat the undo",
  "undo-obstacle":
    "it knows push {0}, which came after that one, or has taken it back, while the host that runs the command was away: run the command on this host",
  "undo-crossed":
    "another push of the same paths, or an undo, came before it at the same moment: see 'msync --history -v', and repeat the undo if it is still wanted",
  "undo-no-log":
    "it keeps no log of pushes, because its state directory cannot be written (see --state): 'msync --undo' needs one on every host",
  "undo-nobody":
    "no host that is there keeps what it had before push {0}: the settings undo and undo-size say how much a host keeps",
  "undo-not-for": "it keeps its files, because the push was not for it (-t, --except)",
  "undo-no-switch": "no other host has taken the push back, so this one keeps its files",
  "undo-behind": "it has not got the former files yet ({0})",
  "delete-limit":
    "{0} of {1} entries would be deleted, and {2} may be (delete-limit): " +
    "add --force-delete if that is what you want",
  appeared: "{0} appeared in it on this member during the transfer, so it stays as it was: push again",
  "base-moved":
    "{0} leads to another directory than when the daemon started: " +
    "run 'systemctl restart makuosan' on that host, and push again",
  "base-replaced": "it was replaced while a transfer to it goes on: push again when that one has ended",
  "own-push": "this member pushes it itself, and its push comes later: compare, and push again",
  overtaken: "another transfer has replaced it: push again",
  incomplete: "the contents of {0} entries are incomplete",

  // Entries that are left out, or do not get all of their attributes.
  "cannot-be-made": "this member cannot make it, so it is left out",
  "link-without-file": "it is a hard link to {0}, which the member does not have, so it is left out",
  "link-cannot-be-made": "it can be neither a link to {0} nor a copy of it, so it is left out",
  "no-attributes": "extended attributes cannot be set on this host",

  // The end of a list of findings.
  unlisted: "the list has no room for {0} more deletes and {1} more notes; the same is done with them",

  // A sender whose blocks contain something invalid.
  "manifest-gap": "the sender skipped a part of its manifest",
  "deletes-without-terms": "the sender deletes without any terms",
  "too-many-patterns": "the sender has too many patterns",
  "bad-block": "the sender's blocks cannot be understood ({0})",

  // A member that does not answer as it should.
  "no-answer": "no answer for {0} seconds",
  "still-silent": "no answer to this push, nor to the one before",
  deaf:
    "it answers, but no multicast has reached it for {0} seconds: " +
    "check its firewall, and the switch for IGMP snooping without a querier",
  stuck: "it answers, but has made no progress for {0} seconds",
  full: "it has had no room for this push for {0} seconds",
  "disk-hung":
    "its disk has been busy with an earlier push for {0} seconds, without a sign: see the kernel log of that host",
  "was-stopped": "it was stopped",
  "fell-silent": "it fell silent",
  "was-restarted": "it was restarted",
  "own-interface-away": "the network interface of this host is away",
  "does-not-receive": "it does not receive",
  "key-not-accepted":
    "it does not accept the key {0}, which seals here: add that key to its key file, and reload makuosan there",
  "under-another-key":
    "it is no member any more, and {0} packets under another key came from {1}: " +
    "add a common key to both key files, and reload makuosan",
  "impossible-report": "it reports blocks that were never sent",
  "impossible-answer": "it answers a manifest that was never sent",

  // A sender, or the user or signal that stops it.
  "sender-silent": "the sender was silent for {0} seconds",
  "sender-goes-on": "the sender continues without this member",
  "dry-run-over": "dry run",
  "daemon-stopping": "the daemon is stopping",
  interrupted: "msync was interrupted",
  "source-stuck": "the disk of the sending host has not answered for {0} seconds",
  unreadable: "the sender cannot read {0} entries",
  unreachable: "{0} cannot be reached",
  "newer-push":
    "another push has come in between, so what this transfer brings may be old: it is asked for again",
  "changes-unreadable": "the list of changes cannot be read ({0})",

  // Entries that are not sent.
  "path-longer": "its path is longer than {0} bytes",
  "time-out-of-range": "its time lies outside of the years 1678 to 2261",
  socket: "it is a socket, which only the program that made it can use",
  "links-not-kept":
    "more than {0} files have several names: this one and those after it become a file for each name; " +
    "push one directory after the other to keep their links",
  "other-owner": "it does not belong to the daemon's user",
  "pattern-matches": "an exclude pattern matches it, or a directory above it",
  "lost-and-found": "it belongs to the file system, not to the tree",
  "became-shorter": "it became shorter while it was being sent",
  "changed-while-sent": "it changed while it was being sent",
  "changes-all-the-time": "it changes each time that it is listed, so nothing in it is deleted: push again",
  "changed-while-read": "it changed while it was being read",

  /** A sentence that is in no catalogue, such as one of a newer member. */
  other: "{0}",
} as const;

export type ReasonCode = keyof typeof REASONS;

/**
 * How to fix the cause of a reason, if the sentence does not say it itself. Only msync adds it: members of every version
 * send the sentences above.
 */
export const MENDS: { readonly [Code in ReasonCode]?: string } = {
  EACCES: "give the daemon's user access to it",
  EPERM: "the file system, an attribute (lsattr) or another owner forbids it to the daemon on that host",
  ENOTDIR: "make the path a real directory on that host",
  ELOOP: "push again",
  "undo-no-directory": "make the directory again on that host, and repeat the undo",
  ENOSPC: "free some space on that host, and push again",
  "no-space": "free some space on that host, and push again",
  "no-inodes": "delete files there, or make the file system with more inodes (df -i)",
  EBUSY: "unmount it on that host, or stop using it (swapoff, umount), and push again",
  "too-few-inodes": "delete files there, or make the file system with more inodes (df -i)",
  EDQUOT: "raise the quota of the daemon's user, or free some space",
  EROFS: "mount it read-write on that host; for a service, see ReadWritePaths= in its unit",
  EIO: "look into the kernel's log (dmesg) on that host",
  EMFILE: "raise LimitNOFILE= of the service",
  "half-done": "push again",
  "kept-beside": "look at it on that host, and remove it by hand",
  "kept-in-area": "remove the cause on that host: every push and every start of makuosan there tries again",
  incomplete: "push again",
  vanished: "push again",
};
