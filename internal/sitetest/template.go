package sitetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"causeway/internal/dev"
	"causeway/internal/store/storetest"
)

// template is a pair of sites that was made ready and never ran. Each pair of a
// process begins as a copy: to migrate and fill two databases takes longer than most
// tests.
type template struct {
	files     map[string][]byte // by path in the folder
	databases map[string]string // by site, where they are no files
}

var templates = map[storetest.Kind]func() (template, error){
	storetest.SQLite: sync.OnceValues(func() (template, error) { return newTemplate(nil) }),
	storetest.Postgres: sync.OnceValues(func() (template, error) {
		west, err1 := storetest.Template()
		east, err2 := storetest.Template()
		if err := errors.Join(err1, err2); err != nil {
			return template{}, err
		}
		return newTemplate(map[string]string{"west": west, "east": east})
	}),
}

func newTemplate(databases map[string]string) (_ template, err error) {
	folder, err := os.MkdirTemp("", "causeway-template-")
	if err != nil {
		return template{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := dev.Prepare(context.Background(), dev.Options{Folder: folder, Databases: databases}); err != nil {
		return template{}, err
	}
	files := map[string][]byte{}
	under := os.DirFS(folder)
	err = fs.WalkDir(under, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files[path], err = fs.ReadFile(under, path)
		}
		return err
	})
	return template{files, databases}, err
}

// unfold copies the template into a folder, and gives the databases that are not in it.
func unfold(t testing.TB, kind storetest.Kind, folder string) map[string]string {
	t.Helper()
	if kind != storetest.SQLite {
		storetest.Need(t)
	}
	made, err := templates[kind]()
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range made.files {
		file := filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	urls := map[string]string{}
	for site, url := range made.databases {
		urls[site] = storetest.Copy(t, url)
	}
	return urls
}
