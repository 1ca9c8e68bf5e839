
# Bash takes words apart at `=`; what follows one is completed here: `--option=VALUE`, `CODE=LEVEL`, `KIND=FILE`.
_udmap_words() {
    local at=$COMP_CWORD cur=$2 word kept=()
    [[ $cur == = ]] && cur=
    [[ ${COMP_WORDS[at]} == = ]] || at=$((at - 1))
    if [[ $at -ge 2 && ${COMP_WORDS[at]} == = ]]; then
        local name=${COMP_WORDS[at - 1]} option=${COMP_WORDS[at - 2]}
        COMPREPLY=()
        if [[ $name == --* ]]; then
            _udmap "$1" "$cur" "$name"
        elif [[ $option == --severity || ${COMP_WORDS[at - 3]} == --severity ]]; then
            COMPREPLY=($(compgen -W "error warning info off" -- "$cur"))
        fi
    else
        _udmap "$@"
    fi
    # Names of arguments, such as `<INPUT>`, are no words to complete.
    for word in "${COMPREPLY[@]}"; do
        [[ $word == [\<\[]* ]] || kept+=("$word")
    done
    COMPREPLY=("${kept[@]}")
    # A level, a file or a value follows.
    [[ ${#kept[@]} -eq 1 && ${kept[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _udmap_words -o bashdefault -o default udmap
