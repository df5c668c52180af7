package tracing

import (
	"log/slog"
	"net/http"
	"net/netip"
	"testing"
)

// TestStart_CostsNothingWithoutTracer: what every request passes allocates nothing.
func TestStart_CostsNothingWithoutTracer(t *testing.T) {
	var none *Tracer
	h := http.Header{}
	if n := testing.AllocsPerRun(100, func() {
		ctx, span := none.Serve(t.Context(), "")
		ctx, work := none.Work(ctx, "work", Internal)
		_, step := Start(ctx, "step", Client)
		for _, s := range []Span{span, work, step} {
			s.Set(Route, "/route")
			s.SetInt(Status, 200)
			s.Tell(h)
			s.TellPeer(h)
			s.End()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(h) != 0 {
		t.Errorf("without a trace others are told %v", h)
	}
}

// TestParent_R8: only those who are named choose whose trace a request is part of.
func TestParent_R8(t *testing.T) {
	const value = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
	tracer := newTracer(t, 0)
	for _, tt := range []struct {
		from    string
		headers []string
		want    string
	}{
		{"10.1.2.3:1000", []string{value}, value},
		{"[::ffff:10.1.2.3]:1000", []string{value}, value},
		{"192.0.2.1:1000", []string{value}, ""},
		{"10.1.2.3:1000", []string{value, value}, ""},
		{"10.1.2.3:1000", nil, ""},
		{"", []string{value}, ""},
	} {
		r := &http.Request{RemoteAddr: tt.from, Header: http.Header{"Traceparent": tt.headers}}
		if got := tracer.Parent(r); got != tt.want {
			t.Errorf("%s with %v is believed %q; want %q", tt.from, tt.headers, got, tt.want)
		}
	}
}

// TestServe_UnreadableParent begins anew, and a trace that is not kept is told of all
// the same, as one that is not.
func TestServe_UnreadableParent(t *testing.T) {
	tracer := newTracer(t, 0)
	for _, parent := range []string{"", "nonsense", "00-00000000000000000000000000000000-0123456789abcdef-01", "ff-0123456789abcdef0123456789abcdef-0123456789abcdef-01"} {
		ctx, span := tracer.Serve(t.Context(), parent)
		_, step := Start(ctx, "step", Client)
		h := http.Header{"Traceparent": {"a client's"}, "Tracestate": {"a client's"}}
		step.Tell(h)
		want := "00-" + span.TraceID() + "-"
		if got := h.Get("Traceparent"); len(got) != 55 || got[:36] != want || got[53:] != "00" || h["Tracestate"] != nil {
			t.Errorf("after %q others are told %v", parent, h)
		}
	}
	const parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
	if _, span := tracer.Serve(t.Context(), parent); span.TraceID() != parent[3:35] {
		t.Errorf("%s goes on as %s", parent, span.TraceID())
	}
}

func newTracer(t *testing.T, ratio float64) *Tracer {
	t.Helper()
	tracer, err := New(t.Context(), Config{
		Endpoint: "http://127.0.0.1:1/v1/traces", Ratio: ratio, AcceptFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.provider.Shutdown(t.Context()) })
	return tracer
}
