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
func receipt(c *gin.Context) {
	ctx, r := journal.WithReceipt(c.Request.Context())
	c.Request = c.Request.WithContext(ctx)
	w := &receiptWriter{c.Writer, r}
	c.Writer = w
	c.Next()
	w.stamp()
}

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
