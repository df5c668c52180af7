package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/appflow"
	"causeway/internal/tokenfile"
)

// holding runs do while another process holds the file for as long as that.
func holding(t *testing.T, path string, hold time.Duration, do func()) {
	t.Helper()
	other, err := tokenfile.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(hold)
		_ = other.Close()
	}()
	do()
}

// A granted token has no second copy: another process may take as long as it
// likes, and the command may be interrupted meanwhile.
func TestDeviceFlow_SavesAGrantedTokenHoweverLongItTakes_R3(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.token")
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		var out bytes.Buffer
		d := &deviceFlow{app: &app{place: place{tokenFile: path}}, show: &events{out: &out, now: time.Now}}
		holding(t, path, 3*lockWait, func() {
			if err := d.save(ctx, nil, appflow.Tokens{Refresh: "granted"}); err != nil {
				t.Error(err)
			}
		})
		if kept, err := tokenfile.Read(path); err != nil || kept.Refresh != "granted" {
			t.Errorf("the file holds %v, %v", kept, err)
		}
		if said := out.String(); !strings.Contains(said, "access is granted, and another process is using "+path) || strings.Contains(said, `"granted"`) {
			t.Errorf("it says %s", said)
		}
	})
}

// Another process's refresh is waited for to its end, and one without end is not.
func TestRenew_WaitsForAsLongAsARefreshTakes_R3(t *testing.T) {
	client := &appflow.Client{Endpoints: appflow.Endpoints{Token: "https://site/token"}, HTTP: &http.Client{Transport: granting{}}}
	for hold, want := range map[time.Duration]error{0: nil, appflow.LongestCall: nil, lockWait + time.Minute: errBusy} {
		path := filepath.Join(t.TempDir(), "app.token")
		if err := os.WriteFile(path, []byte(`{"refresh_token":"old"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			var said []string
			holding(t, path, hold, func() {
				_, err := renew(t.Context(), client, path, func(message string) { said = append(said, message) })
				if (err == nil) != (want == nil) || (err != nil && !strings.Contains(err.Error(), want.Error())) {
					t.Errorf("held for %v: %v", hold, err)
				}
			})
			if waited := strings.Contains(fmt.Sprint(said), "waiting"); waited != (hold > lockTold) {
				t.Errorf("held for %v, it says %q", hold, said)
			}
			time.Sleep(hold)
		})
	}
}

var errBusy = errors.New("another process is using")

// Without a token there is nothing to wait for, and nothing is left behind.
func TestRenew_NothingToRenew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.token")
	if _, err := renew(t.Context(), nil, path, nil); !errors.Is(err, tokenfile.ErrNoToken) {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".lock"); !os.IsNotExist(err) {
		t.Errorf("a lock is left behind: %v", err)
	}
}

// A user's token stays as it is and needs no lock: its folder may be read-only.
func TestRenew_APIToken_VCD84(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.token")
	text := `{"token_type":"API Token","refresh_token":"mine"}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	client := &appflow.Client{Endpoints: appflow.Endpoints{Token: "https://site/token"}, HTTP: &http.Client{Transport: granting{}}}
	tokens, err := renew(t.Context(), client, path, nil)
	if err != nil || tokens.Access != "access" {
		t.Errorf("%v, %v", tokens, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// granting is a site that knows every refresh token.
type granting struct{}

func (granting) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader(`{"access_token":"access","token_type":"Bearer","expires_in":60}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
}
