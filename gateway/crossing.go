package gateway

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
)

// crossing writes the answer of a peer. A request has one id for its client, the
// one that this site's log knows it by; what the peer called it goes along under
// another name.
type crossing struct{ gin.ResponseWriter }

func (w crossing) WriteHeader(status int) {
	// Ours was there before the peer's headers were copied.
	if ids := w.Header().Values(httpapi.HeaderRequestID); len(ids) > 1 && status >= http.StatusOK {
		w.Header().Set(httpapi.HeaderPeerRequestID, ids[1])
		w.Header().Set(httpapi.HeaderRequestID, ids[0])
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w crossing) Unwrap() http.ResponseWriter { return w.ResponseWriter }
