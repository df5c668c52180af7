package docs

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// block is a shell script in a page, and the hosts on which it is to be typed.
type block struct {
	line  int
	hosts []string
	text  string
}

var fenced = regexp.MustCompile("(?ms)^( *)```sh at=(\\S+)\n(.*?)^ *```$")

// blocksOf are the scripts of a page that say where they are typed.
func blocksOf(t *testing.T, page string) (list []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range fenced.FindAllSubmatchIndex(text, -1) {
		list = append(list, block{
			line:  bytes.Count(text[:at[0]], []byte("\n")) + 1,
			hosts: strings.Split(string(text[at[4]:at[5]]), ","),
			text:  strings.ReplaceAll("\n"+string(text[at[6]:at[7]]), "\n"+string(text[at[2]:at[3]]), "\n")[1:],
		})
	}
	return list
}

// hosts are the machines of a page, each a folder below root with the paths that
// the page names and a home in which its scripts are typed. What the page types to
// reach another machine or its supervisor is there under the same name.
type hosts struct {
	root    string
	names   []string
	replace *strings.Replacer // the page's addresses by those of this machine
	env     []string
	enabled func(t *testing.T, host, unit string) // by systemctl enable --now, or restart
	said    func(t *testing.T, text []byte)       // hears what a script prints, if anybody does
	running []*sitetest.Process                   // what pages start and do not end
}

// The page's paths belong to the host, but those behind another host's name to that.
var hostPath = regexp.MustCompile(`(^|[^\w:])(/etc/(?:causeway|haproxy|wavefront)|/var/lib/causeway)`)

const (
	scp = `#!/bin/sh
set -e
case "$2" in
*:/*) to="$ROOT/${2%%:*}/${2#*:}" ;;
*) to="$ROOT/${2%%:*}/home/${2#*:}" ;;
esac
cp -p "$1" "$to"
case "$to" in *.yaml) sed -i "s#$ROOT/$HOST/#$ROOT/${2%%:*}/#g" "$to" ;; esac
`
	// What works until it is stopped gets a terminal of its own.
	causeway = `#!/bin/sh
case " $* " in
*" serve "* | *" --follow "*) printf '%s\n' "$PWD" "$@" > "$(mktemp "$ROOT/$HOST/terminals/XXXXXX")" ;;
*) exec "$GATEWAY" "$@" ;;
esac
`
	// The shell notes which line of the page is which command.
	rc = `unset BASH_ENV
exec 9>>"$ROOT/$HOST/typed"
BASH_XTRACEFD=9
PS4='+$LINENO '
set -x
`
	systemctl = `#!/bin/sh
case "$1 $2" in
"enable --now") touch "$ROOT/$HOST/enabled/$3" ;;
restart\ *) touch "$ROOT/$HOST/enabled/$2" ;;
*) exit 1 ;;
esac
`
)

func newHosts(t *testing.T, names ...string) *hosts {
	t.Helper()
	h := &hosts{root: t.TempDir(), names: names}
	for _, name := range names {
		for _, folder := range []string{"home", "enabled", "terminals", "etc/causeway", "etc/haproxy", "var/lib/causeway"} {
			if err := os.MkdirAll(h.path(name, folder), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	bin := filepath.Join(h.root, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"bash.rc": rc, "causeway": causeway, "scp": scp, "systemctl": systemctl} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.env = append(os.Environ(), "ROOT="+h.root, "GATEWAY="+sitetest.Build(t), "BASH_ENV="+filepath.Join(bin, "bash.rc"), "PATH="+bin+":"+os.Getenv("PATH")+":/usr/sbin", "LC_ALL=C")
	return h
}

// path is where a host has a file.
func (h *hosts) path(host string, parts ...string) string {
	return filepath.Join(append([]string{h.root, host}, parts...)...)
}

// put gives a host a file that the page takes for given.
func (h *hosts) put(t *testing.T, host, file, text string) {
	t.Helper()
	if err := os.WriteFile(h.path(host, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (h *hosts) here(host, text string) string {
	return hostPath.ReplaceAllString(h.replace.Replace(text), "${1}"+h.path(host)+"${2}")
}

// environment is what a shell of the host has.
func (h *hosts) environment(host string) []string {
	env := append(slices.Clone(h.env), "HOST="+host)
	if file := h.path(host, "etc/causeway/database.url"); exists(file) {
		env = append(env, "CAUSEWAY_DATABASE_URL_FILE="+file)
	}
	if len(h.running) > 0 {
		env = append(env, "PID="+strconv.Itoa(h.running[len(h.running)-1].PID()))
	}
	return env
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// walk types the scripts of a page one after the other. The first that fails is the
// last. A command of the page that no shell came by fails, too.
func (h *hosts) walk(t *testing.T, page string) {
	t.Helper()
	typed := map[int]bool{}
	for _, b := range blocksOf(t, page) {
		for _, host := range b.hosts {
			if !slices.Contains(h.names, host) {
				t.Fatalf("%s:%d: there is no host %q", page, b.line, host)
			}
			out, err := h.run(t, host, b.text)
			lines := h.typed(t, host)
			for _, line := range lines {
				typed[b.line+line] = true
			}
			if err != nil {
				at := append([]int{1}, lines...)[len(lines)] // none, if the shell could not read it
				t.Fatalf("%s:%d at %s: %s: %v\n%s", page, b.line+at, host, strings.Split(b.text, "\n")[at-1], err, out)
			}
			h.await(t, host)
			for _, mark := range h.take(t, host, "enabled") {
				h.enabled(t, host, mark)
			}
		}
	}
	for _, c := range commandsOf(t, page) {
		if c.inBlock && !typed[c.line] {
			t.Errorf("%s:%d: no shell came by %s", page, c.line, c.text)
		}
	}
}
