package profile_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/profile"
	"causeway/internal/secret"
)

func store(t *testing.T) (profile.Store, string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "causeway")
	s, err := profile.At(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s, folder
}

func add(name string, p profile.Profile) func(*profile.Set) error {
	return func(s *profile.Set) error {
		s.Profiles[name], s.Current = p, name
		return nil
	}
}

// Profiles are kept, and nobody else reads them.
func TestStore_KeepsProfiles(t *testing.T) {
	s, folder := store(t)
	if set, err := s.Load(); err != nil || len(set.Profiles) != 0 {
		t.Fatalf("an empty store: %+v, %v", set, err)
	}
	west := profile.Profile{URL: "https://west.example", Org: "acme", User: "jane"}
	for name, p := range map[string]profile.Profile{"west": west, "east": {URL: "https://east.example", Org: "System", TokenFile: "/x"}} {
		if err := s.Change(add(name, p)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := s.Load()
	if err != nil || set.Profiles["west"] != west || fmt.Sprint(set.Names()) != "[east west]" {
		t.Errorf("%+v, %v", set, err)
	}
	failed := errors.New("no")
	if err := s.Change(func(set *profile.Set) error { delete(set.Profiles, "west"); return failed }); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	if set, _ := s.Load(); len(set.Profiles) != 2 {
		t.Error("a change that failed was kept")
	}
	if err := s.KeepSession("west", "access"); err != nil {
		t.Fatal(err)
	}
	_ = filepath.Walk(folder, func(path string, info os.FileInfo, _ error) error {
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
}

func TestStore_KeepsSessions(t *testing.T) {
	s, folder := store(t)
	if err := s.Change(add("west", profile.Profile{})); err != nil {
		t.Fatal(err)
	}
	want := func(token secret.Text, at time.Time, fails error) {
		t.Helper()
		if got, err := s.Session("west", at); got != token || !errors.Is(err, fails) {
			t.Errorf("%q, %v", got.Reveal(), err)
		}
	}
	now := time.Unix(1_700_000_000, 0)
	want("", now, profile.ErrNoSession)
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, now.Add(time.Hour).Unix()))
	access := secret.Text("h." + claims + ".s")
	if err := s.KeepSession("west", access); err != nil {
		t.Fatal(err)
	}
	want(access, now, nil)
	want("", now.Add(time.Hour), profile.ErrNoSession)
	file := filepath.Join(folder, "sessions", "west.json")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Session("west", now); got != "" || err == nil || !strings.Contains(err.Error(), "others on this machine") {
		t.Errorf("others could read it, and it is used: %v", err)
	}
	for range 2 {
		if err := s.ForgetSession("west"); err != nil {
			t.Error(err)
		}
	}
	want("", now, profile.ErrNoSession)
	for _, name := range []string{"", "..", "../west", "a/b", ".hidden", strings.Repeat("a", 65), "a\n"} {
		if err := s.KeepSession(name, "x"); !errors.Is(err, profile.ErrName) {
			t.Errorf("%q is taken: %v", name, err)
		}
		if _, err := s.Session(name, now); !errors.Is(err, profile.ErrName) {
			t.Errorf("%q is read: %v", name, err)
		}
	}
}

// FuzzLoad: whatever is in the file, it is read as profiles whose names are those of
// files, or refused.
func FuzzLoad(f *testing.F) {
	f.Add("current: a\nprofiles:\n  a: {url: https://x, org: System}\n")
	f.Add("profiles:\n  ../a: {url: x}\n")
	f.Add("{")
	f.Fuzz(func(t *testing.T, text string) {
		s, folder := store(t)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.File(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := s.Load()
		for n := range set.Profiles {
			if err == nil && profile.CheckName(n) != nil {
				t.Errorf("%q is a profile", n)
			}
		}
		profile.Expiry(secret.Text(text))
	})
}
