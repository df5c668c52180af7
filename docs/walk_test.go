package docs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// block is a shell script in a page, and the hosts on which it is to be typed.
type block struct {
	line  int
	hosts []string
	text  string
}

var fenced = regexp.MustCompile("(?ms)^```sh at=(\\S+)\n(.*?)^```$")

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
			hosts: strings.Split(string(text[at[2]:at[3]]), ","), text: string(text[at[4]:at[5]]),
		})
	}
	if len(list) == 0 {
		t.Fatalf("%s has no scripts", page)
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
		for _, folder := range []string{"home", "enabled", "etc/causeway", "etc/haproxy", "var/lib/causeway"} {
			if err := os.MkdirAll(h.path(name, folder), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	bin := filepath.Join(h.root, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"scp": scp, "systemctl": systemctl} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(sitetest.Build(t), filepath.Join(bin, "causeway")); err != nil {
		t.Fatal(err)
	}
	h.env = append(os.Environ(), "ROOT="+h.root, "PATH="+bin+":"+os.Getenv("PATH")+":/usr/sbin", "LC_ALL=C")
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
	return env
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// walk types the scripts of a page one after the other. The first that fails is the
// last.
func (h *hosts) walk(t *testing.T, page string) {
	t.Helper()
	for _, b := range blocksOf(t, page) {
		for _, host := range b.hosts {
			if !slices.Contains(h.names, host) {
				t.Fatalf("%s:%d: there is no host %q", page, b.line, host)
			}
			h.run(t, fmt.Sprintf("%s:%d at %s", page, b.line, host), host, b.text)
			marks, err := os.ReadDir(h.path(host, "enabled"))
			if err != nil {
				t.Fatal(err)
			}
			for _, mark := range marks {
				if err := os.Remove(h.path(host, "enabled", mark.Name())); err != nil {
					t.Fatal(err)
				}
				h.enabled(t, host, mark.Name())
			}
		}
	}
}

func (h *hosts) run(t *testing.T, what, host, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", h.here(host, script))
	cmd.Dir, cmd.Env = h.path(host, "home"), h.environment(host)
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, out)
	}
}
