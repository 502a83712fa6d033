/** The end of the help of msync. */

/** How --help ends: in Japanese by this text. */
export const MORE_HELP = `
Examples:
  msync htdocs/index.html         send one file
  msync -r htdocs                 send a directory with all that is in it
  msync -rn --delete              say what a push of everything would change
  msync -r --delete -t 'web*'     make some members equal to this host
  msync --watch -r htdocs         push what changes there, as it changes
  msync --check -r                compare all members with this host

Exit status: 0 every member has it; 1 usage; 2 the daemon does not answer;
3 some members failed; 4 no member; 5 --check found a difference; 6 nothing was
changed because of --all-or-nothing; 130 interrupted.

The manual is msync(1): man msync.`;
