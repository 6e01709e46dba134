# Completion of ridgeless in bash: commands, their options, files and data sets. It asks the program for all of them, so
# that it never lags behind. In use where it is installed; without that: source src/cli/completion.bash
# shellcheck shell=bash

# The help of one option on one line, whatever lines it is broken into: _ridgeless_option HELP NAME.
_ridgeless_option() {
    awk -v name="--$2" '/^  -/ { there = $2 ~ "^" name "(=|$)" } there' <<<"$1" | tr '\n' ' '
}

# What may stand behind an option: words of its help like one|two|three, names of data sets, files or folders.
_ridgeless_values() {
    local program=$1 option=$2 word=$3 study=$4 help
    help=$(_ridgeless_option "$5" "$option")
    case $help in
        *=NAME*"data set"*) # the program names those of the study before it reads any
            [[ -n $study ]] && "$program" plan "$study" --dataset=? 2>&1 |
                sed -n '/expected one of/{s/.*expected one of //; s/;.*//; s/, \.\.\.$//; s/, /\n/g; p}' ;;
        *=DIR*) compgen -d -- "$word" ;;
        *=FILE* | *=RESULTS*) compgen -f -- "$word" ;;
        *) grep -oE '[a-z-]+(\|[a-z-]+)+' <<<"$help" | tr '|' '\n' ;;
    esac
}

# What may stand as an argument, by the command's usage: words in small letters, studies, results files.
_ridgeless_arguments() {
    local usage=$1 word=$2 position=$3 last=$4
    if ((position == 2)); then grep -oE '\b[a-z]+\b' <<<"$usage"; fi
    if [[ $usage == *STUDY* && ( $usage != *study* || $last == study ) ]]; then
        compgen -f -X '!*.yaml' -- "$word"
        compgen -f -X '!*.yml' -- "$word"
        compgen -d -- "$word"
    elif [[ $usage == *FILE* || $usage == *.nc* ]]; then
        compgen -f -X '!*.nc' -- "$word"
        compgen -d -- "$word"
    fi
}

_ridgeless() {
    # Without the backslashes of two\ words.
    local program=$1 word=${2//\\/} before=$3 command=${COMP_WORDS[1]} help usage study='' one found
    if ((COMP_CWORD == 1)); then
        found=$("$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')$'\n--help\n--version'
    elif help=$("$program" "$command" --help 2>/dev/null); then
        usage=$(sed '/^$/Q' <<<"$help" | tr '\n' ' ' | sed 's/.*\[OPTION\.\.\.\]//') # of one line or two
        for one in "${COMP_WORDS[@]:2}"; do [[ $one == *.yaml || $one == *.yml ]] && study=${one//\\/}; done
        # bash makes three words of --option=value
        if [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
        if [[ $word == = ]]; then word=''; fi
        if [[ $before == --* && $(_ridgeless_option "$help" "${before#--}") == *"$before="* ]]; then
            found=$(_ridgeless_values "$program" "${before#--}" "$word" "$study" "$help")
        elif [[ $word == -* ]]; then
            found=$(sed -n 's/^  -., \(--[a-z-]*\).*/\1/p' <<<"$help")
        else
            found=$(_ridgeless_arguments "$usage" "$word" "$COMP_CWORD" "$before")
        fi
    fi
    COMPREPLY=()
    while IFS= read -r one; do
        if [[ -n $one && $one == "$word"* ]]; then COMPREPLY+=("$one"); fi
    done <<<"$found"
}
complete -o filenames -F _ridgeless ridgeless
