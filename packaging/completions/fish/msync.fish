# fish completion for msync(1)

function __msync_ask --description 'Asks the daemon that the line so far talks with'
    set -l words (commandline -opc)
    set -l console
    for i in (seq 2 (math (count $words) - 1))
        contains -- $words[$i] -c --console; and set console -c $words[(math $i + 1)]
    end
    msync $console $argv 2>/dev/null
end

function __msync_members
    __msync_ask --members | string replace -rf '^(\S+) (\S+) \(Ver.*\)$' '$1\t$2'
end

# Paths are relative to the base directory, whatever the current directory is.
function __msync_paths
    set -l base (__msync_ask --status | string replace -rf '^basedir : ' '')
    test -n "$base"; or return
    # A slash in front means the base directory, too; it stays.
    set -l slash (string match -r '^/' -- (commandline -ct))
    set -l token (string replace -r '^/' '' -- (commandline -ct))
    for path in $base/$token*
        set -l name (string sub -s (math (string length -- $base) + 2) -- $path)
        test "$name" = .makuosan; and continue
        if test -d $path; and not test -L $path
            echo "$slash$name/"
        else
            echo "$slash$name"
        end
    end
end

set -l levels 'fatal error warn info debug trace'
complete -c msync -f
complete -c msync -n 'not __fish_contains_opt keygen doctor catch-up' -a '(__msync_paths)'
complete -c msync -n '__fish_contains_opt doctor catch-up' -a '(__msync_members)'
complete -c msync -n '__fish_contains_opt keygen' -F
complete -c msync -s r -l recursive -d 'Directories with all that is in them'
complete -c msync -s n -l dry-run -d 'Only say what would be sent'
complete -c msync -s v -l verbose -d 'Say what is updated; twice: what is skipped, too'
complete -c msync -s t -l target -x -a '(__msync_members)' -d 'Send to this member only'
complete -c msync -l except -x -a '(__msync_members)' -d 'Do not send to this member'
complete -c msync -l wait -x -d 'Wait until so many members are there'
complete -c msync -l exclude -x -d 'Leave out entries that match this pattern'
complete -c msync -l exclude-from -r -F -d 'Leave out entries that match the patterns of a file'
complete -c msync -s g -l group -x -a '(__fish_complete_groups)' -d 'Give everything this group before it is sent'
complete -c msync -l delete -d 'With -r: delete entries that the sender does not have'
complete -c msync -l sync -d 'Delete the given paths that are gone on the sender'
complete -c msync -l force-delete -d 'Delete however much it is'
complete -c msync -l check -d 'Compare everything by its contents, and say what differs'
complete -c msync -l repair -d 'The same, and send what differs'
complete -c msync -l checksum -d 'Find out by their contents which files differ'
complete -c msync -l xattrs -d 'Send extended attributes and access control lists, too'
complete -c msync -l compress -d 'Compress all contents'
complete -c msync -l no-compress -d 'Compress nothing'
complete -c msync -s W -l whole-file -d 'Send all of each file, also where members have another version of it'
complete -c msync -l stats -d 'End with a line on how much was sent'
complete -c msync -l all-or-nothing -d 'Change nothing anywhere unless every member can take everything'
complete -c msync -s c -l console -x -a 'unix:/run/makuosan/makuosan.sock' -d 'Control socket of the daemon'
complete -c msync -s l -l loglevel -x -a $levels -d 'Set the log level of the daemon'
complete -c msync -s f -l script -r -F -d 'Carry out the commands of a script'
complete -c msync -l keep-going -d 'Go on with a script when a command fails'
complete -c msync -l watch -d 'Push what changes, as it changes'
complete -c msync -l members -d 'List the members'
complete -c msync -l status -d 'Show how the daemon is'
complete -c msync -l top -d 'Show members and running pushes, refreshed in place'
complete -c msync -l doctor -d 'Look for everything that is in the way'
complete -c msync -l history -d 'Show the last transfers'
complete -c msync -l catch-up -d 'Get now what was missed'
complete -c msync -l undo -d 'Take back the last push, or the one with an id'
complete -c msync -l keygen -d 'Make a new key for a fleet'
complete -c msync -l add -r -F -d 'With --keygen: add the new key to a key file'
complete -c msync -l json -d 'Print a JSON object a line'
complete -c msync -s V -l version -d 'Print the version'
complete -c msync -s h -l help -d 'Print the options'
