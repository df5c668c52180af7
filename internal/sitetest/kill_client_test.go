package sitetest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/secret"
	"causeway/internal/tokenfile"
)

// refresherEnv makes of this test binary an app that does nothing but refresh: its
// value is the token file, the CA file and the token endpoint. It says a dot for
// each token that it has saved and a word when it is refused.
const refresherEnv = "CAUSEWAY_TEST_REFRESHER"

type refresherArgs struct{ File, CA, Endpoint string }

// refusedExit is the exit code of a refresher that has lost its account.
const refusedExit = 3

// refusal is an answer that trying again does not help.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

// beRefresher never returns if this process is to be one.
func beRefresher() {
	text := os.Getenv(refresherEnv)
	if text == "" {
		return
	}
	var args refresherArgs
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		panic(err)
	}
	client, err := trusting(args.CA)
	if err != nil {
		panic(err)
	}
	for {
		err := tokenfile.Renew(context.Background(), args.File, "refresher", exchange(client, args.Endpoint))
		var no refusal
		switch {
		case err == nil:
			fmt.Print(".")
		case errors.As(err, &no):
			fmt.Print("\n", no.text, "\n")
			os.Exit(refusedExit)
		default: // the site is away
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// exchange is one refresh, as any OAuth client does it.
func exchange(client *http.Client, endpoint string) tokenfile.Exchange {
	return func(_ context.Context, token secret.Text) (secret.Text, error) {
		res, err := client.PostForm(endpoint, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}})
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		var body struct {
			Token       string `json:"refresh_token"`
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			return "", err
		}
		if res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusUnauthorized {
			return "", refusal{fmt.Sprintf("%d %s: %s", res.StatusCode, body.Error, body.Description)}
		}
		if res.StatusCode != http.StatusOK {
			return "", fmt.Errorf("status %d", res.StatusCode)
		}
		return secret.Text(body.Token), nil
	}
}

// refresher is such a process, begun again each time it was killed.
type refresher struct {
	name, file string
	args       string
	cmd        *exec.Cmd
	ended      chan struct{}
	saved      *atomic.Int64
	said       atomic.Pointer[string] // when it was refused
	kills      int
}

// newRefresher connects an account and saves its token.
func newRefresher(t *testing.T, c *Client, admin, name, file string, saved *atomic.Int64) *refresher {
	t.Helper()
	id := c.Register(t, SiteName, System, admin, name, sampleSoftware, "System Administrator")
	_, token := c.ConnectAs(t, SiteName, System, admin, id)
	f, err := tokenfile.Open(t.Context(), file)
	if err == nil {
		err = errors.Join(f.Save(tokenfile.Token{Type: tokenfile.ServiceAccount, Refresh: secret.Text(token), UpdatedOn: time.Now()}), f.Close())
	}
	args, jsonErr := json.Marshal(refresherArgs{file, c.File.CA, c.Site(SiteName).API + Realm(System) + "/token"})
	if err = errors.Join(err, jsonErr); err != nil {
		t.Fatal(err)
	}
	return &refresher{name: name, file: file, args: string(args), saved: saved}
}

func (r *refresher) begin(t *testing.T) {
	t.Helper()
	r.cmd = exec.Command(os.Args[0])
	r.cmd.Env = append(os.Environ(), refresherEnv+"="+r.args)
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.ended = make(chan struct{})
	go func() {
		defer close(r.ended)
		r.listen(bufio.NewReader(out))
		_ = r.cmd.Wait() // that it was killed is no news
	}()
}

func (r *refresher) listen(out *bufio.Reader) {
	for {
		b, err := out.ReadByte()
		if err != nil {
			return
		}
		if b == '.' {
			r.saved.Add(1)
			continue
		}
		if line, _ := out.ReadString('\n'); strings.TrimSpace(line) != "" {
			r.said.Store(&line)
		}
	}
}

// kill ends the process the hard way, wherever it is.
func (r *refresher) kill() {
	_ = r.cmd.Process.Kill() // it may have ended by itself
	<-r.ended
	r.kills++
}
