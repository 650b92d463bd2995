# SPDX-License-Identifier: Apache-2.0
# Completion for bash. Commands, options and their fixed values are read from the help of the
# ptsd that is being completed, so they are always its own.

_ptsd() {
  local ptsd=${COMP_WORDS[0]} command=${COMP_WORDS[1]} word=${COMP_WORDS[COMP_CWORD]}
  local previous=${COMP_WORDS[COMP_CWORD - 1]} candidates=
  if [[ $word == '=' ]]; then
    word=
  elif [[ $previous == '=' ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)) || [[ $command == help ]]; then
    candidates=$("$ptsd" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    if ((COMP_CWORD == 1)); then candidates+=' help'; fi
  elif [[ $word == -* ]]; then
    candidates=$("$ptsd" "$command" --help 2>/dev/null |
      sed -n 's/^ \{2,6\}\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p')
  elif [[ $previous == --* ]]; then
    candidates=$("$ptsd" "$command" --help 2>/dev/null |
      sed -n "s/^ *\(-., \)\{0,1\}$previous \([^ ]*|[^ ]*\).*/\2/p" | tr '|' ' ')
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
}

complete -o bashdefault -o default -F _ptsd ptsd
