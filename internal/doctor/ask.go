package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// mostRead bounds what is read of an answer, in bytes: the metrics of a cell with
// many sites are the largest.
const mostRead = 8 << 20

// answer is what somebody said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) want(status int) error {
	if a.status != status {
		return fmt.Errorf("the answer is %d, not %d", a.status, status)
	}
	return nil
}

func (a answer) good() error {
	if a.status < 200 || a.status > 399 { // as cells judge health checks
		return fmt.Errorf("the answer is %d", a.status)
	}
	return nil
}

func get(ctx context.Context, client *http.Client, url string, header http.Header) (answer, error) {
	return ask(ctx, client, http.MethodGet, url, header, "")
}

func ask(ctx context.Context, client *http.Client, method, url string, header http.Header, form string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(form))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostRead))
	return answer{res.StatusCode, res.Header, body}, err
}

// noRedirect: nobody who is asked here has a reason to send us elsewhere.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
