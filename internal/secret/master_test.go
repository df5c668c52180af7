package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/secret"
)

var masterKey = bytes.Repeat([]byte{7}, 32)

// helper makes this test binary the program that gives the key.
func TestMain(m *testing.M) {
	switch os.Getenv("MASTER_HELPER") {
	case "":
		os.Exit(m.Run())
	case "key":
		if os.Getenv("CAUSEWAY_DATABASE_URL") != "" {
			os.Exit(3)
		}
		fmt.Println(base64.StdEncoding.EncodeToString(masterKey))
	case "fails":
		fmt.Println(base64.StdEncoding.EncodeToString(masterKey))
		fmt.Fprintln(os.Stderr, base64.StdEncoding.EncodeToString(masterKey))
		os.Exit(1)
	case "floods":
		for {
			if _, err := fmt.Println(strings.Repeat("A", 1000)); err != nil {
				os.Exit(1)
			}
		}
	case "hangs":
		time.Sleep(time.Hour)
	case "garbage":
		fmt.Println("c2VjcmV0")
	}
}

// Every source of one key gives the same keys, and an error never holds it.
func TestMaster_R12_EverySource(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(masterKey)
	want, err := secret.NewKeys(masterKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(file, []byte("# comment\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CAUSEWAY_DATABASE_URL", "postgres://u:p@db/x")
	for name, tt := range map[string]struct {
		source secret.MasterSource
		helper string
		ok     bool
	}{
		"file":                {secret.MasterFile{Path: file}, "", true},
		"no file":             {secret.MasterFile{Path: file + "x"}, "", false},
		"a file that is made": {secret.MasterFile{Path: file, Create: true}, "", true},
		"text":                {secret.MasterText(text), "", true},
		"text and a line end": {secret.MasterText(text + "\n"), "", true},
		"text too short":      {secret.MasterText(text[:40]), "", false},
		"no text":             {secret.MasterText(""), "", false},
		"command":             {secret.MasterCommand{self}, "key", true},
		"command that fails":  {secret.MasterCommand{self}, "fails", false},
		"command that floods": {secret.MasterCommand{self}, "floods", false},
		"command of garbage":  {secret.MasterCommand{self}, "garbage", false},
		"command not there":   {secret.MasterCommand{filepath.Join(file, "none")}, "", false},
		"no command":          {secret.MasterCommand{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("MASTER_HELPER", tt.helper)
			keys, err := tt.source.Load(t.Context())
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			if err == nil && keys.KeyID() != want.KeyID() {
				t.Error("another key")
			}
			if err != nil && (strings.Contains(err.Error(), text[:8]) || strings.Contains(err.Error(), "c2Vj")) {
				t.Errorf("the error holds what was read: %v", err)
			}
		})
	}
	if shown := fmt.Sprintf("%v %s %+v", secret.MasterText(text), secret.MasterText(text), secret.MasterText(text)); strings.Contains(shown, text) {
		t.Errorf("printed as %s", shown)
	}
}

// A program that hangs does not keep a site from saying why it does not start.
func TestMaster_R13_CommandThatHangs(t *testing.T) {
	t.Setenv("MASTER_HELPER", "hangs")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := (secret.MasterCommand{self}).Load(ctx); err == nil || time.Since(start) > 10*time.Second {
		t.Errorf("ended with %v after %s", err, time.Since(start))
	}
}
