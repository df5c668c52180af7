package secret

import (
	"strings"
	"testing"
)

func TestLegacyToken_R12(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token := LegacyToken()
		if !IsLegacyToken(token) || len(token) != 32 {
			t.Fatalf("%q is not 32 hexadecimal digits", token)
		}
		if seen[token] {
			t.Fatal("the same token twice")
		}
		seen[token] = true
	}
}

func TestIsLegacyToken(t *testing.T) {
	token := strings.Repeat("0f", 16)
	for name, s := range map[string]string{
		"nothing": "", "a digit less": token[1:], "a digit more": token + "0", "upper case": strings.ToUpper(token),
		"no digit of base 16": "g" + token[1:], "a dash": "-" + token[1:], "other digits": strings.Repeat("٣", 16),
	} {
		if IsLegacyToken(s) {
			t.Errorf("%s is taken for a token", name)
		}
	}
	if !IsLegacyToken(token) {
		t.Error("a token is not recognized")
	}
}
