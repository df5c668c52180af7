package tokenfile

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

const someToken = "SsybukUed8SBP2p1AaFiGJhrntQNWZVX"

func TestParse_VCD27(t *testing.T) {
	sdk := `{
  "token_type": "Service Account",
  "refresh_token": "` + someToken + `",
  "updated_by": "go-vcloud-director",
  "updated_on": "2026-01-02T15:04:05Z"
 }`
	for name, text := range map[string]string{
		"as the SDK writes it": sdk,
		"a token only":         `{"refresh_token":"` + someToken + `"}`,
		"more than we know":    `{"refresh_token":"` + someToken + `","api_version":37,"access_token":null}`,
		"blanks around":        `{"refresh_token":" ` + someToken + `\n"}`,
		"no time":              `{"refresh_token":"` + someToken + `","updated_on":"yesterday"}`,
	} {
		if token, err := parse([]byte(text)); err != nil || token.Refresh != someToken {
			t.Errorf("%s: %v", name, err)
		}
	}
	token, _ := parse([]byte(sdk))
	if token.Type != ServiceAccount || token.UpdatedBy != "go-vcloud-director" || !token.UpdatedOn.Equal(time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)) {
		t.Errorf("read as %+v", token)
	}
	for _, text := range []string{someToken, `"` + someToken + `"`, `{}`, `{"refresh_token":""}`, `{"refresh_token":7}`, `{"refresh_token":"` + someToken + ` x"}`,
		`{"refresh_token":"` + someToken + `\u0000"}`, `{"refresh_token":"` + someToken, `[]`, `null`} {
		if _, err := parse([]byte(text)); err == nil || strings.Contains(err.Error(), someToken) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", " \n"} {
		if _, err := parse([]byte(text)); !errors.Is(err, ErrNoToken) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestEncode_VCD27(t *testing.T) {
	body, err := Token{Type: ServiceAccount, Refresh: someToken, UpdatedBy: "causeway", UpdatedOn: time.Date(2026, 1, 2, 15, 4, 5, 6, time.UTC)}.encode()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]string
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"token_type": "Service Account", "refresh_token": someToken, "updated_by": "causeway", "updated_on": "2026-01-02T15:04:05Z"} {
		if members[name] != want {
			t.Errorf("%s is %q, want %q", name, members[name], want)
		}
	}
	if len(members) != 4 {
		t.Errorf("written: %s", body)
	}
	if _, err := (Token{}).encode(); !errors.Is(err, ErrNoToken) {
		t.Errorf("no token is written: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"refresh_token":"` + someToken + `","token_type":"API Token","updated_by":"x","updated_on":"2026-01-02T15:04:05Z"}`))
	f.Add([]byte(someToken))
	f.Add([]byte(`{"refresh_token":"a\u0000b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		token, err := parse(text)
		if err != nil {
			return
		}
		body, err := token.encode()
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		again, err := parse(body)
		if err != nil || again.Refresh != token.Refresh {
			t.Fatalf("written and read again: %v", err)
		}
	})
}
