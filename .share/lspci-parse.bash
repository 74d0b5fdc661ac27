# bash completion for lspci-parse. Try it: source <(lspci-parse completion bash)
_lspci_parse() {
    local cur=${COMP_WORDS[COMP_CWORD]} command='' pending='' words='' files='' word
    local -i i place=0
    COMPREPLY=()
    # Readline takes ':' and '=' for words of their own.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = && $pending ]]; then
            continue
        elif [[ $word == [:=]* ]]; then
            i+=1
        elif [[ $pending ]]; then
            pending=''
        else
            case $command:$word in
                show:--format | show:-o | show:-s | show:-d | show:--cap | diff:--format | diff:-o | diff:--textfile | diff:--fail-on | diff:-s | diff:-d | diff:--match | diff:--only | diff:--ignore | diff:--ignore-file | diff:--color | render:--format | render:-o | render:--textfile | render:--fail-on | render:--only | render:--ignore | render:--ignore-file | render:--color | groups:--kernel | groups:--set | groups:--without | groups:--override | groups:-s | groups:-d | groups:--format | groups:-o | check:--policy | check:--pair | check:--fix | check:--format | check:-o | check:--textfile | check:--fail-on | check:-s | check:-d | check:--color | diagnose:--format | diagnose:-o | diagnose:--textfile | diagnose:--fail-on | diagnose:--only | diagnose:--ignore | diagnose:--ignore-file | diagnose:--color | redact:-o | redact:--key) pending=$word ;;
                *:-?*) ;;
                :*) command=$word ;;
                *) place+=1 ;;
            esac
        fi
    done
    [[ $cur == = && $pending ]] && cur=''
    [[ $cur == [:=]* || ${COMP_WORDS[COMP_CWORD - 1]} == :* ]] && return
    [[ $cur == -* && -z $pending ]] && pending=-
    case $command:${pending:-$place} in
        :-) words='-h --help -V --version' ;;
        :0) words='show diff render groups check topo diagnose collect redact rules schema completion help man' ;;
        show:-) words='-h --help --json --flat --format -o -s -d --cap --strict' ;;
        show:0) files=yes ;;
        show:--format) words='text html dot mermaid' ;;
        show:-o) files=yes ;;
        diff:-) words='-h --help --format -o --json --textfile --fail-on -s -d --match --explain --all --only --ignore --ignore-file --color' ;;
        diff:0) files=yes ;;
        diff:1) files=yes ;;
        diff:--format) words='text json markdown sarif junit github nagios html' ;;
        diff:-o) files=yes ;;
        diff:--textfile) files=yes ;;
        diff:--fail-on) words='critical warning info' ;;
        diff:--match) words='topology address' ;;
        diff:--ignore-file) files=yes ;;
        diff:--color) words='auto always never' ;;
        render:-) words='-h --help --format -o --json --textfile --fail-on --explain --all --only --ignore --ignore-file --color' ;;
        render:0) files=yes ;;
        render:--format) words='text json markdown sarif junit github nagios' ;;
        render:-o) files=yes ;;
        render:--textfile) files=yes ;;
        render:--fail-on) words='critical warning info' ;;
        render:--ignore-file) files=yes ;;
        render:--color) words='auto always never' ;;
        groups:-) words='-h --help --kernel --set --without --override -s -d --exit-code --json --format -o' ;;
        groups:0) files=yes ;;
        groups:--set) words=off ;;
        groups:--format) words='text html' ;;
        groups:-o) files=yes ;;
        check:-) words='-h --help --policy --pair --fix --format -o --json --textfile --fail-on -s -d --color' ;;
        check:[0-9]*) files=yes ;;
        check:--policy) words='vfio p2p' files=yes ;;
        check:--fix) words='grub setpci' ;;
        check:--format) words='text json markdown sarif junit github nagios html' ;;
        check:-o) files=yes ;;
        check:--textfile) files=yes ;;
        check:--fail-on) words='critical warning info' ;;
        check:--color) words='auto always never' ;;
        topo:-) words='-h --help --json' ;;
        topo:0) files=yes ;;
        diagnose:-) words='-h --help --format -o --json --textfile --fail-on --explain --all --only --ignore --ignore-file --color' ;;
        diagnose:[0-9]*) files=yes ;;
        diagnose:--format) words='text json markdown sarif junit github nagios html' ;;
        diagnose:-o) files=yes ;;
        diagnose:--textfile) files=yes ;;
        diagnose:--fail-on) words='critical warning info' ;;
        diagnose:--ignore-file) files=yes ;;
        diagnose:--color) words='auto always never' ;;
        collect:-) words='-h --help' ;;
        redact:-) words='-h --help -o --key' ;;
        redact:[0-9]*) files=yes ;;
        redact:-o) files=yes ;;
        rules:-) words='-h --help --json' ;;
        rules:0) files=yes ;;
        schema:-) words='-h --help' ;;
        schema:0) words='dump diff groups check policy ignore' ;;
        completion:-) words='-h --help' ;;
        completion:0) words='bash zsh fish' ;;
        help:-) words='-h --help' ;;
        help:0) words='recipes policies json rules collecting' ;;
        man:-) words='-h --help' ;;
    esac
    if [[ $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "$words" -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    fi
}
complete -F _lspci_parse lspci-parse
