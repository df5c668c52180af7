package gateway

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/journal"
)

// receipt names, in the answer to whatever changed something, the change's place
// in the journal: with it an administrator asks where it has taken effect. Also a
// refusal can be the answer to a change, as of a token that was shown twice.
// Whoever calls it stamps what has no body when all is done.
func receipt(c *gin.Context) *receiptWriter {
	ctx, r := journal.WithReceipt(c.Request.Context())
	c.Request = c.Request.WithContext(ctx)
	w := &receiptWriter{c.Writer, r}
	c.Writer = w
	return w
}

// receipted gives receipts for what an endpoint changes. What only reads, or is
// refused before, does not pay for one.
func receipted(method string, do func(*gin.Context, httpapi.Call) error) func(*gin.Context, httpapi.Call) error {
	if !changes(method) {
		return do
	}
	return func(c *gin.Context, call httpapi.Call) error {
		defer receipt(c).stamp()
		return do(c, call)
	}
}

func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// receiptWriter sets the header before anything of the answer is written. Who
// changes something knows the journal's sequence by then: the answer waits for it.
type receiptWriter struct {
	gin.ResponseWriter
	receipt *journal.Receipt
}

func (w *receiptWriter) stamp() {
	if seq := w.receipt.Seq(); seq > 0 && !w.Written() {
		w.Header().Set(httpapi.HeaderReceipt, strconv.FormatInt(seq, 10))
	}
}

func (w *receiptWriter) WriteHeaderNow() {
	w.stamp()
	w.ResponseWriter.WriteHeaderNow()
}

func (w *receiptWriter) Write(p []byte) (int, error) {
	w.stamp()
	return w.ResponseWriter.Write(p)
}

func (w *receiptWriter) WriteString(s string) (int, error) {
	w.stamp()
	return w.ResponseWriter.WriteString(s)
}

func (w *receiptWriter) Flush() {
	w.stamp()
	w.ResponseWriter.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *receiptWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
