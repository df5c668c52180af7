package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"causeway/internal/version"
)

// exitCodes is what scripts read of how a command ended.
const exitCodes = `  0  done
  1  the command could not do its work; the error says why
  2  the command line or the configuration is wrong; nothing was asked or changed
  3  somebody was asked, and said no
  4  somebody was asked, and did not answer in time
  5  what was looked for is not there, or may not be seen
  6  doctor found faults
  7  nobody is logged in with the profile, or not any more
130  interrupted before the work was done
`

func newExitCodes() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "How commands end, for scripts", Long: "Commands end with one of these codes:\n\n" + exitCodes}
}

// newDocs writes documentation that is made from the commands themselves.
func newDocs() *cobra.Command {
	cmd := group("docs", "Write the documentation of the commands", "Writes the documentation of all commands.", "")
	cmd.Hidden = true
	cmd.AddCommand(&cobra.Command{
		Use: "man FOLDER", Short: "Write a man page for each command", Args: oneArg("docs man takes the folder to write to"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { // #nosec G301 -- manuals are for everybody
				return err
			}
			return doc.GenManTree(forDocs(cmd), &doc.GenManHeader{Title: "CAUSEWAY", Section: "1", Source: "causeway " + version.Get().Version}, args[0])
		},
	}, &cobra.Command{
		Use: "reference", Short: "Describe every command, as Markdown", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeReference(cmd.OutOrStdout(), forDocs(cmd)) },
	})
	return cmd
}

// forDocs is the tree of commands without what differs from day to day.
func forDocs(cmd *cobra.Command) *cobra.Command {
	root := cmd.Root()
	root.DisableAutoGenTag = true
	root.InitDefaultCompletionCmd()
	return root
}

func writeReference(out io.Writer, root *cobra.Command) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, `# Commands

What every command is called, takes and does, as `+"`causeway COMMAND --help`"+` says it. Written by
`+"`causeway docs reference`"+`; `+"`causeway docs man FOLDER`"+` writes man pages, and
`+"`causeway completion SHELL`"+` what completes commands, profiles and forms of output.

Commands that manage a site use its public API; who asks is what
`+"[`login`](#causeway-login)"+` remembers, or what flags say. Tables are for people; programs ask for
`+"`-o json` or `-o yaml`"+`, whose members are the API's.

## Exit codes

`+"```\n%s```\n", exitCodes)
	describeCommands(b, root)
	_, err := io.WriteString(out, b.String())
	return err
}

func describeCommands(b *strings.Builder, cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.Hidden || c.Name() == "help" || c.IsAdditionalHelpTopicCommand() {
			continue
		}
		fmt.Fprintf(b, "\n## %s\n\n", c.CommandPath())
		text := c.Long
		if text == "" {
			text = c.Short + "."
		}
		fence(b, "text", strings.TrimSpace(text))
		if c.Runnable() && !c.HasSubCommands() {
			fence(b, "", c.UseLine())
		}
		if c.Example != "" {
			fence(b, "sh", c.Example)
		}
		flags(b, "Flags", c.NonInheritedFlags())
		if subs := names(c); subs != "" {
			fmt.Fprintf(b, "Commands: %s.\n", subs)
		}
		if c.Name() != "completion" { // one for each shell, all alike
			describeCommands(b, c)
		}
	}
}

func fence(b *strings.Builder, language, text string) {
	if language == "text" {
		fmt.Fprintf(b, "%s\n\n", strings.ReplaceAll(text, "<", "&lt;"))
		return
	}
	fmt.Fprintf(b, "```%s\n%s\n```\n\n", language, text)
}

func flags(b *strings.Builder, heading string, set *pflag.FlagSet) {
	begun := false
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if !begun {
			fmt.Fprintf(b, "%s:\n\n", heading)
			begun = true
		}
		short := ""
		if f.Shorthand != "" {
			short = ", `-" + f.Shorthand + "`"
		}
		usual := ""
		if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" && d != "0s" {
			usual = " (`" + d + "`)"
		}
		fmt.Fprintf(b, "- `--%s`%s%s: %s\n", f.Name, short, usual, strings.ReplaceAll(f.Usage, "<", "&lt;"))
	})
	if begun {
		fmt.Fprintln(b)
	}
}

func names(c *cobra.Command) string {
	var list []string
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			list = append(list, fmt.Sprintf("[`%s`](#%s)", sub.Name(), strings.ReplaceAll(sub.CommandPath(), " ", "-")))
		}
	}
	return strings.Join(list, ", ")
}
