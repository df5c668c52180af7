package hop

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Outgoing is r for the next server, without what is about the client's connection
// or must not cross, without a body, and with room for more headers. Its URL has the
// query and nothing else. Values of headers are shared and not changed.
func Outgoing(r *http.Request, room int) *http.Request {
	out := r.WithContext(r.Context())
	out.Header = make(http.Header, len(r.Header)+room)
	for name, values := range r.Header {
		if !hopByHop[name] && !Strips(name) {
			out.Header[name] = values
		}
	}
	for _, line := range r.Header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out.Header.Del(name)
			}
		}
	}
	if wantsTrailers(r.Header["Te"]) {
		out.Header["Te"] = trailersWanted
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // or the transport would give its own
	}
	out.URL = &url.URL{RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery} // as sent: semicolons and all
	out.Host, out.RequestURI, out.Close = "", "", false
	out.Trailer = nil // only the names would arrive, and they may be forged ones
	out.Body, out.ContentLength = nil, 0
	return out
}

// Answer gives a client the answer of the next server. Headers are already those that
// may cross, see [RemoveHopByHop] and [StripResponse]. One that breaks off in the
// middle panics with http.ErrAbortHandler where r came to a server.
func Answer(w http.ResponseWriter, r *http.Request, res *http.Response) {
	h := w.Header()
	for name, values := range res.Header {
		if before := h[name]; before != nil {
			values = append(before, values...)
		}
		h[name] = values
	}
	StripTrailer(res.Trailer)
	announced := announce(h, res.Trailer)
	w.WriteHeader(res.StatusCode)
	if err := copyBody(w, res); err != nil {
		res.Body.Close()
		if r.Context().Value(http.ServerContextKey) != nil {
			panic(http.ErrAbortHandler) // or half an answer would look whole
		}
		return
	}
	res.Body.Close() // trailers are there after it
	StripTrailer(res.Trailer)
	trail(w, res.Trailer, announced)
}

// hopByHop are about one connection (RFC 9110 §7.6.1), and what servers have taken
// for it.
var hopByHop = map[string]bool{
	"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// RemoveHopByHop removes from an answer what is about the connection that it came on.
func RemoveHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" {
				h.Del(name)
			}
		}
	}
	for name := range h {
		if hopByHop[name] {
			delete(h, name)
		}
	}
}

var trailersWanted = []string{"trailers"}

func wantsTrailers(te []string) bool {
	for _, line := range te {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "trailers") {
				return true
			}
		}
	}
	return false
}

// announce says which trailers there will be, and returns how many.
func announce(h, trailer http.Header) int {
	if len(trailer) == 0 {
		return 0
	}
	names := make([]string, 0, len(trailer))
	for name := range trailer {
		names = append(names, name)
	}
	h.Add("Trailer", strings.Join(names, ", "))
	return len(trailer)
}

// trail writes the trailers: those that were announced, or all if there are more.
func trail(w http.ResponseWriter, trailer http.Header, announced int) {
	if len(trailer) == 0 {
		return
	}
	_ = http.NewResponseController(w).Flush() // or a short body would get a length, and no trailers
	prefix := ""
	if len(trailer) != announced {
		prefix = http.TrailerPrefix
	}
	for name, values := range trailer {
		for _, v := range values {
			w.Header().Add(prefix+name, v)
		}
	}
}

// copyBody copies the answer, at once what comes bit by bit.
func copyBody(w http.ResponseWriter, res *http.Response) error {
	if res.Body == http.NoBody {
		return nil
	}
	buffer := Buffers{}.Get()
	defer Buffers{}.Put(buffer)
	var flush func() error
	if res.ContentLength == -1 || isEvents(res.Header) {
		flush = http.NewResponseController(w).Flush
		_ = flush() // the head must not wait for a body that is slow
	}
	for {
		n, err := res.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			if flush != nil {
				_ = flush()
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func isEvents(h http.Header) bool {
	kind := h.Get("Content-Type")
	if !strings.HasPrefix(kind, "text/event-stream") { // what ParseMediaType makes of others is something else
		return false
	}
	base, _, _ := mime.ParseMediaType(kind)
	return base == "text/event-stream"
}
