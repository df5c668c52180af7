package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/federation/gossip"
)

func TestGossipKeys_R11(t *testing.T) {
	run := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := Main(append([]string{"gossip"}, args...), strings.NewReader(""), &out, &errOut); code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s", args, code, want, errOut.String())
		}
		return out.String(), errOut.String()
	}
	one, _ := run(exitOK, "keygen")
	two, _ := run(exitOK, "keygen")
	if one == two {
		t.Fatal("the same key twice")
	}
	file := filepath.Join(t.TempDir(), "gossip.key")
	if err := os.WriteFile(file, []byte(one+two), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := gossip.ParseKeys([]byte(one + two))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := run(exitOK, "fingerprints", file)
	first, second := strings.Index(text, gossip.Fingerprint(keys[0])+"  encrypts"), strings.Index(text, gossip.Fingerprint(keys[1])+"  decrypts")
	if first < 0 || second < first || strings.Contains(text, strings.TrimSpace(one)) {
		t.Errorf("printed\n%s", text)
	}
	text, _ = run(exitOK, "fingerprints", file, "-o", "json")
	var shown []gossipKey
	if err := json.Unmarshal([]byte(text), &shown); err != nil || len(shown) != 2 || !shown[0].Primary || shown[1].Primary {
		t.Errorf("%+v, %v", shown, err)
	}
	if err := os.WriteFile(file, []byte(one+two[:20]), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errText := run(exitFailed, "fingerprints", file); !strings.Contains(errText, "line 2") || strings.Contains(errText, two[:20]) {
		t.Errorf("said %s", errText)
	}
	run(exitFailed, "fingerprints", file+".not")
	run(exitUsage, "fingerprints")
	run(exitUsage, "fingerprints", file, "-o", "xml")
	run(exitUsage, "keygen", "x")
}
