# fish completion for makuosan(8)

complete -c makuosan -f
# begin of settings: options, written by node test/packaging/settings-documents.ts --write
complete -c makuosan -s b -l base -x -a '(__fish_complete_directories)' -d 'Directory whose files are sent and received'
complete -c makuosan -s u -l user -x -a '(__fish_complete_users)' -d 'User that the daemon becomes'
complete -c makuosan -s g -l group -x -a '(__fish_complete_groups)' -d 'Group that the daemon becomes'
complete -c makuosan -s G -l groups -x -a '(__fish_complete_groups)' -d 'Supplementary groups of the daemon, separated by commas'
complete -c makuosan -l keep-owner -d 'Keep the owners of files even if the daemon is not root'
complete -c makuosan -l state -x -a '(__fish_complete_directories)' -d 'Directory for the history of transfers'
complete -c makuosan -s U -l socket -r -F -d 'Control socket'
complete -c makuosan -s o -l no-console -d 'Make no control socket'
complete -c makuosan -l metrics -x -d 'Serve metrics for Prometheus on this address and TCP port'
complete -c makuosan -s d -l loglevel -x -a 'fatal error warn info debug trace' -d 'Log level: fatal, error, warn, info, debug, trace, or a number from 0 to 9'
complete -c makuosan -s p -l port -x -d 'UDP port'
complete -c makuosan -s m -l multicast -x -d 'Multicast group'
complete -c makuosan -s i -l interface -x -a '(__fish_print_interfaces)' -d 'Network interface, by name, address or network'
complete -c makuosan -l name -x -d 'Name of this host for the other members'
complete -c makuosan -l labels -x -d 'Labels of this host for msync -t @NAME, separated by commas'
complete -c makuosan -s k -l key -r -F -d 'Key file, made by msync --keygen'
complete -c makuosan -s T -l rate -x -d 'Maximum send rate in megabits per second'
complete -c makuosan -s R -l receive-buffer -x -d 'Socket buffer for received packets, in bytes'
complete -c makuosan -s S -l send-buffer -x -d 'Socket buffer for sent packets, in bytes'
complete -c makuosan -l no-offload -d 'Use only the network calls of Node itself'
complete -c makuosan -s r -l no-receive -d 'Do not receive files'
complete -c makuosan -s s -l no-send -d 'Do not send files'
complete -c makuosan -s f -l parallel -x -d 'Transfers that this host sends at the same time'
complete -c makuosan -l compress -x -a 'auto yes no' -d 'Compress contents: auto, yes or no'
complete -c makuosan -l exclude -x -d 'Patterns of files that this host neither sends nor changes, separated by commas'
complete -c makuosan -l no-catch-up -d 'Neither get pushes that this host has missed, nor bring them to others'
complete -c makuosan -l check-every -x -d 'Compare this host with what was published, at this interval: no, or a time such as 24h'
complete -c makuosan -l drift -x -a 'report repair' -d 'What to do with entries that check-every finds: report, or repair'
complete -c makuosan -l delete-limit -x -d 'Most entries that a transfer may delete on this host: a number, or a percentage'
complete -c makuosan -l undo -x -d 'How many pushes this host can take back, 0 for none'
complete -c makuosan -l undo-size -x -d 'Most bytes that are kept for --undo: a number with K, M, G or T'
complete -c makuosan -s O -l owner-match -d 'Send only files of the daemon\'s user'
complete -c makuosan -l pre-commit -r -F -d 'Program that runs when a transfer is staged, and can refuse it'
complete -c makuosan -l post-commit -r -F -d 'Program that runs when a transfer has taken effect'
complete -c makuosan -l hook-user -x -a '(__fish_complete_users)' -d 'User that the hooks run as'
complete -c makuosan -l hook-timeout -x -d 'Seconds that each hook may run'
# end of settings: options
complete -c makuosan -l config -r -F -d 'Config file'
complete -c makuosan -s n -l foreground -d 'Stay in the foreground'
complete -c makuosan -l check-config -d 'Check the settings, and do not start'
# begin of settings: keys
set -l keys base user group groups keep-owner state socket console metrics loglevel port multicast interface name \
    labels key rate receive-buffer send-buffer offload receive send parallel compress exclude catch-up \
    check-every drift delete-limit undo undo-size owner-match pre-commit post-commit hook-user hook-timeout
# end of settings: keys
complete -c makuosan -l set -x -a (string join ' ' -- $keys=) -d 'Set a value in the config file 50-set.conf'
complete -c makuosan -l import-sysconfig -r -F -d 'Print the config file for a start file of versions before 2'
complete -c makuosan -s V -l version -d 'Print the version'
complete -c makuosan -s h -l help -d 'Print the options'
