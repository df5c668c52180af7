package gossip

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestKeyFile_R11(t *testing.T) {
	one, two := NewKey(), NewKey()
	keys, err := ParseKeys([]byte("# the federation's\r\n\n  " + one + "\r\n" + two))
	if err != nil || len(keys) != 2 || base64.StdEncoding.EncodeToString(keys[0]) != one || base64.StdEncoding.EncodeToString(keys[1]) != two {
		t.Fatalf("%x, %v", keys, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "comments": "# " + one, "no base64": "!!", "short": one[:40], "long": one + one,
		"twice": one + "\n" + one, "five": strings.Join([]string{one, two, NewKey(), NewKey(), NewKey()}, "\n"),
		"two on a line": one + " " + two, "odd bits": one[:42] + "B=",
	} {
		_, err := ParseKeys([]byte(text))
		if err == nil {
			t.Errorf("%s: read", name)
		} else if strings.Contains(err.Error(), one[:8]) {
			t.Errorf("%s: the error tells the key", name)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(NewKey()))
	f.Add([]byte("# x\n\n" + NewKey() + "\n" + NewKey() + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseKeys(text)
		if err != nil {
			return
		}
		if checkKeys(keys) != nil {
			t.Fatal("keys that no pool takes")
		}
		for _, k := range keys {
			if !bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString(k))) {
				t.Fatal("a key that is not in the file")
			}
		}
	})
}
