package benchtest

import (
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"
)

// asClient makes a test binary the load client.
const asClient = "CAUSEWAY_BENCH_CLIENT"

// Main runs a package's tests, or the load client that one of them started. Call
// it in TestMain.
func Main(m *testing.M) {
	if os.Getenv(asClient) != "" {
		serve(os.Stdin, os.Stdout)
		return
	}
	if os.Getenv(asInstance) != "" {
		_ = stand(os.Stdin, os.Stdout) // who started it sees no address
		return
	}
	os.Exit(m.Run())
}

// Plan is what a client does on kept connections, one for each body: it posts the
// form and waits for the answer, over and over.
type Plan struct {
	Addr   string // host:port
	CA     string // PEM of whom the server's certificate is from; empty is plaintext
	Get    bool   // instead of posting
	Path   string
	Bodies []string // forms
	// Follow sends, after an answer with a refresh token, that one next: each
	// body is Form and a token then.
	Follow bool
	Form   string // in front of a token that is followed
	Status int    // of every answer
	// Each is how many requests a connection makes in a turn at most; zero is as
	// many as are answered.
	Each   int
	Header string // more lines of the request's head, each ended by CRLF
	// Tokens is a file of bearer tokens, one a line. Each connection shows its share
	// of them, one after the other and over and over.
	Tokens string
}

// Result is what came of a turn.
type Result struct {
	Requests int
	Elapsed  time.Duration
	P50, P99 time.Duration
	Error    string // the first; empty means none
}

// Rate is requests in a second.
func (r Result) Rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Client is a load client in another process.
type Client struct {
	PID int
	in  *json.Encoder
	out *json.Decoder
}

// Launch starts a client that lives as long as the benchmark.
func Launch(b testing.TB, p Plan) *Client {
	b.Helper()
	cmd, in, out := begin(b, asClient+"=1")
	b.Cleanup(func() {
		_ = in.Close() // it ends
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	c := &Client{cmd.Process.Pid, json.NewEncoder(in), json.NewDecoder(out)}
	if err := c.in.Encode(p); err != nil {
		b.Fatal(err)
	}
	return c
}

// Run makes requests for a while. Any answer that is not what the plan wants
// fails the benchmark.
func (c *Client) Run(b testing.TB, d time.Duration) Result {
	b.Helper()
	var r Result
	if err := c.in.Encode(d); err != nil {
		b.Fatal(err)
	}
	if err := c.out.Decode(&r); err != nil {
		b.Fatal(err)
	}
	if r.Error != "" {
		b.Fatal(r.Error)
	}
	return r
}
