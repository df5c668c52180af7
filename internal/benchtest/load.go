package benchtest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// serve is the client's side: a plan, then a turn for each duration.
func serve(in io.Reader, out io.Writer) {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	var p Plan
	if decoder.Decode(&p) != nil {
		return
	}
	lines, err := linesOf(&p)
	if err != nil {
		_ = encoder.Encode(Result{Error: err.Error()})
		return
	}
	for {
		var turn time.Duration
		if decoder.Decode(&turn) != nil {
			return
		}
		if encoder.Encode(run(lines, turn)) != nil {
			return
		}
	}
}

func linesOf(p *Plan) ([]*line, error) {
	var tokens [][]byte
	if p.Tokens != "" {
		all, err := os.ReadFile(p.Tokens)
		if err != nil {
			return nil, err
		}
		tokens = bytes.Fields(all)
	}
	lines := make([]*line, len(p.Bodies))
	share := len(tokens) / max(1, len(lines))
	for i, body := range p.Bodies {
		lines[i] = &line{plan: p, body: body, tokens: tokens[i*share : (i+1)*share]}
	}
	return lines, nil
}

func run(lines []*line, turn time.Duration) (r Result) {
	start := time.Now()
	var wait sync.WaitGroup
	for _, l := range lines {
		wait.Go(func() { l.work(start.Add(turn)) })
	}
	wait.Wait()
	r.Elapsed = time.Since(start)
	var took []time.Duration
	for _, l := range lines {
		took = append(took, l.took...)
		if l.err != nil && r.Error == "" {
			r.Error = l.err.Error()
		}
	}
	slices.Sort(took)
	if r.Requests = len(took); r.Requests > 0 {
		r.P50, r.P99 = took[len(took)/2], took[len(took)*99/100]
	}
	return r
}

// line is one connection. It writes and reads HTTP by hand: a client that costs
// more than the server would be measured instead.
type line struct {
	plan   *Plan
	body   string
	tokens [][]byte
	shown  int // of tokens
	conn   net.Conn
	in     *bufio.Reader
	took   []time.Duration
	err    error
}

func (l *line) work(until time.Time) {
	l.took = l.took[:0]
	if l.conn == nil {
		if l.conn, l.err = l.dial(); l.err != nil {
			return
		}
		l.in = bufio.NewReaderSize(l.conn, 8192)
	}
	for l.err == nil && (l.plan.Each == 0 || len(l.took) < l.plan.Each) {
		start := time.Now()
		if start.After(until) {
			return
		}
		l.err = l.once()
		l.took = append(l.took, time.Since(start))
	}
}

func (l *line) dial() (net.Conn, error) {
	if l.plan.CA == "" {
		return net.Dial("tcp", l.plan.Addr)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(l.plan.CA))
	return tls.Dial("tcp", l.plan.Addr, &tls.Config{RootCAs: roots})
}

func (l *line) once() error {
	method, form := "GET", ""
	if !l.plan.Get {
		method, form = "POST", fmt.Sprintf("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(l.body))
	}
	if len(l.tokens) > 0 {
		form += fmt.Sprintf("Authorization: Bearer %s\r\n", l.tokens[l.shown%len(l.tokens)])
		l.shown++
	}
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n%s", method, l.plan.Path, l.plan.Addr, form, l.plan.Header, l.body)
	if _, err := io.WriteString(l.conn, request); err != nil {
		return err
	}
	status, body, err := l.read()
	if err != nil {
		return err
	}
	if status != l.plan.Status {
		return fmt.Errorf("status %d, want %d: %s", status, l.plan.Status, body)
	}
	if l.plan.Follow {
		const member = `"refresh_token":"`
		_, rest, found := bytes.Cut(body, []byte(member))
		token, _, closed := bytes.Cut(rest, []byte(`"`))
		if !found || !closed {
			return fmt.Errorf("no refresh token in %s", body)
		}
		l.body = l.plan.Form + string(token)
	}
	return nil
}

// read takes an answer whose length is given, as both sides do it.
func (l *line) read() (status int, body []byte, err error) {
	length := 0
	for first := true; ; first = false {
		head, err := l.in.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		head = bytes.TrimRight(head, "\r\n")
		switch name, value, _ := bytes.Cut(head, []byte(": ")); {
		case first:
			if len(head) < 12 {
				return 0, nil, fmt.Errorf("no answer: %q", head)
			}
			if status, err = strconv.Atoi(string(head[9:12])); err != nil {
				return 0, nil, err
			}
		case len(head) == 0:
			body = make([]byte, length)
			_, err = io.ReadFull(l.in, body)
			return status, body, err
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, nil, err
			}
		}
	}
}
