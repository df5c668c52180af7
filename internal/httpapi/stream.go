package httpapi

import (
	"net/http"
	"time"
)

// Stream lifts the listener's read and write timeouts for this exchange: how
// long an upload or an answer takes is for the service behind us to say.
func Stream(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // a writer without deadlines has none to lift
	_ = rc.SetWriteDeadline(time.Time{})
}
