package http1

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// write writes a request as [http.Request.Write] does, but for the order of its headers:
// sorting them takes as long as all the rest. What net/http would change or refuse is
// left to it.
func write(w *bufio.Writer, r *http.Request) error {
	if !writeHead(w, r) {
		return r.Write(w)
	}
	if bodiless(r) {
		return nil
	}
	defer r.Body.Close()
	n, err := io.Copy(w, io.LimitReader(r.Body, r.ContentLength))
	if err != nil {
		return err
	}
	more, err := io.Copy(io.Discard, r.Body)
	if err == nil && n+more != r.ContentLength {
		err = fmt.Errorf("http1: a body of %d bytes has %d", r.ContentLength, n+more)
	}
	return err
}

// writeHead writes nothing, and reports so, where not all is plain.
func writeHead(w *bufio.Writer, r *http.Request) bool {
	host, target := r.Host, r.URL.RequestURI()
	if host == "" {
		host = r.URL.Host
	}
	if !plainBody(r) || !plainHost(host) || !plainTarget(target) || !plainHeaders(r.Header) {
		return false
	}
	agent := "Go-http-client/1.1"
	if _, told := r.Header["User-Agent"]; told {
		agent = r.Header.Get("User-Agent")
	}
	say := func(parts ...string) {
		for _, s := range parts {
			_, _ = w.WriteString(s) // what fails comes again at the flush
		}
	}
	say(r.Method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\n")
	if agent != "" {
		say("User-Agent: ", agent, "\r\n")
	}
	if lengthed[r.Method] {
		say("Content-Length: ", strconv.FormatInt(r.ContentLength, 10), "\r\n")
	}
	for name, values := range r.Header {
		if unwritten[name] {
			continue
		}
		for _, v := range values {
			say(name, ": ", v, "\r\n")
		}
	}
	say("\r\n")
	return true
}

// lengthed are methods whose requests say how long their body is, also of none.
var lengthed = map[string]bool{http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true}

// unlengthed are methods whose requests say nothing of a body that they do not have.
var unlengthed = map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true, http.MethodDelete: true}

// unwritten are headers that follow from the request itself, or stand at its beginning.
var unwritten = map[string]bool{"Host": true, "User-Agent": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true}

// plainBody is one whose length is known, or none, on a connection that goes on.
func plainBody(r *http.Request) bool {
	switch {
	case r.Close || len(r.Trailer) > 0 || len(r.TransferEncoding) > 0:
		return false
	case bodiless(r):
		return r.ContentLength == 0 && (lengthed[r.Method] || unlengthed[r.Method])
	}
	return r.ContentLength > 0 && lengthed[r.Method]
}

// plainHost is of names and addresses; the zone of one is not sent.
func plainHost(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return host != ""
}

// plainTarget is what ends where the line says.
func plainTarget(target string) bool {
	for i := range len(target) {
		if target[i] <= ' ' || target[i] == 0x7f {
			return false
		}
	}
	return true
}

func plainHeaders(h http.Header) bool {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return false
		}
		for _, v := range values {
			if strings.IndexByte(v, '\n') >= 0 || strings.IndexByte(v, '\r') >= 0 || v != "" && (isBlank(v[0]) || isBlank(v[len(v)-1])) {
				return false
			}
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
