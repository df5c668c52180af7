package sitetest

import (
	"bytes"
	"database/sql"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite"

	"causeway/internal/dev"
	"causeway/internal/store/storetest"
)

// fullDisk is set where the test runs among mounts of its own.
const fullDisk = "CAUSEWAY_TEST_FULL_DISK"

// TestDiskFull_R13: when SQLite's disk is full, what would change something is refused
// in words and changes nothing, no token is spent, what is there can be read, and all
// goes on by itself when there is room.
func TestDiskFull_R13(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		// Only among mounts of its own may a test, root or not, mount a small disk.
		unshare := Needs(t, "unshare", "util-linux")
		c := exec.CommandContext(t.Context(), unshare, "-rm", os.Args[0], "-test.run=^TestDiskFull_R13$", "-test.v")
		c.Env = append(os.Environ(), fullDisk+"=1")
		if out, err := c.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestDiskFull_R13")) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	file := filepath.Join(disk, "west.db")
	p := Start(t, storetest.SQLite, func(o *dev.Options) {
		o.Site, o.Databases = "west", map[string]string{"west": "sqlite://" + file}
		body, err := os.ReadFile(filepath.Join(o.Folder, "west", "causeway.db"))
		if err == nil {
			err = os.WriteFile(file, body, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	c := p.Client
	admin := c.Login(t, "west", "acme")
	id, _ := c.Account(t, "west", admin, c.File.Account.Name)
	access, token := c.Connect(t, "west", "acme", id)
	ready := func() string {
		return string(c.Do(t, http.MethodGet, c.Site("west").Ops+"/readyz", nil, nil).Want(t, http.StatusOK).Body)
	}

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	// What fits into the last page of the log of writes may still succeed.
	var refused Answer
	Eventually(t, 20*time.Second, "a refresh is refused", func() bool {
		if refused = c.Refresh(t, "west", "acme", token); refused.Status == http.StatusOK {
			access, token = refused.String(t, "access_token"), refused.String(t, "refresh_token")
		}
		return refused.Status != http.StatusOK
	})
	login, err := c.TryLogin("west", "acme")
	if err != nil {
		t.Fatal(err)
	}
	for what, a := range map[string]Answer{
		"a refresh": refused, "a login": login, "a device grant": c.Ask(t, "west", "acme", id),
		"a revocation": c.Post(t, "west", Accounts(id)+"/revoke", Bearer(admin), nil),
	} {
		if a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), "disk is full") || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d, %v\n%s", what, a.Status, a.Header, a.Body)
		}
		if strings.Contains(string(a.Body), "SQLITE") || strings.Contains(string(a.Body), "(13)") {
			t.Errorf("%s is answered with what the database said: %s", what, a.Body)
		}
	}
	if got := refused.String(t, "error"); got != "temporarily_unavailable" {
		t.Errorf("the error is %q", got)
	}
	c.Get(t, "west", "/cloudapi/1.0.0/sessions/current", Bearer(access)).Want(t, http.StatusOK)
	c.Get(t, "west", "/sample/inventory", Bearer(access)).Want(t, http.StatusOK)
	if _, account := c.Account(t, "west", admin, c.File.Account.Name); account["status"] != "ACTIVE" {
		t.Errorf("the revocation that was refused left %v", account)
	}
	Eventually(t, 10*time.Second, "the cell says what is wrong", func() bool { return strings.Contains(ready(), "disk is full") })
	whole(t, file)

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	Eventually(t, 10*time.Second, "all is well", func() bool { return ready() == "ok\n" })
	again := c.Refresh(t, "west", "acme", token).Want(t, http.StatusOK) // the one that was refused is good
	c.Refresh(t, "west", "acme", again.String(t, "refresh_token")).Want(t, http.StatusOK)
	c.Login(t, "west", "acme")
	c.Revoke(t, "west", admin, id)
	whole(t, file)
}

// fill leaves no byte free where file is.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 16, 1} {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// whole has SQLite look at the whole file.
func whole(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, check := range []string{"integrity_check", "foreign_key_check"} {
		var said string
		if err := db.QueryRow("PRAGMA " + check).Scan(&said); err != nil && !errors.Is(err, sql.ErrNoRows) || said != "ok" && said != "" {
			t.Errorf("%s: %q, %v", check, said, err)
		}
	}
}
