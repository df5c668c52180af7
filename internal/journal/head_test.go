package journal

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseHead(t *testing.T) {
	want := Head{Seq: 4711, Hash: bytes.Repeat([]byte{0xab}, 32)}
	for _, text := range []string{want.String(), strings.ToUpper(want.String())} {
		if got, err := ParseHead(text); err != nil || got.Seq != want.Seq || !bytes.Equal(got.Hash, want.Hash) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	hash := strings.Repeat("ab", 32)
	for _, text := range []string{"", ":", "1", "1:", "0:" + hash, "-1:" + hash, "x:" + hash, "1:" + hash + "ab", "1:" + hash[1:], "1:" + hash + ":", "99999999999999999999:" + hash} {
		if got, err := ParseHead(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add("4711:" + strings.Repeat("ab", 32))
	f.Add("1:")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHead(text)
		if err != nil {
			return
		}
		if again, err := ParseHead(h.String()); err != nil || again.Seq != h.Seq || !bytes.Equal(again.Hash, h.Hash) {
			t.Errorf("%q: %+v, %v", text, again, err)
		}
	})
}
