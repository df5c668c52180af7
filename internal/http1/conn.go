package http1

import (
	"bufio"
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"time"
)

// Raw is a connection below TLS, or without: a [Socket], or what embeds one.
type Raw interface {
	net.Conn
	socket() *Socket
}

// Conn carries one exchange at a time. It is not for concurrent use.
type Conn struct {
	raw  Raw
	over net.Conn
	left int64 // how much may still be read
	came bool  // something of the answer did
	in   *bufio.Reader
	out  *bufio.Writer
}

// New speaks over a connection that is raw itself, or TLS on it.
func New(raw Raw, over net.Conn) *Conn {
	c := &Conn{raw: raw, over: over, left: math.MaxInt64}
	c.in, c.out = bufio.NewReader(bounded{c}), bufio.NewWriter(over)
	return c
}

// Close does not wait for an exchange that is under way, which fails.
func (c *Conn) Close() error { return c.raw.Close() }

// ErrLongHead is of an answer whose head is longer than it may be.
var ErrLongHead = errors.New("http1: the head of the answer is too long")

type bounded struct{ *Conn }

func (b bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrLongHead
	}
	n, err := b.over.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.came = b.came || n > 0
	return n, err
}

// Limits are an exchange's.
type Limits struct {
	Head int64         // bytes that the answer's head may have
	Wait time.Duration // until it is whole, from when the request is sent
}

// Ask sends r and waits for the answer to begin. Its body tells done when it ends,
// and whether another exchange may follow; an error has told it before. When r's
// context ends, so does the connection.
func (c *Conn) Ask(r *http.Request, limits Limits, done func(again bool)) (*http.Response, error) {
	stop := context.AfterFunc(r.Context(), func() { c.raw.Close() })
	res, err := c.exchange(r, limits)
	if err != nil {
		stop()
		done(false)
		if gone := context.Cause(r.Context()); gone != nil {
			err = gone // and not what it did to the connection
		}
		return nil, err
	}
	b := &body{ReadCloser: res.Body}
	b.done = func(whole bool) { done(stop() && whole && !res.Close) }
	res.Body = b
	if res.ContentLength == 0 || r.Method == http.MethodHead {
		b.end(whole)
	}
	return res, nil
}

// Answered reports whether anything came of the last exchange's answer.
func (c *Conn) Answered() bool { return c.came }

func (c *Conn) exchange(r *http.Request, limits Limits) (*http.Response, error) {
	c.came = false
	if bodiless(r) {
		c.due(limits.Wait)
	} else { // which is its sender's to be in time with
		_ = c.over.SetDeadline(time.Time{})
	}
	if err := write(c.out, r); err != nil {
		return nil, err
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	if !bodiless(r) {
		c.due(limits.Wait)
	}
	res, err := c.answer(r, limits.Head)
	if err != nil {
		return nil, err
	}
	if n := res.ContentLength; n < 0 || int64(c.in.Buffered()) < n { // the rest may take longer
		_ = c.over.SetDeadline(time.Time{})
	}
	return res, nil
}

func (c *Conn) due(wait time.Duration) { _ = c.over.SetDeadline(time.Now().Add(wait)) }

// maxInterim is how many interim answers may come before the one that counts.
const maxInterim = 5

func (c *Conn) answer(r *http.Request, head int64) (*http.Response, error) {
	c.left = head
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
	return nil, errors.New("http1: interim answers and no other")
}
