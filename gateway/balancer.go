package gateway

import (
	"io"
	"net/http"
)

// balancerPath is where balancers in front ask whether this cell wants requests. No
// instance can have it, but one with a host of its own has it there.
const balancerPath = "/lb-check"

// answerBalancer says yes or no and nothing more, since anybody can ask. It costs no
// more than the answer: no look at the database, no line in the log, no number.
func (g *Gateway) answerBalancer(w http.ResponseWriter) {
	status, text := http.StatusOK, "ok\n"
	if g.ready != nil && !g.ready() {
		status, text = http.StatusServiceUnavailable, "unavailable\n"
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // or the balancer has gone
}
