package upstream

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"causeway/internal/hop"
)

// forward is what httputil.ReverseProxy does with a request that does not become
// something else, without the copies that it makes for whoever may want to change
// what: they cost as much as everything else that the gateway does with a request.
// TestForward_AsReverseProxy holds the two against each other.
func (e *exchange) forward(w http.ResponseWriter, r *http.Request) error {
	out := e.outgoing(r)
	if e.body != nil {
		defer e.body.finish()
	}
	res, err := e.RoundTrip(out)
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusSwitchingProtocols { // nobody asked for that
		res.Body.Close()
		return errSwitched
	}
	removeHopByHop(res.Header)
	hop.StripResponse(res, e.host)
	h := w.Header()
	for name, values := range res.Header {
		if before := h[name]; before != nil {
			values = append(before, values...)
		}
		h[name] = values
	}
	hop.StripTrailer(res.Trailer)
	announced := announce(h, res.Trailer)
	w.WriteHeader(res.StatusCode)
	if err := copyBody(w, res); err != nil {
		res.Body.Close()
		if r.Context().Value(http.ServerContextKey) != nil {
			panic(http.ErrAbortHandler) // or half an answer would look whole
		}
		return nil
	}
	res.Body.Close() // trailers are there after it
	hop.StripTrailer(res.Trailer)
	trail(w, res.Trailer, announced)
	return nil
}

var errSwitched = errors.New("the upstream switched protocols, which nobody asked for")

// outgoing is r for the instance. Values of headers are shared and not changed.
func (e *exchange) outgoing(r *http.Request) *http.Request {
	out := r.WithContext(r.Context())
	out.Header = make(http.Header, len(r.Header)+identityHeaders)
	for name, values := range r.Header {
		if !hopByHop[name] && !hop.Strips(name) {
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
	e.id.headers(out.Header)
	out.URL = &url.URL{RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery} // as sent: semicolons and all
	out.Host, out.RequestURI, out.Close = "", "", false
	out.Trailer = nil // only the names would arrive, and they may be forged ones
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		out.Body, out.ContentLength = nil, 0 // which a transport may send again on another connection
		return out
	}
	e.body = &given{ReadCloser: r.Body}
	out.Body = e.body
	return out
}

// hopByHop are about one connection (RFC 9110 §7.6.1), and what servers have taken
// for it.
var hopByHop = map[string]bool{
	"Connection": true, "Proxy-Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

func removeHopByHop(h http.Header) {
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
	buffer := hop.Buffers{}.Get()
	defer hop.Buffers{}.Put(buffer)
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
