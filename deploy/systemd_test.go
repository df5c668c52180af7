package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

const unitFile = "systemd/causeway.service"

// unit writes the shipped unit for a machine on which the gateway need not be.
func unit(t *testing.T) string { return derive(t, unitFile, "/usr/bin/causeway", "/bin/true") }

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(program), args, err, out)
	}
	return string(out)
}

// systemd ignores what it does not know and only says so: nothing may be said. The
// drop-in counts as well.
func TestSystemd_TheUnitIsSound(t *testing.T) {
	analyze := sitetest.Needs(t, "systemd-analyze", "systemd")
	file := unit(t)
	secrets, err := os.ReadFile("systemd/secrets.conf")
	if err != nil {
		t.Fatal(err)
	}
	dropIns := file + ".d"
	if err := os.Mkdir(dropIns, 0o700); err != nil {
		t.Fatal(err)
	}
	all := strings.NewReplacer("#LoadCredential", "LoadCredential", "#Environment", "Environment").Replace(string(secrets))
	if err := os.WriteFile(filepath.Join(dropIns, "secrets.conf"), []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := output(t, analyze, "verify", "--man=no", file); said != "" {
		t.Error(said)
	}
}

// systemd judges what a service could still do from 0 to 10; below 2 it is OK and
// as little as a network service needs.
func TestSystemd_R15_TheUnitIsHardened(t *testing.T) {
	analyze := sitetest.Needs(t, "systemd-analyze", "systemd")
	output(t, analyze, "security", "--offline=true", "--threshold=15", unit(t))
}

// TestSystemd_R12_TheFoldersAreClosed makes user and folders as an installation does.
func TestSystemd_R12_TheFoldersAreClosed(t *testing.T) {
	sysusers, tmpfiles := sitetest.Needs(t, "systemd-sysusers", "systemd"), sitetest.Needs(t, "systemd-tmpfiles", "systemd")
	root := t.TempDir()
	for _, dir := range []string{"etc", "var/lib"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	users, folders := derive(t, "systemd/causeway.sysusers.conf"), derive(t, "systemd/causeway.tmpfiles.conf")
	if os.Getuid() != 0 { // then they belong to whoever tests
		folders = derive(t, "systemd/causeway.tmpfiles.conf", " root     causeway", " - -", " causeway causeway", " - -")
	}
	output(t, sysusers, "--root="+root, users)
	output(t, tmpfiles, "--create", "--root="+root, folders)
	known, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	if err != nil || !strings.Contains(string(known), "causeway:x:") || strings.Contains(string(known), ":0:") {
		t.Errorf("users: %v\n%s", err, known)
	}
	for dir, want := range map[string]string{"etc/causeway": "drwxr-x---", "var/lib/causeway": "drwx------"} {
		info, err := os.Stat(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().String(); got != want {
			t.Errorf("%s is %s, want %s", dir, got, want)
		}
	}
}
