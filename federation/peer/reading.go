package peer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"time"
)

// reading is a connection of HTTP/1.1 that carries one read at a time. Whoever asks
// writes and reads it, with none of the goroutines by which net/http lets many share
// one: each change between them costs as much as a small request.
type reading struct {
	raw  *conn
	tls  *tls.Conn
	lead *conn            // beside which it was made
	leaf *tls.Certificate // that it was opened with
	left int64            // how much may still be read
	in   *bufio.Reader
	out  *bufio.Writer
	idle time.Time // since when
	made time.Time
}

func newReading(raw *conn, over *tls.Conn, lead *conn, leaf *tls.Certificate) *reading {
	c := &reading{raw: raw, tls: over, lead: lead, leaf: leaf, left: math.MaxInt64}
	c.in, c.out = bufio.NewReader(boundedReader{c}), bufio.NewWriter(over)
	return c
}

type boundedReader struct{ *reading }

var errLongHead = errors.New("peer: the head of the answer is too long")

func (r boundedReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongHead
	}
	n, err := r.tls.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

// ask sends r and waits for the answer to begin. Its body tells done when it ends,
// and whether another read may follow on the connection.
func (c *reading) ask(r *http.Request, wait time.Duration, done func(again bool)) (*http.Response, error) {
	stop := context.AfterFunc(r.Context(), func() { c.raw.Close() })
	res, err := c.exchange(r, wait)
	if err != nil {
		stop()
		done(false)
		return nil, err
	}
	body := &readBody{ReadCloser: res.Body}
	body.done = func(whole bool) { done(stop() && whole && !res.Close && c.in.Buffered() == 0) }
	res.Body = body
	if res.ContentLength == 0 || r.Method == http.MethodHead {
		body.end(readWhole)
	}
	return res, nil
}

func (c *reading) exchange(r *http.Request, wait time.Duration) (*http.Response, error) {
	_ = c.tls.SetDeadline(time.Now().Add(wait))
	if err := r.Write(c.out); err != nil {
		return nil, err
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	res, err := c.answer(r)
	if err != nil {
		return nil, err
	}
	if n := res.ContentLength; n < 0 || int64(c.in.Buffered()) < n { // the rest may take longer
		_ = c.tls.SetDeadline(time.Time{})
	}
	return res, nil
}

// maxInterim is how many interim answers may come before the one that counts.
const maxInterim = 5

func (c *reading) answer(r *http.Request) (*http.Response, error) {
	c.left = maxHeaders
	defer func() { c.left = math.MaxInt64 }()
	for range maxInterim {
		res, err := http.ReadResponse(c.in, r)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 != 1 || res.StatusCode == http.StatusSwitchingProtocols {
			res.Close = res.Close || res.StatusCode == http.StatusSwitchingProtocols
			return res, nil
		}
	}
	return nil, errors.New("peer: interim answers and no other")
}

// readBody is an answer's body. Closing it ends a Read that waits.
type readBody struct {
	io.ReadCloser
	done  func(whole bool)
	state atomic.Int32
}

const (
	readUnder int32 = iota // under way
	readWhole
	readBroken
)

func (b *readBody) Read(p []byte) (int, error) {
	switch b.state.Load() {
	case readWhole:
		return 0, io.EOF
	case readBroken: // or it would look whole
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.end(readWhole)
	case err != nil:
		b.end(readBroken)
	}
	return n, err
}

// Close does not close what it is made of: that would wait for a Read.
func (b *readBody) Close() error {
	b.end(readBroken)
	return nil
}

func (b *readBody) end(as int32) {
	if b.state.CompareAndSwap(readUnder, as) {
		b.done(as == readWhole)
	}
}
