package hop

import (
	"net/http"
	"strings"
)

// AsksForWebSocket reports whether a request wants to become a WebSocket (RFC 6455
// §4.1), the one protocol that may take over a connection.
func AsksForWebSocket(r *http.Request) bool {
	if r.Method != http.MethodGet || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return false
	}
	for _, line := range r.Header.Values("Connection") {
		for option := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(option), "upgrade") {
				return true
			}
		}
	}
	return false
}
