package sitetest

import (
	"bytes"
	"encoding/base64"
	le "encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// scanner finds any of many secrets in one pass over the text.
type scanner struct {
	needles map[uint64][]needle // by their first eight bytes
	maybe   [1 << 16]bool       // of the first eight bytes, folded
}

// needle is one spelling of a secret.
type needle struct {
	text []byte
	what string
}

func newScanner(secrets map[string]string) *scanner {
	s := &scanner{needles: map[uint64][]needle{}}
	for value, what := range secrets {
		for _, form := range spellings(value) {
			head := le.LittleEndian.Uint64([]byte(form))
			s.needles[head] = append(s.needles[head], needle{[]byte(form), what})
			s.maybe[fold(head)] = true
		}
	}
	return s
}

func fold(head uint64) uint16 { return uint16(head * 0x9e3779b97f4a7c15 >> 48) }

// find lists what is in the text, each once.
func (s *scanner) find(text []byte) (found []string) {
	seen := map[string]bool{}
	for i := 0; i+8 <= len(text); i++ {
		head := le.LittleEndian.Uint64(text[i:])
		if !s.maybe[fold(head)] {
			continue
		}
		for _, n := range s.needles[head] {
			if bytes.HasPrefix(text[i:], n.text) && !seen[n.what] {
				seen[n.what] = true
				found = append(found, fmt.Sprintf("%s as %.8s…", n.what, n.text))
			}
		}
	}
	return found
}

// spellings are the forms in which a secret would still be one. Nothing shorter
// than a user code without its dash is looked for.
func spellings(s string) (all []string) {
	b := []byte(s)
	forms := []string{
		s, url.QueryEscape(s), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), strings.TrimRight(base64.StdEncoding.EncodeToString(b), "="),
		base64.RawURLEncoding.EncodeToString(b),
	}
	// Two dots alone do not make a token: a private key can hold them before its
	// public part, which is no secret.
	if strings.HasPrefix(s, "eyJ") && strings.Count(s, ".") == 2 { // a token without its signature is none; the signature is
		forms = append(forms, s[strings.LastIndexByte(s, '.')+1:])
	}
	if len(s) == 9 && s[4] == '-' { // a user code
		forms = append(forms, strings.ReplaceAll(s, "-", ""), strings.ToLower(s))
	}
	for _, form := range forms {
		if len(form) >= 8 {
			all = append(all, form)
		}
	}
	return all
}
