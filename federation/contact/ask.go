package contact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"causeway/federation"
	"causeway/federation/peer"
	"causeway/internal/problem"
)

// askTimeout bounds one question to a site, connecting included.
const askTimeout = 5 * time.Second

// refusedError is an answer that is none.
type refusedError struct {
	status int
	after  time.Duration // when to ask again, as it says; 0 where it does not
}

func (e *refusedError) Error() string { return fmt.Sprintf("the site answers %d", e.status) }

// ask sends a question and reads the answer whole.
func (s *Service) ask(ctx context.Context, a federation.SiteAssociation, method, path string, query url.Values, body any) ([]byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, (&url.URL{Path: path, RawQuery: query.Encode()}).String(), content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := s.Peers.Call(a, r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, &refusedError{res.StatusCode, retryAfter(res.Header)}
	}
	return answer, nil
}

// retryAfter is how many seconds a site asks to be left alone (RFC 9110 §10.2.3).
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseUint(h.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// The reasons that people read.
const (
	reasonDenied  = "The other site does not hold this association, or pins another key of this site."
	reasonMissed  = "The other site cannot be reached."
	reasonAnswer  = "The other site answers heartbeats with errors."
	reasonKey     = "Whoever answers for the other site does not have the key that this association pins."
	reasonOld     = "The other site does not know heartbeats: its version is too old."
	reasonWords   = "The other site answers heartbeats with something else."
	reasonClock   = "The clocks of the two sites differ by more than 30 seconds."
	reasonVersion = "The API versions of the two sites are more than one apart."
)

// blame says what a question that failed tells about the association.
func blame(err error) finding {
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		return blameStatus(refused.status)
	case peer.Refused(err):
		return finding{denied, reasonDenied}
	case errors.Is(err, peer.ErrUnknownKey):
		return finding{unproven, reasonKey}
	case problem.Has(err, problem.BadRequest):
		return finding{unfit, reasonWords}
	}
	return finding{missed, reasonMissed}
}

func blameStatus(status int) finding {
	switch {
	case status == http.StatusForbidden:
		return finding{denied, reasonDenied}
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return finding{unfit, reasonOld}
	case status == http.StatusBadRequest:
		return finding{unfit, reasonWords}
	}
	return finding{missed, reasonAnswer}
}

// maxSkew is how far clocks may be apart: an assertion is good for as long.
const maxSkew = 30 * time.Second

// exchange sends a heartbeat and judges the answer.
func (s *Service) exchange(ctx context.Context, a federation.SiteAssociation) (Heartbeat, finding, Sample) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	mine := s.beat(a)
	start := time.Now()
	body, err := s.ask(ctx, a, http.MethodPost, HeartbeatPath, nil, mine)
	took := time.Since(start)
	if err != nil {
		return Heartbeat{}, blame(err), Sample{Error: err.Error()}
	}
	h, err := ParseHeartbeat(body)
	if err != nil {
		return Heartbeat{}, blame(err), Sample{Error: err.Error()}
	}
	skew := h.Time.Sub(mine.Time.Add(took / 2))
	sample := Sample{Latency: took, Skew: skew, At: s.Now().UTC()}
	return h, s.compare(a, h, skew, took), sample
}

// compare is what a proper answer says. Of the skew only what the way cannot
// explain counts.
func (s *Service) compare(a federation.SiteAssociation, h Heartbeat, skew, took time.Duration) finding {
	switch {
	case h.Site != a.Site:
		return finding{unfit, reasonWords}
	case !h.HoldsYou:
		return finding{denied, reasonDenied}
	case !s.API.fits(h.API):
		return finding{unfit, reasonVersion}
	case skew.Abs()-took/2 > maxSkew:
		return finding{unfit, reasonClock}
	}
	return finding{verdict: good}
}
