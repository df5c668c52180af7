package tracing

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A collector that takes requests and never answers costs its traces: who makes them
// waits for nothing, and only so many are kept.
func TestCollector_R13_WhoHangsHoldsUpNobody(t *testing.T) {
	asked, over := make(chan struct{}, 1), make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-over
	}))
	defer hangs.Close()
	defer close(over)
	tracer, err := New(t.Context(), Config{Endpoint: hangs.URL + "/v1/traces", Ratio: 1, Every: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	one := func() {
		ctx, span := tracer.Serve(t.Context(), "")
		_, step := Start(ctx, "statement", Internal)
		step.End()
		span.End()
	}
	one()
	<-asked
	start := time.Now()
	for range 2 * queued {
		one()
	}
	if took := time.Since(start); took > sendTime/2 {
		t.Errorf("%d requests took %s", 2*queued, took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := tracer.Stop(ctx); err == nil || time.Since(start) > sendTime {
		t.Errorf("it stopped after %s: %v", time.Since(start), err)
	}
	if s := tracer.Stats(); s.Recorded != 2*(2*queued+1) || s.Sent != 0 {
		t.Errorf("%+v", s)
	}
}

// What a collector repeats of the headers is not logged.
func TestCollector_R12_WhoRepeatsTheKey(t *testing.T) {
	const key = "the-collectors-own-key"
	repeats := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, r.Header.Get("Authorization")+" holds no key like "+key, http.StatusUnauthorized)
	}))
	defer repeats.Close()
	var log bytes.Buffer
	tracer, err := New(t.Context(), Config{
		Endpoint: repeats.URL + "/v1/traces", Ratio: 1, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Headers: map[string]string{"Authorization": "Bearer " + key, "X-Empty": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Serve(t.Context(), "")
	span.End()
	if err := tracer.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said := log.String(); !strings.Contains(said, "cannot be sent") || strings.Contains(said, key) || strings.Count(said, "REDACTED") > 4 {
		t.Errorf("the log says\n%s", said)
	}
}
