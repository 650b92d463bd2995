# SPDX-License-Identifier: Apache-2.0
# Completion for fish. Commands and options are read from the help of ptsd, so they are always its
# own.

function __ptsd_commands
    ptsd help | string replace -rf '^  ([a-z]+) +(.*)$' '$1\t$2'
    printf 'help\tprint the overview, or the help of a command\n'
end

function __ptsd_options
    set -l command (commandline -opc)[2]
    ptsd $command --help 2>/dev/null | string replace -rf '^ {2,6}(?:-., )?(--[a-z-]+).*' '$1'
end

complete -c ptsd -n __fish_use_subcommand -f -a '(__ptsd_commands)'
complete -c ptsd -n 'not __fish_use_subcommand' -a '(__ptsd_options)'
