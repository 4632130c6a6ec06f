package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print the completion script of a shell", ArgsUsage: "bash|zsh|fish",
		Action: func(c *cli.Context) error {
			if err := noMore(c, 1); err != nil {
				return err
			}
			var script string
			switch c.Args().First() {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = zshCompletion
			case "fish":
				script = fishCompletion
			default:
				return usage("completion `%s`: want bash, zsh or fish", c.Args().First())
			}
			_, err := io.WriteString(c.App.Writer, script)
			return err
		},
	}
}

const bashCompletion = `_ringfence() {
  local words
  words=$("${COMP_WORDS[@]:0:$COMP_CWORD}" "${COMP_WORDS[$COMP_CWORD]}" --generate-bash-completion 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[$COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _ringfence ringfence
`

const zshCompletion = `#compdef ringfence
_ringfence() {
  local -a words_found
  words_found=("${(@f)$("${words[@]}" --generate-bash-completion 2>/dev/null)}")
  compadd -- $words_found
  _files
}
compdef _ringfence ringfence
`

const fishCompletion = `function __ringfence_complete
  set -l tokens (commandline -opc) (commandline -ct)
  $tokens --generate-bash-completion 2>/dev/null
end
complete -c ringfence -a '(__ringfence_complete)'
`

// complete answers the shell: the words that may stand where the cursor is. It never fails: a shell shows no errors there.
func complete(args []string, w io.Writer) int {
	words := args[1 : len(args)-1]
	app := newApp(strings.NewReader(""), io.Discard, io.Discard)
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
	}
	var cmd *cli.Command
	for _, c := range app.Commands {
		if len(words) > 1 && c.Name == words[0] {
			cmd = c
		}
	}
	if cmd != nil && len(words) > 2 {
		if part := cmd.Command(words[1]); part != nil {
			cmd = part
		}
	}
	var out []string
	switch {
	case cmd == nil:
		for _, c := range app.Commands {
			out = append(out, c.Name)
		}
	case cmd.Name == "schema" && !strings.HasPrefix(last, "-"):
		out = schemaNames()
	case cmd.Name == "completion":
		out = []string{"bash", "zsh", "fish"}
	case cmd.Name == "diagram" && !strings.HasPrefix(last, "-"):
		out = []string{"network", "dataflow"}
	case len(cmd.Subcommands) > 0:
		for _, part := range cmd.Subcommands {
			out = append(out, part.Name)
		}
	default:
		for _, f := range cmd.Flags {
			for _, n := range f.Names() {
				dashes := "--"
				if len(n) == 1 {
					dashes = "-"
				}
				out = append(out, dashes+n)
			}
		}
	}
	slices.Sort(out)
	for _, o := range out {
		if strings.HasPrefix(o, last) {
			fmt.Fprintln(w, o)
		}
	}
	return exitOK
}
