package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"causeway/internal/secret"
)

const clear = "hunter2-hunter2"

// holder has a Text in every place a struct can offer an encoder.
type holder struct {
	Plain   secret.Text            `json:"plain" yaml:"plain" xml:"plain"`
	Pointer *secret.Text           `json:"pointer" yaml:"pointer" xml:"pointer"`
	List    []secret.Text          `json:"list" yaml:"list" xml:"list"`
	Map     map[secret.Text]string `json:"-" yaml:"-" xml:"-"`
}

func newHolder() holder {
	t := secret.Text(clear)
	return holder{Plain: t, Pointer: &t, List: []secret.Text{t}, Map: map[secret.Text]string{t: "x"}}
}

func TestTextIsNeverPrinted_R12(t *testing.T) {
	text, h := secret.Text(clear), newHolder()
	var out bytes.Buffer
	for _, verb := range strings.Fields("%v %+v %#v %q %s %x %X %d %t %10s %-20q %+q %#x %c %U %e") {
		got := fmt.Sprintf(verb, text)
		if !strings.Contains(got, "REDACTED") {
			t.Errorf("%s printed %q", verb, got)
		}
		fmt.Fprintf(&out, verb+" "+verb+" "+verb+"\n", text, &h, h)
	}
	fmt.Fprintln(&out, text, h, fmt.Errorf("login with %v", text))
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("m", "text", text, "pointer", &text, "holder", h, "group", slog.GroupValue(slog.Any("t", text)))
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal, "xml": xml.Marshal} {
		b, err := marshal(h)
		if err != nil || !bytes.Contains(b, []byte("REDACTED")) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
		out.Write(b)
	}
	// In hexadecimal too: %x of an unprotected string would hide from a search.
	for _, leak := range []string{clear, fmt.Sprintf("%x", clear), fmt.Sprintf("%X", clear)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the secret was printed as %q in:\n%s", leak, out.String())
		}
	}
	if text.Reveal() != clear {
		t.Errorf("Reveal() = %q", text.Reveal())
	}
}

func TestTextIsReadButNotStored(t *testing.T) {
	var h holder
	if err := json.Unmarshal([]byte(`{"plain":"`+clear+`"}`), &h); err != nil || h.Plain.Reveal() != clear {
		t.Errorf("json: %q, %v", h.Plain.Reveal(), err)
	}
	if err := yaml.Unmarshal([]byte("plain: "+clear), &h); err != nil || h.Plain.Reveal() != clear {
		t.Errorf("yaml: %q, %v", h.Plain.Reveal(), err)
	}
	if v, err := secret.Text(clear).Value(); err == nil {
		t.Errorf("a database was given %v", v)
	}
}

func TestKeysAreNeverPrinted_R12(t *testing.T) {
	k, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %x", k, *k, k, struct{ K *secret.Keys }{k})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "keys", k, "err", errors.New("x"))
	if n := strings.Count(out.String(), "REDACTED"); n != 5 {
		t.Errorf("%d of 5 redacted: %s", n, out.String())
	}
}
