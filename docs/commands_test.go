package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mustBeTyped are programs whose lines tests type, so that somebody notices when a page and
// the program part.
var mustBeTyped = []string{
	"causeway", "curl", "haproxy", "install", "kill", "openssl", "psql", "runuser", "scp", "ssh-keygen",
	"systemctl", "systemd-sysusers", "systemd-tmpfiles",
}

// notTyped are programs whose lines may stand outside the scripts that tests type.
var notTyped = map[string]string{
	"make":         "is how the tests themselves are built and run",
	"docker":       "wants an engine, which the machines that test have not; deploy reads its files",
	"podman":       "wants the same",
	"kubectl":      "wants a cluster; deploy renders the chart and reads what comes of it",
	"helm":         "wants the same",
	"./secrets.sh": "is run by deploy",
}

// commandLine is a line of code that is typed into a shell.
var commandLine = regexp.MustCompile(`^\s*(?:\$ )?(?:sudo )?(?:[A-Za-z_][A-Za-z0-9_]*=\S* )*((?:\./|bin/)?[a-z][a-z0-9-]*(?:\.sh)?)(?:\s|$)`)

// generated pages are written by programs, and repeat what those say of themselves.
var generated = []string{"cli.md", "licences.md", "metrics.md", "problems.md"}

// command is a line of a page.
type command struct {
	line    int
	program string
	text    string
	inBlock bool // it stands in a script that says where it is typed
}

// pages are all that people read, by their paths from here.
func pages(t *testing.T) (list []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "*.md", "adr/*.md", "../ratelimit/*.md", "../migrations/*.md", "../deploy/*.md", "../deploy/*/*.md", "../deploy/*/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found...)
	}
	return slices.DeleteFunc(list, func(page string) bool { return slices.Contains(generated, page) })
}

func linesOf(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// commandsOf are the lines of a page's code that begin with a program that we know.
func commandsOf(t *testing.T, page string) (list []command) {
	t.Helper()
	fence, inBlock := false, false
	for i, line := range linesOf(t, page) {
		if mark, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "```"); ok {
			fence, inBlock = !fence, !fence && strings.HasPrefix(mark, "sh at=")
			continue
		}
		if !fence && !strings.HasPrefix(line, "    ") {
			continue
		}
		found := commandLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		program := strings.TrimPrefix(found[1], "bin/")
		if slices.Contains(mustBeTyped, program) || notTyped[program] != "" {
			list = append(list, command{line: i + 1, program: program, text: strings.TrimSpace(line), inBlock: inBlock})
		}
	}
	return list
}

// TestEveryCommandIsTyped wants each command of each page in a script that a test types.
// That the shell comes by each is for [hosts.walk] to see.
func TestEveryCommandIsTyped(t *testing.T) {
	found, excused := 0, map[string]bool{}
	for _, page := range pages(t) {
		for _, c := range commandsOf(t, page) {
			found++
			excused[c.program] = true
			if !c.inBlock && notTyped[c.program] == "" {
				t.Errorf("%s:%d: no test types %s", page, c.line, c.text)
			}
		}
	}
	for program := range notTyped {
		if !excused[program] {
			t.Errorf("no page has %s any more", program)
		}
	}
	if found < 50 {
		t.Errorf("only %d commands were found", found)
	}
}

// inText is a command that a sentence or a table names.
var inText = regexp.MustCompile("`(?:bin/)?(causeway [^`]+)`")

// TestEveryCommandInTextExists looks up each command that a sentence names, with its
// flags, in cli.md, which a test of the commands holds true.
func TestEveryCommandInTextExists(t *testing.T) {
	found, all := 0, reference(t)
	for _, page := range pages(t) {
		for i, line := range linesOf(t, page) {
			for _, text := range inText.FindAllStringSubmatch(line, -1) {
				found++
				if wrong := unknown(all, strings.Fields(text[1])); wrong != "" {
					t.Errorf("%s:%d: %s: there is no %s", page, i+1, text[1], wrong)
				}
			}
		}
	}
	if found < 25 {
		t.Errorf("only %d commands were found", found)
	}
}

var describedFlag = regexp.MustCompile("^- `(--[a-z-]+)`(?:, `(-[a-z])`)?")

// described is what cli.md says of a command.
type described struct {
	flags  []string
	family bool // it does nothing but through the commands below it
}

// reference is cli.md, by commands.
func reference(t *testing.T) map[string]*described {
	t.Helper()
	all := map[string]*described{"causeway": {flags: []string{"--help"}, family: true}}
	at := all["causeway"]
	for _, line := range linesOf(t, "cli.md") {
		if name, ok := strings.CutPrefix(line, "## causeway "); ok {
			at = &described{}
			all["causeway "+name] = at
		}
		if flag := describedFlag.FindStringSubmatch(line); flag != nil {
			at.flags = append(at.flags, flag[1:]...)
		}
		at.family = at.family || strings.HasPrefix(line, "Commands: ")
	}
	return all
}

// unknown is what of a command line nobody knows: a flag, or a word where a command is
// named.
func unknown(all map[string]*described, words []string) string {
	path := words[0]
	flags := slices.Clone(all[path].flags)
	for len(words) > 1 && all[path+" "+words[1]] != nil {
		path, words = path+" "+words[1], words[1:]
		flags = append(flags, all[path].flags...)
	}
	for i, word := range words[1:] {
		flag, _, _ := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(word, "-") && !slices.Contains(flags, flag):
			return "flag " + flag
		case i == 0 && !strings.HasPrefix(word, "-") && all[path].family:
			return "command " + word
		}
	}
	return ""
}
